"""All live tracks of one camera as columns of one table, so that every step computes all of them at once."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import NamedTuple

import numpy as np

from posebus.arrays import BoolArray, Float64Array, IndexArray, Int64Array
from posebus.contract.appearance import SIZE as APPEARANCE_SIZE
from tracking.motion.kalman import PLANES
from tracking.motion.picture_map import PictureMap, carried_bodies

TENTATIVE, CONFIRMED, LOST, ENDED = 0, 1, 2, 3
"""Codes of `posebus.messages.TrackState`, in its order, in the column `state`."""


class TrackColumns(NamedTuple):
    """The columns of `Tracks` that kernels update in place; the arrays are shared with the table."""

    state: Int64Array
    born_ns: Int64Array
    last_seen_ns: Int64Array
    score: Float64Array
    body_px: Float64Array
    filter_states: Float64Array
    joints: Float64Array
    unseen_since_ns: Int64Array
    nis: Float64Array


@dataclass(slots=True)
class Tracks:
    """T tracks, oldest first. A step works on its own copy of the table and may write to it.

    ids: (T,) int64.
    state: (T,) int64, TENTATIVE to ENDED.
    born_ns: (T,) int64, capture time of the first detection.
    last_seen_ns: (T,) int64, capture time of the last detection.
    score: (T,) score of the last detection.
    body_px: (T,) size of the body at the last detection, which scales the motion model.
    filter_states: (5, T, 4) Kalman states of box centre x, y, width, height in pixels, planes as in
        `tracking.motion.kalman`.
    joints: (T, K, 3) smoothed skeletons: offsets from the box centre in pixels, and confidences; K is 0 as long as no
        keypoints came.
    appearance: (T, 64) remembered colours as in `posebus.contract.appearance`, all 0 where there were none.
    unseen_since_ns: (T,) int64, from when on the track counts as unseen: `last_seen_ns`, or the last frame before one
        that missed it if the frames between were not inferred.
    nis: (T,) running mean of the normalised innovation squared; 1 for a body that moves as the model assumes.
    """

    ids: Int64Array
    state: Int64Array
    born_ns: Int64Array
    last_seen_ns: Int64Array
    score: Float64Array
    body_px: Float64Array
    filter_states: Float64Array
    joints: Float64Array
    appearance: Float64Array
    unseen_since_ns: Int64Array
    nis: Float64Array

    def __len__(self) -> int:
        return len(self.ids)

    def columns(self) -> TrackColumns:
        """The columns as kernels take them."""
        # Positional, in the order of the fields: keywords take twice as long, and this runs several times a frame.
        return TrackColumns(
            self.state,
            self.born_ns,
            self.last_seen_ns,
            self.score,
            self.body_px,
            self.filter_states,
            self.joints,
            self.unseen_since_ns,
            self.nis,
        )

    def copy(self) -> Tracks:
        """The same tracks, with arrays of their own in the columns that a step may write to.

        `filter_states` is shared: predicting replaces it.
        """
        return Tracks(
            ids=self.ids,
            state=self.state.copy(),
            born_ns=self.born_ns,
            last_seen_ns=self.last_seen_ns.copy(),
            score=self.score.copy(),
            body_px=self.body_px.copy(),
            filter_states=self.filter_states,
            joints=self.joints.copy(),
            appearance=self.appearance.copy(),
            unseen_since_ns=self.unseen_since_ns.copy(),
            nis=self.nis.copy(),
        )

    def select(self, rows: BoolArray | IndexArray) -> Tracks:
        """The tracks of a mask (T,), or those at the indices, in arrays of their own."""
        return Tracks(
            ids=self.ids[rows],
            state=self.state[rows],
            born_ns=self.born_ns[rows],
            last_seen_ns=self.last_seen_ns[rows],
            score=self.score[rows],
            body_px=self.body_px[rows],
            # C-contiguous for any selection: kernels are compiled for that layout.
            filter_states=np.ascontiguousarray(self.filter_states[:, rows]),
            joints=self.joints[rows],
            appearance=self.appearance[rows],
            unseen_since_ns=self.unseen_since_ns[rows],
            nis=self.nis[rows],
        )

    def with_bodies(self, identities: IndexArray, bodies: IndexArray) -> Tracks:
        """Rows with `ids` and `born_ns` from `identities`, and all other columns from `bodies`.

        identities, bodies: (N,) rows of this table.
        """
        moved = self.select(bodies)
        moved.ids, moved.born_ns = self.ids[identities], self.born_ns[identities]
        return moved

    def joined(self, others: Tracks) -> Tracks:
        """These tracks, then `others`, which must have the same number of joints."""
        if not len(others):
            return self
        columns = {
            name: np.concatenate((getattr(self, name), getattr(others, name)), axis=1 if name == "filter_states" else 0)
            for name in COLUMNS
        }
        return Tracks(**columns)

    def follow_picture(self, picture: PictureMap, size_px: tuple[int, int]) -> None:
        """Carry the bodies over, in place, into the pixels of another frame; the columns must be the table's own."""
        self.filter_states = carried_bodies(self.filter_states, self.body_px, self.joints, picture, size_px)

    def expect_joints(self, count: int) -> None:
        """Make room for `count` joints per track; skeletons with another number of joints are dropped."""
        if self.joints.shape[1] != count:
            self.joints = np.zeros((len(self), count, 3))


COLUMNS = tuple(field.name for field in fields(Tracks))
INTEGER_COLUMNS = ("ids", "state", "born_ns", "last_seen_ns", "unseen_since_ns")


def no_tracks(joints: int = 0) -> Tracks:
    """An empty table for skeletons of `joints` joints."""
    return Tracks(
        ids=np.zeros(0, np.int64),
        state=np.zeros(0, np.int64),
        born_ns=np.zeros(0, np.int64),
        last_seen_ns=np.zeros(0, np.int64),
        score=np.zeros(0),
        body_px=np.zeros(0),
        filter_states=np.zeros((PLANES, 0, 4)),
        joints=np.zeros((0, joints, 3)),
        appearance=np.zeros((0, APPEARANCE_SIZE)),
        unseen_since_ns=np.zeros(0, np.int64),
        nis=np.zeros(0),
    )
