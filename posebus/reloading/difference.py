"""What differs between two settings, and what of it can change while a deployment runs. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from posebus.config.settings import Settings

if TYPE_CHECKING:
    from pydantic import BaseModel

LIVE_SECTIONS = frozenset({"worker", "tracker"})
"""Sections whose processes exchange what they run by these settings: see `workers.swapping` and `tracking.process`."""
LIVE_FIELDS = frozenset({"fleet.workers", "fleet.trackers", "log_level"})
"""Single fields that can change as well. All that is neither here, nor above, nor a camera needs a restart."""


@dataclass(frozen=True, slots=True)
class Change:
    """One value that differs. `field` is its dotted name from the root of the settings, or within a camera."""

    field: str
    before: object
    after: object


@dataclass(frozen=True, slots=True)
class Difference:
    """What has to be done to get from one Settings to another. All of it can change while the deployment runs.

    added, removed: names of cameras. changed: the fields that differ, by camera. worker, tracker, fleet, log: changes
    of those sections, and of how processes log.
    """

    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    changed: Mapping[str, tuple[Change, ...]] = field(default_factory=dict)
    worker: tuple[Change, ...] = ()
    tracker: tuple[Change, ...] = ()
    fleet: tuple[Change, ...] = ()
    log: tuple[Change, ...] = ()

    def __bool__(self) -> bool:
        return any((self.added, self.removed, self.changed, self.worker, self.tracker, self.fleet, self.log))


def difference(before: Settings, after: Settings) -> Difference:
    """Return what differs of the settings that can change while a deployment runs."""
    both = [name for name in after.cameras if name in before.cameras]
    changes = {name: tuple(_changes(before.cameras[name], after.cameras[name])) for name in both}
    live = [change for change in _all_changes(before, after) if _is_live(change.field)]
    return Difference(
        added=tuple(name for name in after.cameras if name not in before.cameras),
        removed=tuple(name for name in before.cameras if name not in after.cameras),
        changed={name: found for name, found in changes.items() if found},
        worker=_of_section("worker", live),
        tracker=_of_section("tracker", live),
        fleet=_of_section("fleet", live),
        log=tuple(change for change in live if "." not in change.field),
    )


def fixed_changes(before: Settings, after: Settings) -> tuple[Change, ...]:
    """Return what differs of the settings that need a restart."""
    return tuple(change for change in _all_changes(before, after) if not _is_live(change.field))


def with_fixed_of(running: Settings, wanted: Settings) -> Settings:
    """Return `wanted`, but with the values of `running` for all settings that need a restart."""
    update: dict[str, object] = {}
    for name in Settings.model_fields:
        if name == "cameras" or name in LIVE_SECTIONS or name in LIVE_FIELDS:
            continue
        update[name] = getattr(running, name)
    fleet = {name.removeprefix("fleet."): name for name in LIVE_FIELDS if name.startswith("fleet.")}
    update["fleet"] = running.fleet.model_copy(update={name: getattr(wanted.fleet, name) for name in fleet})
    return wanted.model_copy(update=update)


def _all_changes(before: Settings, after: Settings) -> Iterator[Change]:
    """Yield all differences outside of the cameras."""
    from pydantic import BaseModel

    for name in Settings.model_fields:
        old, new = getattr(before, name), getattr(after, name)
        if name == "cameras" or old == new:
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
