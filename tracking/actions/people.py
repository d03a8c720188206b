"""The last seconds of the people of one camera, kept between frames and in the tracker's snapshot.

All people are in the same arrays, one row each, so that a frame costs a few calls and not a few for each person.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np

from posebus.arrays import Float32Array, Float64Array, Int64Array
from posebus.coco import HIDDEN, VISIBLE
from posebus.messages import Renaming, Track
from tracking.actions.base import Windows
from tracking.body_model.skeleton import JOINTS, SEEN_CONFIDENCE
from tracking.compiled import compiled

FEWEST_ROWS = 16

ALL_VISIBLE = np.full(JOINTS, VISIBLE, np.uint8)


class Remembered(NamedTuple):
    """What is remembered of P people, one row each.

    at_s: (P, S) capture times, the newest last. poses_px: (P, S, 17, 3) x, y, confidence, 0 for joints that were not
    seen. filled: (P,) how many moments, the last ones, are filled. classified_s: (P,) when, -inf before the first time.
    stature_px, descent: (P,) as in `Windows`. probabilities: (P, L) smoothed, NaN before the first classification.
    """

    at_s: Float64Array
    poses_px: Float32Array
    filled: Int64Array
    classified_s: Float64Array
    stature_px: Float64Array
    descent: Float64Array
    probabilities: Float64Array


def nobody(people: int, samples: int, labels: int) -> Remembered:
    """Rows for so many people, in which nothing is known yet."""
    return Remembered(
        at_s=np.full((people, samples), -np.inf),
        poses_px=np.zeros((people, samples, JOINTS, 3), np.float32),
        filled=np.zeros(people, np.int64),
        classified_s=np.full(people, -np.inf),
        stature_px=np.zeros(people),
        descent=np.full(people, np.nan),
        probabilities=np.full((people, labels), np.nan),
    )


def _arrays(known: Remembered) -> dict[str, np.ndarray[Any, Any]]:
    return known._asdict()


class People:
    """The people of a camera by the numbers of their tracks."""

    def __init__(self, samples: int, labels: int) -> None:
        """samples: moments that are remembered at most; labels: of the classifier."""
        self.known = nobody(FEWEST_ROWS, samples, labels)
        self.row_of: dict[int, int] = {}
        """The row in `known` of each track."""
        self._free = list(range(FEWEST_ROWS))

    def add(self, numbers: Sequence[int], at_s: float, poses_px: Float32Array, anew_before_s: float) -> Int64Array:
        """Remember poses (N, 17, 3) of these tracks at a time, and return their rows (N,).

        A person whose last moment is before `anew_before_s` begins anew.
        """
        rows = np.array([self._row(number) for number in numbers], np.int64)
        for row in rows[self.known.at_s[rows, -1] < anew_before_s]:
            self._clear(int(row))
        _add(self.known.at_s, self.known.poses_px, self.known.filled, rows, at_s, poses_px)
        return rows

    def forget(self, numbers: Iterable[int]) -> None:
        """Forget these tracks, as far as they are known."""
        for number in numbers:
            row = self.row_of.pop(number, None)
            if row is not None:
                self._free.append(row)

    def rename(self, renamed: Sequence[Renaming]) -> None:
        """Give what is remembered of a track to another one, of which it takes the place."""
        moved = {one.to_id: self.row_of.pop(one.from_id) for one in renamed if one.from_id in self.row_of}
        self.forget(moved)
        self.row_of |= moved

    def last_s(self) -> dict[int, float]:
        """The time of the last moment of each track."""
        at_s = self.known.at_s[list(self.row_of.values()), -1] if self.row_of else np.zeros(0)
        return dict(zip(self.row_of, at_s.tolist(), strict=True))

    def state(self) -> dict[str, Any]:
        """Everything remembered, for a snapshot."""
        rows = np.array(list(self.row_of.values()), np.int64)
        known = {name: values[rows] for name, values in _arrays(self.known).items()}
        return {"numbers": list(self.row_of), **known}

    def load(self, state: dict[str, Any]) -> None:
        """Restore `state`. Raises KeyError, TypeError or ValueError for anything else."""
        numbers = [int(number) for number in state["numbers"]]
        people, (samples, labels) = len(numbers), self._shape()
        known = nobody(max(people, FEWEST_ROWS), samples, labels)
        for name, values in _arrays(known).items():
            given = np.array(state[name], values.dtype)
            if given.shape != (people, *values.shape[1:]):
                raise ValueError(f"{name} of the people who act have a wrong shape")
            values[:people] = given
        filled = known.filled[:people]
        if len(set(numbers)) != people or not ((filled >= 1) & (filled <= samples)).all():
            raise ValueError("the people who act have wrong numbers")
        self.known, self.row_of = known, {number: row for row, number in enumerate(numbers)}
        self._free = list(range(people, len(known.filled)))

    def _shape(self) -> tuple[int, int]:
        return self.known.at_s.shape[1], self.known.probabilities.shape[1]

    def _row(self, number: int) -> int:
        row = self.row_of.get(number)
        if row is None:
            if not self._free:
                rows = len(self.known.filled)
                self._free = list(range(rows, 2 * rows))
                more = nobody(rows, *self._shape())
                rows_of = _arrays(more)
                self.known = Remembered(
                    **{name: np.concatenate([values, rows_of[name]]) for name, values in _arrays(self.known).items()}
                )
            row = self.row_of[number] = self._free.pop()
            self.known.at_s[row, -1] = -np.inf  # so that `add` clears what another track has left
        return row

    def _clear(self, row: int) -> None:
        blank = _arrays(nobody(1, *self._shape()))
        for name, values in _arrays(self.known).items():
            values[row] = blank[name][0]


def seen_poses(tracks: Iterable[Track]) -> tuple[list[int], Float32Array]:
    """The numbers of the tracks whose joints were seen in this frame, and their keypoints (N, 17, 3), confidence 0 for
    joints that were not seen."""
    present = [
        track
        for track in tracks
        if not track.coasted and track.keypoints_px is not None and len(track.keypoints_px) == JOINTS
    ]
    if not present:
        return [], np.zeros((0, JOINTS, 3), np.float32)
    poses_px = np.array([track.keypoints_px for track in present], np.float32)
    flags = [track.keypoint_visibility for track in present]
    visible = np.array([ALL_VISIBLE if one is None else one for one in flags]) != HIDDEN
    poses_px *= ((poses_px[..., 2] >= SEEN_CONFIDENCE) & visible)[..., None]
    seen = np.any(poses_px[..., 2] > 0.0, axis=1)
    return [track.id for track, one in zip(present, seen, strict=True) if one], poses_px[seen]


def windows_of(known: Remembered, rows: Int64Array, at_s: float, size_px: tuple[int, int]) -> Windows:
    """The windows at a time of the people in these rows; each has at least one moment."""
    count = known.filled[rows]
    samples = int(count.max())
    return Windows(
        ages_s=np.where(np.arange(samples) >= samples - count[:, None], at_s - known.at_s[rows, -samples:], 0.0),
        poses_px=known.poses_px[rows, -samples:].astype(np.float64),
        count=count,
        dt_s=np.minimum(at_s - known.classified_s[rows], 1e3),
        stature_px=known.stature_px[rows],
        descent=known.descent[rows],
        size_px=size_px,
    )


@compiled
def _add(
    at_s: Float64Array,
    poses_px: Float32Array,
    count: Int64Array,
    rows: Int64Array,
    now_s: float,
    new_px: Float32Array,
) -> None:
    """Move the moments of these rows one place forward, and write the new ones behind them."""
    samples = at_s.shape[1]
    for place in range(len(rows)):
        row = rows[place]
        for moment in range(max(samples - 1 - count[row], 0), samples - 1):
            at_s[row, moment] = at_s[row, moment + 1]
            poses_px[row, moment] = poses_px[row, moment + 1]
        at_s[row, samples - 1] = now_s
        poses_px[row, samples - 1] = new_px[place]
        count[row] = min(count[row] + 1, samples)
