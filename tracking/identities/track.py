"""All live tracks of one camera as columns of one table, so that every step works on all of them at once."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt

from posebus.arrays import Float64Array, Int64Array
from posebus.contract.appearance import SIZE as APPEARANCE_SIZE
from tracking.motion.kalman import PLANES

TENTATIVE, CONFIRMED, LOST, ENDED = 0, 1, 2, 3
"""Codes of `posebus.messages.TrackState`, in its order, in the column `state`."""


@dataclass(slots=True)
class Tracks:
    """T tracks, oldest first. A step works on its own copy of the table and may write to it.

    ids, state, born_ns, seen_ns: (T,) int64; `seen_ns` is the capture time of the last detection. score: (T,) of
    that detection. unseen_from_ns: (T,) int64, from when on it counts as unseen: `seen_ns`, or the last frame before
    one that missed it, where frames between were not inferred. surprise: (T,) how far detections lie from where it was
    expected, as a mean square in expected standard deviations: 1 where it moves as assumed. size_px: (T,) size of the
    body then, which scales the motion model. beliefs: (5, T, 4) about box centre x, y, width, height in pixels, planes
    as in `tracking.motion.kalman`. joints: (T, K, 3), the smoothed skeleton: offsets from the box centre in pixels, and
    confidences; K is 0 as long as no keypoints were seen. appearance: (T, 64) remembered colours as in
    `posebus.contract.appearance`, all 0 where none were seen.
    """

    ids: Int64Array
    state: Int64Array
    born_ns: Int64Array
    seen_ns: Int64Array
    score: Float64Array
    size_px: Float64Array
    beliefs: Float64Array
    joints: Float64Array
    appearance: Float64Array
    unseen_from_ns: Int64Array
    surprise: Float64Array

    def __len__(self) -> int:
        return len(self.ids)

    def copy(self) -> Tracks:
        """The same tracks, with arrays of their own in the columns that a step may write to."""
        return Tracks(
            *(self.ids, self.state.copy(), self.born_ns, self.seen_ns.copy(), self.score.copy(), self.size_px.copy()),
            *(
                self.beliefs,
                self.joints.copy(),
                self.appearance.copy(),
                self.unseen_from_ns.copy(),
                self.surprise.copy(),
            ),
        )

    def select(self, rows: npt.NDArray[np.bool_] | npt.NDArray[np.intp]) -> Tracks:
        """Some of the tracks, in arrays of their own: those of a mask (T,), or those at the indices."""
        # C-contiguous whatever is selected: kernels are compiled for that layout.
        beliefs = np.ascontiguousarray(self.beliefs[:, rows])
        return Tracks(
            *(self.ids[rows], self.state[rows], self.born_ns[rows], self.seen_ns[rows]),
            *(self.score[rows], self.size_px[rows], beliefs, self.joints[rows], self.appearance[rows]),
            *(self.unseen_from_ns[rows], self.surprise[rows]),
        )

    def joined(self, others: Tracks) -> Tracks:
        """These tracks and then `others`, which must have as many joints."""
        if not len(others):
            return self
        return Tracks(
            *(
                np.concatenate((getattr(self, name), getattr(others, name)), axis=1 if name == "beliefs" else 0)
                for name in COLUMNS
            )
        )

    def expect_joints(self, count: int) -> None:
        """Make room for `count` joints each; skeletons of another count are forgotten."""
        if self.joints.shape[1] != count:
            self.joints = np.zeros((len(self), count, 3))


COLUMNS = tuple(field.name for field in fields(Tracks))
INTEGER_COLUMNS = ("ids", "state", "born_ns", "seen_ns", "unseen_from_ns")


def no_tracks(joints: int = 0) -> Tracks:
    """An empty table for skeletons of that many joints."""
    return Tracks(
        ids=np.zeros(0, np.int64),
        state=np.zeros(0, np.int64),
        born_ns=np.zeros(0, np.int64),
        seen_ns=np.zeros(0, np.int64),
        score=np.zeros(0),
        size_px=np.zeros(0),
        beliefs=np.zeros((PLANES, 0, 4)),
        joints=np.zeros((0, joints, 3)),
        appearance=np.zeros((0, APPEARANCE_SIZE)),
        unseen_from_ns=np.zeros(0, np.int64),
        surprise=np.zeros(0),
    )
