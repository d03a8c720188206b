"""Which unmatched detections start a new track, and how that track begins."""

from __future__ import annotations

import numpy as np

from posebus.arrays import IndexArray
from posebus.boxes import iou_matrix
from posebus.config.settings import TrackerSettings
from posebus.contract.appearance import SIZE as APPEARANCE_SIZE
from tracking import body_model as model
from tracking.body_model import body_sizes_px
from tracking.detections import UsableDetections
from tracking.motion import kalman
from tracking.motion.borders import is_sliver
from tracking.tracks import CONFIRMED, TENTATIVE, Tracks


def new_people(matches: IndexArray, detections: UsableDetections, settings: TrackerSettings) -> IndexArray:
    """Detections (B,) of new people: unmatched, of a high score, and no duplicate of a matched detection.

    `matches` (T,): the detection of each track, -1 for none.
    """
    free = detections.scores >= settings.birth_score
    matched = matches[matches >= 0]
    free[matched] = False
    unmatched = free.nonzero()[0]
    if not len(unmatched) or not len(matched):
        return unmatched
    overlap = iou_matrix(detections.corners[unmatched], detections.corners[matched]).max(axis=1)
    return np.asarray(unmatched[overlap < model.DOUBLE_IOU])


def initiate(
    rows: IndexArray,
    detections: UsableDetections,
    size_px: tuple[int, int],
    first_id: int,
    now_ns: int,
    settings: TrackerSettings,
) -> Tracks:
    """Begin one track per detection.

    Args:
        rows: (B,) the detections that start a track, as from `new_people`.
        detections: all of the frame.
        size_px: (width, height) of the picture.
        first_id: id of the first track; the others count on.
        now_ns: capture time of the frame.
        settings: those of the tracker.

    Returns:
        B tracks, confirmed where the score is high enough or confirmation takes no time, else tentative.
    """
    count = len(rows)
    centred, scores = detections.centred[rows], detections.scores[rows]
    body_px = body_sizes_px(centred)
    confirmed = (scores >= settings.certain_score) | (settings.confirm_s == 0)
    confirmed &= ~np.array([is_sliver(box, size_px, model.BORDERS) for box in centred], np.bool_)
    joints = np.zeros((count, 0, 3))
    if detections.joints is not None:
        joints = detections.joints[rows]
        joints[:, :, :2] -= centred[:, None, :2]
    colours = np.zeros((count, APPEARANCE_SIZE))
    if detections.appearance is not None:
        colours = detections.appearance[rows]
    return Tracks(
        ids=np.arange(first_id, first_id + count, dtype=np.int64),
        state=np.where(confirmed, CONFIRMED, TENTATIVE),
        born_ns=np.full(count, now_ns, np.int64),
        last_seen_ns=np.full(count, now_ns, np.int64),
        score=scores,
        body_px=body_px,
        filter_states=kalman.initiate(centred, body_px, model.MOTION),
        joints=joints,
        appearance=colours,
        unseen_since_ns=np.full(count, now_ns, np.int64),
        nis=np.ones(count),
    )
