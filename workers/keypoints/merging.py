"""Merge several keypoint estimates of one person into one set of keypoints."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from posebus.arrays import Float32Array
from posebus.boxes import iou_matrix
from posebus.coco import COCO_MIRROR
from workers.detections import Detections

SAME_PERSON_IOU = 0.5
"""A detection in a crop is the person that the crop was made for from this IoU on, as in PASCAL VOC. Other people may
be in the crop, too."""

MIRRORED = np.array(COCO_MIRROR, np.intp)
"""The indices of COCO's keypoints with left and right exchanged."""

LEAST_WEIGHT = 1e-6


@dataclass(frozen=True, slots=True)
class KeypointEstimate:
    """Keypoints (K, 3) of one person in the common frame.

    scale: pixels of the network's input per pixel of the common frame.
    """

    keypoints_px: Float32Array
    scale: float


def matching_keypoints(found: Detections, box_xyxy_px: Float32Array) -> Float32Array | None:
    """Return the keypoints (K, 3) of the detection that overlaps the box (4,) most; None where none is the same person.

    Both are in the same pixels.
    """
    if not len(found.scores):
        return None
    overlap = iou_matrix(box_xyxy_px[None], found.boxes_xyxy_px)[0]
    best = int(overlap.argmax())
    return found.keypoints_px[best] if overlap[best] >= SAME_PERSON_IOU else None


def unmirrored(found: Detections, width_px: int) -> Detections:
    """Return detections (COCO keypoints) in the mirror image of a picture of this width as those in the picture."""
    boxes = found.boxes_xyxy_px[:, [2, 1, 0, 3]]
    boxes[:, [0, 2]] = width_px - boxes[:, [0, 2]]
    keypoints = found.keypoints_px[:, MIRRORED]
    keypoints[..., 0] = width_px - keypoints[..., 0]
    return Detections(boxes_xyxy_px=boxes, scores=found.scores, keypoints_px=keypoints)


def merge_estimates(estimates: Sequence[KeypointEstimate]) -> Float32Array:
    """Return the keypoints (K, 3) of one person from several estimates; a single one is returned unchanged.

    A network errs by about as many pixels of its input at any scale, so that the variance of a position is proportional
    to 1 / scale². Positions are averaged with the inverse variance (the best weights for independent errors) times the
    confidence of each estimate; confidences with the inverse variance alone.
    """
    if len(estimates) == 1:
        return estimates[0].keypoints_px
    points = np.stack([estimate.keypoints_px for estimate in estimates]).astype(np.float64)
    precision = np.array([estimate.scale**2 for estimate in estimates])[:, None]
    confidence = points[..., 2]
    weight = precision * np.maximum(confidence, LEAST_WEIGHT)
    places = (points[..., :2] * weight[..., None]).sum(axis=0) / weight.sum(axis=0)[:, None]
    blended = (confidence * precision).sum(axis=0) / precision.sum(axis=0)
    return np.concatenate((places, blended[:, None]), axis=-1).astype(np.float32)
