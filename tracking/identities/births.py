"""When and as what an identity begins."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from posebus.boxes import iou_matrix
from posebus.config.settings import TrackerSettings
from posebus.contract.appearance import SIZE as APPEARANCE_SIZE
from tracking import body_model as model
from tracking.boxes import body_size
from tracking.detections import Detections
from tracking.identities.track import CONFIRMED, TENTATIVE, Tracks
from tracking.motion import kalman
from tracking.motion.borders import is_sliver

Indices = npt.NDArray[np.intp]


def newcomers(taken: Indices, detections: Detections, settings: TrackerSettings) -> Indices:
    """Which detections (B,) are people nobody has seen yet: unclaimed, sure, and no double of a claimed one."""
    free = detections.scores >= settings.birth_score
    claimed = taken[taken >= 0]
    free[claimed] = False
    born = free.nonzero()[0]
    if not len(born) or not len(claimed):
        return born
    overlap = iou_matrix(detections.corners[born], detections.corners[claimed]).max(axis=1)
    return np.asarray(born[overlap < model.DOUBLE_IOU])


def begun(
    born: Indices,
    detections: Detections,
    size_px: tuple[int, int],
    first_id: int,
    now_ns: int,
    settings: TrackerSettings,
) -> Tracks:
    """New tracks (B,) of the detections `born`, numbered from `first_id`."""
    count = len(born)
    centred, scores = detections.centred[born], detections.scores[born]
    size = body_size(centred)
    believed = (scores >= settings.certain_score) | (settings.confirm_s == 0)
    believed &= ~np.array([is_sliver(box, size_px, model.BORDERS) for box in centred], np.bool_)
    joints = np.zeros((count, 0, 3))
    if detections.joints is not None:
        joints = detections.joints[born]
        joints[:, :, :2] -= centred[:, None, :2]
    colours = np.zeros((count, APPEARANCE_SIZE))
    if detections.appearance is not None:
        colours = detections.appearance[born]
    return Tracks(
        ids=np.arange(first_id, first_id + count, dtype=np.int64),
        state=np.where(believed, CONFIRMED, TENTATIVE),
        born_ns=np.full(count, now_ns, np.int64),
        seen_ns=np.full(count, now_ns, np.int64),
        score=scores,
        size_px=size,
        beliefs=kalman.begin(centred, size, model.MOTION),
        joints=joints,
        appearance=colours,
        unseen_from_ns=np.full(count, now_ns, np.int64),
        surprise=np.ones(count),
    )
