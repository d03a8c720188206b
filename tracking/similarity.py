"""How much a detection looks like the predicted body of a track: where it is, how large, and how its joints lie.

Only pairs that can be the same body are compared joint by joint: with 200 people nearly all pairs are far apart.
Pixels of the source frame throughout; joints are rows of x, y, confidence.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from tracking.boxes import area, iou, to_corners
from tracking.detections import Detections
from tracking.track import Tracks

Floats = npt.NDArray[np.float64]

COCO_SIGMAS = (
    *(0.026, 0.025, 0.025, 0.035, 0.035),  # nose, eyes, ears
    *(0.079, 0.079, 0.072, 0.072, 0.062, 0.062),  # shoulders, elbows, wrists
    *(0.107, 0.107, 0.087, 0.087, 0.089, 0.089),  # hips, knees, ankles
)
"""Spread of human annotators per COCO joint, relative to the square root of the body's area (pycocotools)."""

AREA_OF_BOX = 0.53
"""A body fills about this part of its box; pycocotools uses the same factor where no mask is annotated."""

REACH = 0.15
"""How far from its predicted place, in body sizes, a body is still believed at a glance (one standard deviation)."""

SIZE_RATIO = 0.12
"""How far, as a logarithm, the height may be from the predicted one (one standard deviation)."""

PLACE_SHARE = 0.9
"""How much the place counts against the overlap, which says nothing as soon as boxes part."""

SKELETON_SHARE = 0.75
"""How much the skeletons count where all their joints are seen for sure."""

POSE_TOLERANCE = 1.5
"""Times the tolerance of COCO's joints: annotators look at one picture, limbs move between two."""

HOPELESS = 0.05
"""Pairs less alike than this by their boxes are not compared joint by joint."""


def similarity(tracks: Tracks, detections: Detections) -> Floats:
    """(T, D) in 0..1: box likeness, with the skeletons' likeness in as far as their joints are seen on both sides."""
    boxes = to_corners(tracks.position)
    alike = PLACE_SHARE * closeness(tracks, detections) + (1.0 - PLACE_SHARE) * iou(boxes, detections.corners)
    if detections.joints is None or not tracks.joints.shape[1]:
        return alike
    rows, columns = np.nonzero(alike > HOPELESS)
    pose, visible = pose_likeness(tracks.select(rows), detections.select(columns))
    share = SKELETON_SHARE * visible
    alike[rows, columns] = (1.0 - share) * alike[rows, columns] + share * pose
    return alike


def pose_likeness(tracks: Tracks, detections: Detections) -> tuple[Floats, Floats]:
    """How alike the skeletons of M pairs, track by detection, are, and on how much of them that rests: (M,) each."""
    if detections.joints is None or not tracks.joints.shape[1]:
        return np.zeros(len(tracks)), np.zeros(len(tracks))
    tolerance = AREA_OF_BOX * POSE_TOLERANCE * area(to_corners(tracks.position))
    unsure = (tracks.var_position[:, 0] + tracks.var_position[:, 1]) / 2.0
    return oks(tracks.placed_joints(), detections.joints, tolerance, unsure)


def closeness(tracks: Tracks, detections: Detections) -> Floats:
    """(T, D) in 0..1: a bell over the distance of the centres, as wide as a body reaches plus what the filter is
    unsure of (so that it widens while a track is unseen), times a bell over the ratio of the heights."""
    reach2 = (REACH * tracks.size_px[:, None]) ** 2 + tracks.var_position[:, :2]
    gap = tracks.position[:, None, :2] - detections.centred[None, :, :2]
    distance2 = np.einsum("tdc,tc->td", gap**2, 1.0 / reach2)
    ratio = np.log(np.maximum(tracks.position[:, 3], 1.0))[:, None] - np.log(detections.centred[:, 3])
    return np.asarray(np.exp(-0.5 * (distance2 + (ratio / SIZE_RATIO) ** 2)))


def oks(joints_a: Floats, joints_b: Floats, area_px2: Floats, unsure_px2: Floats) -> tuple[Floats, Floats]:
    """Object keypoint similarity of M pairs, and how much of the skeleton it rests on.

    joints_a, joints_b: (M, K, 3); area_px2: (M,) area of the body; unsure_px2: (M,) variance of where the prediction
    puts it, which widens each joint's tolerance. Each joint counts as much as both sides see it (product of the
    confidences) instead of COCO's yes or no. Returns the similarity (M,) in 0..1, 0 where no joint is seen on both
    sides, and the visible part (M,) in 0..1.

    Source: COCO keypoint evaluation (https://cocodataset.org/#keypoints-eval), tolerance 2 * sigma.
    """
    spread = (2.0 * joint_sigmas(joints_a.shape[1])) ** 2
    weight = joints_a[:, :, 2] * joints_b[:, :, 2]
    gap = joints_a[:, :, :2] - joints_b[:, :, :2]
    distance2 = np.einsum("mkc,mkc->mk", gap, gap)
    tolerance = area_px2[:, None] * spread + unsure_px2[:, None]
    agreement = np.exp(distance2 / (-2.0 * np.maximum(tolerance, 1e-9)))
    total = weight.sum(axis=1)
    return np.einsum("mk,mk->m", weight, agreement) / np.maximum(total, 1e-9), total / joints_a.shape[1]


def joint_sigmas(joints: int) -> Floats:
    """Spread per joint (K,): COCO's for 17 joints, their mean for any other skeleton."""
    sigmas = np.array(COCO_SIGMAS)
    return sigmas if joints == len(sigmas) else np.full(joints, sigmas.mean())
