"""What differs between two settings, and what of it can change while a deployment runs. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from posebus.config.settings import Settings

if TYPE_CHECKING:
    from pydantic import BaseModel

LIVE_SECTIONS = frozenset({"worker", "tracker", "wall"})
"""Sections whose processes exchange what they run by these settings: see `workers.swapping` and `tracking.process`."""
LIVE_FIELDS = frozenset({"fleet.workers", "fleet.trackers", "log_level"})
"""Single fields that can change as well. All that is neither here, nor above, nor a camera or sink needs a restart."""
BY_NAME = frozenset({"cameras", "sinks"})
"""Sections of entries with names, which come, go and change one by one."""


@dataclass(frozen=True, slots=True)
class Change:
    """One value that differs. `field` is its dotted name from the root of the settings, or within a camera."""

    field: str
    before: object
    after: object


@dataclass(frozen=True, slots=True)
class SinkDifference:
    """added, removed: names of sinks. changed: the fields that differ, by sink."""

    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    changed: Mapping[str, tuple[Change, ...]] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return any((self.added, self.removed, self.changed))


@dataclass(frozen=True, slots=True)
class Difference:
    """What has to be done to get from one Settings to another. All of it can change while the deployment runs.

    added, removed: names of cameras. changed: the fields that differ, by camera. worker, tracker, wall, fleet, log:
    changes of those sections, and of how processes log. sinks: which of them differ.
    """

    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    changed: Mapping[str, tuple[Change, ...]] = field(default_factory=dict)
    worker: tuple[Change, ...] = ()
    tracker: tuple[Change, ...] = ()
    wall: tuple[Change, ...] = ()
    fleet: tuple[Change, ...] = ()
    log: tuple[Change, ...] = ()
    sinks: SinkDifference = SinkDifference()

    def __bool__(self) -> bool:
        cameras = self.added, self.removed, self.changed
        return any((*cameras, self.worker, self.tracker, self.wall, self.fleet, self.log, self.sinks))


def difference(before: Settings, after: Settings) -> Difference:
    """Return what differs of the settings that can change while a deployment runs."""
    added, removed, changed = _by_name(before.cameras, after.cameras)
    live = [change for change in _all_changes(before, after) if _is_live(change.field)]
    return Difference(
        added=added,
        removed=removed,
        changed=changed,
        worker=_of_section("worker", live),
        tracker=_of_section("tracker", live),
        wall=_of_section("wall", live),
        fleet=_of_section("fleet", live),
        log=tuple(change for change in live if "." not in change.field),
        sinks=SinkDifference(*_by_name(before.sinks, after.sinks)),
    )


def fixed_changes(before: Settings, after: Settings) -> tuple[Change, ...]:
    """Return what differs of the settings that need a restart."""
    return tuple(change for change in _all_changes(before, after) if not _is_live(change.field))


def with_fixed_of(running: Settings, wanted: Settings) -> Settings:
    """Return `wanted`, but with the values of `running` for all settings that need a restart."""
    update: dict[str, object] = {}
    for name in Settings.model_fields:
        if name in BY_NAME or name in LIVE_SECTIONS or name in LIVE_FIELDS:
            continue
        update[name] = getattr(running, name)
    fleet = {name.removeprefix("fleet."): name for name in LIVE_FIELDS if name.startswith("fleet.")}
    update["fleet"] = running.fleet.model_copy(update={name: getattr(wanted.fleet, name) for name in fleet})
    return wanted.model_copy(update=update)


def _by_name(
    before: Mapping[str, BaseModel], after: Mapping[str, BaseModel]
) -> tuple[tuple[str, ...], tuple[str, ...], dict[str, tuple[Change, ...]]]:
    """Return the names that were added, those that were removed, and what differs of the others."""
    both = [name for name in after if name in before]
    changes = {name: tuple(_changes(before[name], after[name])) for name in both}
    return (
        tuple(name for name in after if name not in before),
        tuple(name for name in before if name not in after),
        {name: found for name, found in changes.items() if found},
    )


def _all_changes(before: Settings, after: Settings) -> Iterator[Change]:
    """Yield all differences outside of cameras and sinks."""
    from pydantic import BaseModel

    for name in Settings.model_fields:
        old, new = getattr(before, name), getattr(after, name)
        if name in BY_NAME or old == new:
            continue
        if isinstance(old, BaseModel) and isinstance(new, BaseModel):
            yield from _changes(old, new, f"{name}.")
        else:
            yield Change(name, old, new)


def _changes(before: BaseModel, after: BaseModel, prefix: str = "") -> Iterator[Change]:
    for name in type(after).model_fields:
        old, new = getattr(before, name), getattr(after, name)
        if old != new:
            yield Change(prefix + name, old, new)


def _is_live(name: str) -> bool:
    return name in LIVE_FIELDS or name.partition(".")[0] in LIVE_SECTIONS


def _of_section(section: str, changes: list[Change]) -> tuple[Change, ...]:
    return tuple(change for change in changes if change.field.startswith(f"{section}."))
