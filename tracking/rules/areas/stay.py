"""The stay of a person in an area: begins and ends only after the person was seen there for a moment. Pure.

Two frames at least are needed for either, however far apart they are: one frame of flicker is no stay, and does not
end one. Frames in which the person is only predicted decide nothing.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from tracking.rules.areas.area import is_inside
from tracking.rules.base import Phase
from tracking.rules.clock import NS_PER_S, nanoseconds
from tracking.rules.scene import Scene

SETTLE_NS = nanoseconds(0.3)
"""How long a person has to be seen on the other side of the border of a zone."""
UNSEEN_NS = NS_PER_S
"""A person who was not seen for longer has to be seen anew for SETTLE_NS, unless frames are as rare."""


class StayChange(NamedTuple):
    """A stay that began, went on or ended in a frame: the row of the person, and what is remembered of the stay."""

    row: int
    track_id: int
    phase: Phase
    stay: dict[str, Any]


class Stays:
    """Follows the stays of the people in one area.

    All it knows beside the memory is a shortcut, derived from it and no part of it: who is where they were. It holds
    for one set of people and one table of tracks, which is another one after corrections and restarts.
    """

    def __init__(self) -> None:
        self._tracks: Mapping[int, Any] = {}
        self._count = 0
        self._ids: list[int] = []
        self._codes: Sequence[int] = ()
        self._restless: set[int] = set()
        """Rows of people who are to be looked at in the next frame."""
        self._due_ns: dict[int, int] = {}
        self._next_due_ns: float = math.inf
        self._inside: int | None = None

    def follow(self, tracks: dict[int, dict[str, Any]], scene: Scene, codes: Sequence[int]) -> Sequence[StayChange]:
        """Return the stays that begin (START) or end (END) with a frame, and those of due people (UPDATE).

        Args:
            tracks: what the rule remembers, by track id; `since_ns` of a stay is when it began; once `due_ns` is set in
                it, it is returned in each frame after this time in which the person is seen inside.
            scene: the frame.
            codes: (N,) where the people are, see `Area.codes`.
        """
        now_ns, rows = scene.clock.now_ns, self._restless
        if tracks is not self._tracks or len(tracks) != self._count or scene.ids is not self._ids:
            rows = set(range(len(codes)))
            self._tracks, self._ids, self._inside = tracks, scene.ids, None
            self._due_ns, self._next_due_ns, self._restless, self._count = {}, math.inf, set(), len(tracks)
        else:
            if codes is not self._codes and codes != self._codes:
                before = self._codes
                rows.update([row for row, code in enumerate(codes) if code != before[row]])
            if now_ns >= self._next_due_ns:
                due = [row for row, due_ns in self._due_ns.items() if now_ns >= due_ns]
                self._next_due_ns = min([one for one in self._due_ns.values() if one > now_ns], default=math.inf)
                if not rows:
                    self._codes = codes
                    return self._stayed(due, scene)
                rows.update(due)
        self._codes = codes
        if not rows:
            return ()
        self._restless = set()
        changes = []
        for row in sorted(rows):
            change = _look(tracks, row, scene, codes[row])
            if change is None:
                self._note(row)
            else:
                changes.append(change)
        self._count = len(tracks)
        if changes:
            self._inside = None
        return changes

    def changed(self, changes: Iterable[StayChange]) -> None:
        """Take up what the rule did with the stays that `follow` returned. It has to be called after each `follow`."""
        for change in changes:
            self._note(change.row)

    def inside(self) -> int:
        """How many of the people of the last frame stay in the area."""
        if self._inside is None:
            entries = [self._tracks.get(track_id) for track_id in self._ids]
            self._inside = sum(1 for entry in entries if entry is not None and entry["in"])
        return self._inside

    def _stayed(self, due: list[int], scene: Scene) -> list[StayChange]:
        """The stays of people who are due and without any other change."""
        tracks, ids, people, changes = self._tracks, self._ids, scene.people, []
        due.sort()
        for row in due:
            if people[row].coasted:
                self._next_due_ns = min(self._next_due_ns, self._due_ns[row])
            else:
                track_id = ids[row]
                changes.append(StayChange(row, track_id, Phase.UPDATE, tracks[track_id]))
        return changes

    def _note(self, row: int) -> None:
        """Note whether a person has to be looked at in the next frame, or when."""
        entry, code = self._tracks.get(self._ids[row]), self._codes[row]
        due_ns = None
        if entry is None:
            if code == 1:
                self._restless.add(row)
        elif not entry["in"] or "turn_ns" in entry or not is_inside(code, True):
            self._restless.add(row)
        else:
            due_ns = entry.get("due_ns")
        if due_ns is not None:
            self._due_ns[row] = due_ns
            self._next_due_ns = min(self._next_due_ns, due_ns)
        elif row in self._due_ns:
            del self._due_ns[row]


def _look(tracks: dict[int, dict[str, Any]], row: int, scene: Scene, code: int) -> StayChange | None:
    """Follow the stay of one person; returns the change, if it is one."""
    track_id, coasted, now_ns = scene.ids[row], scene.people[row].coasted, scene.clock.now_ns
    entry = tracks.get(track_id)
    if entry is None:
        if code == 1 and not coasted:
            tracks[track_id] = {"in": False, "turn_ns": now_ns, "seen_ns": now_ns}
        return None
    was_inside = entry["in"]
    if coasted:
        return None
    if is_inside(code, was_inside) is was_inside:
        if not was_inside:
            del tracks[track_id]
            return None
        entry.pop("turn_ns", None)
        if "due_ns" in entry and now_ns >= entry["due_ns"]:
            return StayChange(row, track_id, Phase.UPDATE, entry)
    elif _has_turned(entry, now_ns, scene.clock.before_ns):
        if was_inside:
            del tracks[track_id]
            return StayChange(row, track_id, Phase.END, entry)
        entry["in"], entry["since_ns"] = True, entry.pop("turn_ns")
        return StayChange(row, track_id, Phase.START, entry)
    return None


def _has_turned(entry: dict[str, Any], now_ns: int, before_ns: int) -> bool:
    """Note that a person was seen on the other side of the border; returns whether that is so for long enough."""
    seen_ns = entry.get("seen_ns", now_ns)
    entry["seen_ns"] = now_ns
    if "turn_ns" not in entry or (now_ns - seen_ns > UNSEEN_NS and seen_ns < before_ns):
        entry["turn_ns"] = now_ns
    return bool(now_ns - entry["turn_ns"] >= SETTLE_NS and now_ns > entry["turn_ns"])
