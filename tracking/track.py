"""All live tracks of one camera as columns of one table, so that every step works on all of them at once."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import numpy as np
import numpy.typing as npt

from tracking.kalman import Beliefs

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

TENTATIVE, CONFIRMED, LOST, ENDED = 0, 1, 2, 3
"""Codes of `posebus.messages.TrackState`, in its order, in the column `state`."""


@dataclass(frozen=True, slots=True)
class Tracks:
    """T tracks, oldest first. A new table replaces the old one; the arrays of a table are never written to.

    ids, state, born_ns, seen_ns: (T,) int64; `seen_ns` is the capture time of the last detection. score: (T,) of
    that detection. size_px: (T,) size of the body then, which scales the motion model. position ... var_velocity:
    (T, 4) beliefs about box centre x, y, width, height in pixels. joints: (T, K, 3), the last skeleton: offsets from
    the box centre in parts of its width and height, and confidences; K is 0 as long as no keypoints were seen.
    """

    ids: Ints
    state: Ints
    born_ns: Ints
    seen_ns: Ints
    score: Floats
    size_px: Floats
    position: Floats
    velocity: Floats
    var_position: Floats
    covariance: Floats
    var_velocity: Floats
    joints: Floats

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def beliefs(self) -> Beliefs:
        """The filter's columns alone."""
        return Beliefs(self.position, self.velocity, self.var_position, self.covariance, self.var_velocity)

    def with_beliefs(self, beliefs: Beliefs) -> Tracks:
        """The same tracks, believed to be elsewhere."""
        return replace(self, **{name: getattr(beliefs, name) for name in BELIEF_COLUMNS})

    def select(self, rows: npt.NDArray[np.bool_] | npt.NDArray[np.intp]) -> Tracks:
        """Some of the tracks: those of a mask (T,), or those at the indices, repeated as often as they are named."""
        return Tracks(*(getattr(self, name)[rows] for name in COLUMNS))

    def joined(self, others: Tracks) -> Tracks:
        """These tracks and then `others`, which must have as many joints."""
        if not len(others):
            return self
        return Tracks(*(np.concatenate([getattr(self, name), getattr(others, name)]) for name in COLUMNS))

    def updated(self, rows: npt.NDArray[np.bool_], **columns: Floats | Ints | int) -> Tracks:
        """The same tracks with other values in the `rows` (T,) of the named columns."""
        if not rows.any():
            return self
        fresh = {}
        for name, values in columns.items():
            fresh[name] = getattr(self, name).copy()
            fresh[name][rows] = values
        return replace(self, **fresh)

    def with_joints(self, count: int) -> Tracks:
        """The same tracks with `count` joints each; skeletons of another count are forgotten."""
        if self.joints.shape[1] == count:
            return self
        return replace(self, joints=np.zeros((len(self), count, 3)))

    def placed_joints(self) -> Floats:
        """(T, K, 3): the last skeletons carried along with the predicted boxes, pixels."""
        placed = self.joints.copy()
        placed[:, :, :2] = self.joints[:, :, :2] * self.position[:, None, 2:] + self.position[:, None, :2]
        return placed


COLUMNS = tuple(field.name for field in fields(Tracks))
BELIEF_COLUMNS = tuple(field.name for field in fields(Beliefs))
INTEGER_COLUMNS = ("ids", "state", "born_ns", "seen_ns")


def joint_offsets(joints_px: Floats, centred: Floats) -> Floats:
    """(N, K, 3): skeletons relative to their boxes (N, 4 centred), the inverse of `Tracks.placed_joints`."""
    offsets = joints_px.copy()
    offsets[:, :, :2] = (joints_px[:, :, :2] - centred[:, None, :2]) / centred[:, None, 2:]
    return offsets


def no_tracks(joints: int = 0) -> Tracks:
    """An empty table for skeletons of that many joints."""
    ints, floats, columns = np.zeros(0, np.int64), np.zeros(0), np.zeros((0, 4))
    return Tracks(
        ids=ints,
        state=ints,
        born_ns=ints,
        seen_ns=ints,
        score=floats,
        size_px=floats,
        position=columns,
        velocity=columns,
        var_position=columns,
        covariance=columns,
        var_velocity=columns,
        joints=np.zeros((0, joints, 3)),
    )
