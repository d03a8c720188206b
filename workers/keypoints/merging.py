"""What several looks at one person say, as one set of keypoints."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from posebus.arrays import Float32Array
from posebus.boxes import iou_matrix
from posebus.coco import COCO_MIRROR
from workers.detections import Detections

SAME_PERSON_IOU = 0.5
"""Somebody found in a crop is whom it was made for from this overlap on, as in PASCAL VOC. Others may be in it."""

MIRRORED = np.array(COCO_MIRROR, np.intp)
"""COCO's keypoints with left and right exchanged."""

LEAST_WEIGHT = 1e-6


@dataclass(frozen=True, slots=True)
class Look:
    """Keypoints (K, 3) of one person, seen with `scale` pixels of the network's input to one of the common frame."""

    keypoints_px: Float32Array
    scale: float


def the_person(found: Detections, box_xyxy_px: Float32Array) -> Float32Array | None:
    """The keypoints (K, 3) of whoever in `found` fills the box (4,) best; None where nobody does. Frames are equal."""
    if not len(found.scores):
        return None
    shared = iou_matrix(box_xyxy_px[None], found.boxes_xyxy_px)[0]
    best = int(shared.argmax())
    return found.keypoints_px[best] if shared[best] >= SAME_PERSON_IOU else None


def unmirrored(found: Detections, width_px: int) -> Detections:
    """What was found in the mirror image of a picture of this width, as if in the picture itself: COCO keypoints."""
    boxes = found.boxes_xyxy_px[:, [2, 1, 0, 3]]
    boxes[:, [0, 2]] = width_px - boxes[:, [0, 2]]
    keypoints = found.keypoints_px[:, MIRRORED]
    keypoints[..., 0] = width_px - keypoints[..., 0]
    return Detections(boxes, found.scores, keypoints)


def merge(looks: Sequence[Look]) -> Float32Array:
    """The keypoints (K, 3) of one person from several looks.

    A network errs by about as many pixels of its input whatever the scale, so that the variance of a place goes with
    1 / scale²; places are averaged with its inverse (the best weights for independent errors), times the confidence of
    each. Confidences are averaged with it alone. A single look comes back as it is.
    """
    if len(looks) == 1:
        return looks[0].keypoints_px
    points = np.stack([look.keypoints_px for look in looks]).astype(np.float64)
    precision = np.array([look.scale**2 for look in looks])[:, None]
    confidence = points[..., 2]
    weight = precision * np.maximum(confidence, LEAST_WEIGHT)
    places = (points[..., :2] * weight[..., None]).sum(axis=0) / weight.sum(axis=0)[:, None]
    blended = (confidence * precision).sum(axis=0) / precision.sum(axis=0)
    return np.concatenate((places, blended[:, None]), axis=-1).astype(np.float32)
