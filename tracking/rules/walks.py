"""Where each person was last seen and how fast each walks, in the picture: once a frame for all rules. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, TypeVar

import numpy as np

from posebus.arrays import BoolArray, Float64Array, Int64Array
from tracking.compiled import compiled
from tracking.rules.clock import NS_PER_S, Clock

JUMP_NS = NS_PER_S
JUMP = 1.0
"""A person who was not seen for longer than JUMP_NS and moved by more than this, in body heights, took a path that is
not known."""
SPEED_TIME_S = 0.3
"""Time over which velocities are averaged."""


Value = TypeVar("Value")


class Walk(NamedTuple):
    """Where a person was last seen, in pixels, how fast it went then, in pixels a second, and when that was."""

    x: float
    y: float
    velocity_x: float
    velocity_y: float
    seen_ns: int


UNKNOWN = Walk(0.0, 0.0, 0.0, 0.0, -1)


class Walked(NamedTuple):
    """How N people came to where they are in a frame.

    places_px: (N, 2) where each was last seen before this frame; velocities_px_s: (N, 2) until then. jumped: the rows
    of people who took a path that is not known.
    """

    places_px: Float64Array
    velocities_px_s: Float64Array
    jumped: Sequence[int]


class Walks:
    """What is remembered of the way of each person. People who are only predicted in a frame stay where they were."""

    def __init__(self) -> None:
        self._ids: list[int] = []
        self._places_px, self._velocities_px_s = np.zeros((0, 2)), np.zeros((0, 2))
        self._seen_ns = np.zeros(0, np.int64)
        self._others: dict[int, Walk] = {}
        """Those who were not in the last frame."""

    def update(
        self, ids: list[int], predicted: Sequence[int], feet_px: Float64Array, heights_px: Float64Array, clock: Clock
    ) -> Walked:
        """Note the people of a frame.

        Args:
            ids: (N,) their numbers.
            predicted: rows of those who were not detected.
            feet_px: (N, 2) where they stand.
            heights_px: (N,) heights of their bodies.
            clock: with the time of the frame.
        """
        if ids != self._ids:
            self._take(ids)
        places_px, velocities_px_s, seen_ns = self._places_px, self._velocities_px_s, self._seen_ns
        self._places_px = feet_px.copy()
        self._velocities_px_s, self._seen_ns = np.empty_like(velocities_px_s), np.empty_like(seen_ns)
        jumped = np.zeros(len(ids), np.bool_)
        jumps = _walk(
            places_px,
            velocities_px_s,
            seen_ns,
            feet_px,
            heights_px,
            (clock.now_ns, clock.before_ns),
            (self._velocities_px_s, self._seen_ns, jumped),
        )
        for row in predicted:
            self._places_px[row], self._seen_ns[row] = places_px[row], seen_ns[row]
            self._velocities_px_s[row] = velocities_px_s[row]
        rows = [row for row in np.flatnonzero(jumped).tolist() if row not in predicted] if jumps else ()
        return Walked(places_px, velocities_px_s, rows)

    def last(self, track_id: int) -> Walk | None:
        """Where a person was last seen; None if that is not known."""
        if track_id not in self._ids:
            return self._others.get(track_id)
        row = self._ids.index(track_id)
        (x, y), (vx, vy) = self._places_px[row].tolist(), self._velocities_px_s[row].tolist()
        seen_ns = int(self._seen_ns[row])
        return Walk(x, y, vx, vy, seen_ns) if seen_ns >= 0 else None

    def rename(self, new_ids: Mapping[int, int]) -> None:
        """Move what is remembered to corrected numbers."""
        self._put_aside()
        self._others = moved(self._others, new_ids)

    def forget(self, track_ids: Iterable[int]) -> None:
        """Delete what is remembered of these people."""
        self._put_aside()
        for track_id in track_ids:
            self._others.pop(track_id, None)

    def state_dict(self) -> dict[str, Any]:
        """What is remembered, as JSON values."""
        return {str(track_id): list(walk) for track_id, walk in (*self._others.items(), *self._newest())}

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Restore `state_dict()`. Raises TypeError or ValueError for an invalid state."""
        self._take([])
        self._others = {int(track_id): _walk_of(*walk) for track_id, walk in dict(state).items()}

    def _take(self, ids: Sequence[int]) -> None:
        """Make arrays of what is remembered of these people."""
        self._put_aside()
        known = [self._others.pop(track_id, UNKNOWN) for track_id in ids]
        self._ids = list(ids)
        self._places_px = np.array([one[:2] for one in known], np.float64).reshape(-1, 2)
        self._velocities_px_s = np.array([one[2:4] for one in known], np.float64).reshape(-1, 2)
        self._seen_ns = np.array([one.seen_ns for one in known], np.int64)

    def _put_aside(self) -> None:
        """Take the people out of the arrays."""
        self._others.update(self._newest())
        self._ids = []
        self._places_px = self._velocities_px_s = np.zeros((0, 2))
        self._seen_ns = np.zeros(0, np.int64)

    def _newest(self) -> Iterator[tuple[int, Walk]]:
        """Yield the people in the arrays who were seen at all, by number."""
        places, velocities, seen = self._places_px.tolist(), self._velocities_px_s.tolist(), self._seen_ns.tolist()
        for track_id, (x, y), (vx, vy), seen_ns in zip(self._ids, places, velocities, seen, strict=True):
            if seen_ns >= 0:
                yield track_id, Walk(x, y, vx, vy, seen_ns)


def _walk_of(x: Any, y: Any, velocity_x: Any, velocity_y: Any, seen_ns: Any) -> Walk:
    walk = Walk(float(x), float(y), float(velocity_x), float(velocity_y), int(seen_ns))
    if not all(map(math.isfinite, walk)) or not 0 <= walk.seen_ns < 2**62:
        raise ValueError(f"what is remembered of the way of a person has a wrong number: {walk}")
    return walk


def moved(by_id: Mapping[int, Value], new_ids: Mapping[int, int]) -> dict[int, Value]:
    """Return `by_id` under corrected numbers; what is newer, under the wrong number, replaces the other."""
    found = {track_id: one for track_id, one in by_id.items() if track_id not in new_ids}
    found.update({new_ids[track_id]: one for track_id, one in by_id.items() if track_id in new_ids})
    return found


@compiled
def _walk(
    places_px: Float64Array,
    velocities_px_s: Float64Array,
    seen_ns: Int64Array,
    feet_px: Float64Array,
    heights_px: Float64Array,
    times_ns: tuple[int, int],
    out: tuple[Float64Array, Int64Array, BoolArray],
) -> int:
    """Write velocities, times and who jumped after a frame into `out`; returns how many did."""
    now_ns, before_ns = times_ns
    new_velocities_px_s, new_seen_ns, jumped = out
    jumps = 0
    for row in range(len(feet_px)):
        new_seen_ns[row] = now_ns
        new_velocities_px_s[row, 0], new_velocities_px_s[row, 1] = velocities_px_s[row, 0], velocities_px_s[row, 1]
        unseen_ns = now_ns - seen_ns[row]
        if seen_ns[row] < 0 or unseen_ns <= 0:
            continue
        x, y = feet_px[row, 0] - places_px[row, 0], feet_px[row, 1] - places_px[row, 1]
        if unseen_ns > JUMP_NS and seen_ns[row] < before_ns and not math.hypot(x, y) <= JUMP * heights_px[row]:
            jumped[row] = True
            jumps += 1
            new_velocities_px_s[row, 0] = new_velocities_px_s[row, 1] = 0.0
            continue
        elapsed_s = unseen_ns / NS_PER_S
        share = -math.expm1(-elapsed_s / SPEED_TIME_S)
        new_velocities_px_s[row, 0] += share * (x / elapsed_s - velocities_px_s[row, 0])
        new_velocities_px_s[row, 1] += share * (y / elapsed_s - velocities_px_s[row, 1])
    return jumps
