"""What is happening by one rule: which steps begin, belong together and end. Pure.

A happening has one id from its first event to its last one. It is made of the frame in which it began, so that it is
the same when the same frames are processed again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from posebus.config.cameras.schedule import read_schedule
from posebus.config.rules.kinds import RuleSettings
from posebus.messages import FrameKey
from tracking.rules.base import Phase, Step

Key = tuple[int | None, str]
"""The track of a happening, and its key."""


@dataclass(frozen=True, slots=True)
class Open:
    """A happening that has not ended. `silent`: its start was no event, because of schedule or cool-down."""

    happening: str
    began_at_ns: int
    end_type: str | None
    silent: bool


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

    def ended_with(self, track_ids: Iterable[int] | None, reason: str) -> Iterator[Step]:
        """Yield the step that ends each happening of these tracks; None: all, those of the whole rule as well."""
        wanted = None if track_ids is None else frozenset(track_ids)
        for (track_id, key), one in list(self._open.items()):
            if wanted is not None and track_id not in wanted:
                continue
            if one.end_type is None:
                del self._open[track_id, key]
            else:
                yield Step(one.end_type, Phase.END, track_id, key, {"reason": reason})

    def renamed(self, new_ids: Mapping[int, int]) -> list[Step]:
        """Move the happenings to corrected numbers.

        Returns the steps that end those of one person that were counted twice, under the number that is not used any
        more. They are taken back to that number until the steps are taken.
        """
        before, self._open = self._open, {}
        moved = []
        for (track_id, key), one in before.items():
            if track_id is None or track_id not in new_ids:
                self._open[track_id, key] = one
            else:
                moved.append((track_id, key, one))
        steps = []
        for track_id, key, one in moved:
            new_id = new_ids[track_id]
            if (new_id, key) not in self._open:
                self._open[new_id, key] = one
                continue
            self._open[track_id, key] = one
            if one.end_type is None:
                del self._open[track_id, key]
            else:
                data = {"reason": "renamed", "renamed_to": new_id}
                steps.append(Step(one.end_type, Phase.END, track_id, key, data))
        return steps

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
        if self._schedule is None:
            return True
        return self._schedule.is_on(datetime.fromtimestamp(now_ns / 1e9, UTC))
