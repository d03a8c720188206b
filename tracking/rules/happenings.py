"""What is happening by one rule: which steps begin, belong together and end. Pure.

A happening has one id from its first event to its last one. It is made of the frame in which it began, so that it is
the same when the same frames are processed again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Set
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NamedTuple

from posebus.config.cameras.schedule import read_schedule
from posebus.config.rules.kinds import RuleSettings
from posebus.messages import FrameKey
from tracking.rules.base import Phase, Step

UNDATED_NS = 10 * 365 * 86_400 * 10**9
"""Times below this (1980) count from the start of a recording without a date, for which no schedule is meant."""
Key = tuple[int | None, str]
"""The track of a happening, and its key."""


@dataclass(frozen=True, slots=True)
class Open:
    """A happening that has not ended. `silent`: its start was no event, because of schedule or cool-down."""

    happening: str
    began_at_ns: int
    end_type: str | None
    silent: bool


class Orphan(NamedTuple):
    """A happening whose rule is gone, or has other settings now."""

    rule: str
    kind: str
    track_id: int | None
    key: str
    happening: str
    began_at_ns: int
    end_type: str


def orphans_of(rule: str, state: Mapping[str, Any]) -> list[Orphan]:
    """The happenings in the state of a rule that have to be ended. Raises KeyError, TypeError or ValueError."""
    return [
        Orphan(rule, str(state["kind"]), track_id, str(key), str(happening), int(began_at_ns), str(end_type))
        for track_id, key, happening, began_at_ns, end_type, silent in state["happenings"]["open"]
        if end_type is not None and not silent
    ]


class Happenings:
    """The open happenings of one rule."""

    def __init__(self, rule: str, settings: RuleSettings) -> None:
        self._rule = rule
        self._cooldown_ns = round(settings.cooldown_s * 1e9)
        self._schedule = None if settings.schedule is None else read_schedule(settings.schedule)
        self._open: dict[Key, Open] = {}
        self._began_at_ns: int | None = None

    def take(self, step: Step, frame: FrameKey) -> Open | None:
        """Note a step; returns the happening of its event, or None if it becomes no event."""
        key = (step.track_id, step.key)
        if step.phase in (Phase.START, Phase.ONCE):
            new = Open(self._new_id(step, frame), frame.captured_at_ns, step.end_type, not self._may_begin(frame))
            if not new.silent:
                self._began_at_ns = frame.captured_at_ns
            if step.phase is Phase.START:
                self._open[key] = new
        else:
            found = self._open.get(key)
            if found is None:
                return None
            new = found
            if step.phase is Phase.END:
                del self._open[key]
        return None if new.silent else new

    def keys_of(self, track_id: int) -> set[str]:
        """The keys of what is happening to a track."""
        return {key for one, key in self._open if one == track_id}

    def ended_with(
        self, track_ids: Iterable[int] | None, data: Mapping[str, Any], keys: Set[str] | None = None
    ) -> Iterator[Step]:
        """Yield the step that ends each happening of these tracks, with `data`.

        track_ids: None for all, those of the whole rule as well. keys: only these, None for all.
        """
        wanted = None if track_ids is None else frozenset(track_ids)
        for (track_id, key), one in list(self._open.items()):
            if (wanted is not None and track_id not in wanted) or (keys is not None and key not in keys):
                continue
            if one.end_type is None:
                del self._open[track_id, key]
            else:
                yield Step(one.end_type, Phase.END, track_id, key, data)

    def move(self, new_ids: Mapping[int, int], keys: Set[str] | None = None) -> None:
        """Move happenings to other tracks at once; `keys`: only these, None for all."""
        self._open = {
            (
                new_ids.get(track_id, track_id) if track_id is not None and (keys is None or key in keys) else track_id,
                key,
            ): one
            for (track_id, key), one in self._open.items()
        }

    def state_dict(self) -> dict[str, Any]:
        """The open happenings, as JSON values."""
        return {
            "open": [
                [track_id, key, one.happening, one.began_at_ns, one.end_type, one.silent]
                for (track_id, key), one in self._open.items()
            ],
            "began_at_ns": self._began_at_ns,
        }

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Restore `state_dict()`. Raises KeyError, TypeError or ValueError for an invalid state."""
        self._open = {
            (None if track_id is None else int(track_id), str(key)): Open(
                str(happening), int(began_at_ns), None if end_type is None else str(end_type), bool(silent)
            )
            for track_id, key, happening, began_at_ns, end_type, silent in state["open"]
        }
        self._began_at_ns = None if state["began_at_ns"] is None else int(state["began_at_ns"])

    def _new_id(self, step: Step, frame: FrameKey) -> str:
        parts = [frame.camera, self._rule, str(frame.epoch), str(frame.seq)]
        parts += [str(part) for part in (step.track_id, step.key) if part not in (None, "")]
        return "/".join(parts)

    def _may_begin(self, frame: FrameKey) -> bool:
        """Whether cool-down and schedule allow that something begins now."""
        now_ns, last_ns = frame.captured_at_ns, self._began_at_ns
        if last_ns is not None and 0 <= now_ns - last_ns < self._cooldown_ns:
            return False
        if self._schedule is None or now_ns < UNDATED_NS:
            return True
        return self._schedule.is_on(datetime.fromtimestamp(now_ns / 1e9, UTC))
