"""How probable it is that a detection is the predicted body of a track: log odds against somebody else.

Three witnesses: where the box is and how high, against where the filter expects it and how unsure it is of that; how
the joints lie, against the last skeleton carried along; and which colours torso and legs have, where the worker sends
them. Pixels of the source frame throughout; joints are rows of x, y, confidence.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from posebus.arrays import BoolArray, Float64Array, Int64Array
from posebus.coco import COCO_MIRROR, COCO_SIGMAS
from tracking import body_model as model
from tracking.body_model import Evidence
from tracking.compiled import compiled
from tracking.detections import Detections
from tracking.identities.track import Tracks
from tracking.matching.colours import add_colours
from tracking.motion.kalman import POSITION, VAR_POSITION

AREA_OF_BOX = 0.53
"""A body fills about this part of its box; pycocotools uses the same factor where no mask is annotated."""


def log_odds(tracks: Tracks, detections: Detections, in_sight: BoolArray) -> Float64Array:
    """(T, D): log odds of each pair; 0 for a body exactly where it is expected and seen a moment ago, if nothing is
    known of joints and colours. `in_sight` (T,): whose skeleton may stand for its box."""
    odds = box_odds(tracks.beliefs, tracks.size_px, detections.centred, model.EVIDENCE)
    if detections.joints is not None and tracks.joints.shape[1]:
        bodies = Bodies(tracks.beliefs, tracks.size_px, tracks.joints)
        seen = Seen(detections.centred, detections.joints)
        add_pose(odds, bodies, seen, skeleton_of(detections.joints.shape[1]), in_sight, model.EVIDENCE)
    if detections.appearance is not None and odds.size:
        add_colours(odds, tracks.appearance, detections.appearance)
    return odds


@compiled
def box_odds(beliefs: Float64Array, size_px: Float64Array, centred: Float64Array, weights: Evidence) -> Float64Array:
    """(T, D): log odds by the boxes alone. beliefs: (5, T, 4); size_px: (T,); centred: (D, 4).

    A normal density over centre and height, as wide as a body reaches plus what the filter is unsure of, relative to
    that of a body seen a moment ago: the gate widens while a track is unseen, and what lies in it becomes less telling.
    """
    odds = np.empty((len(size_px), len(centred)))
    for track in range(len(size_px)):
        reach2 = (weights.reach * size_px[track]) ** 2
        spread2_x = reach2 + beliefs[VAR_POSITION, track, 0]
        spread2_y = reach2 + beliefs[VAR_POSITION, track, 1]
        height = max(beliefs[POSITION, track, 3], 1.0)
        spread2_ratio = weights.size_ratio**2 + beliefs[VAR_POSITION, track, 3] / height**2
        widened = math.log(spread2_x * spread2_y / (reach2 * reach2))
        for detection in range(len(centred)):
            gap_x = centred[detection, 0] - beliefs[POSITION, track, 0]
            gap_y = centred[detection, 1] - beliefs[POSITION, track, 1]
            ratio = math.log(height / centred[detection, 3])
            misfit = gap_x * gap_x / spread2_x + gap_y * gap_y / spread2_y + ratio * ratio / spread2_ratio
            odds[track, detection] = -0.5 * (misfit + widened)
    return odds


class Bodies(NamedTuple):
    """Tracks as kernels see them: beliefs (5, T, 4), size_px (T,), joints (T, K, 3) as in
    `tracking.identities.track.Tracks`."""

    beliefs: Float64Array
    size_px: Float64Array
    joints: Float64Array


class Seen(NamedTuple):
    """Detections as kernels see them: centred (D, 4), joints (D, K, 3)."""

    centred: Float64Array
    joints: Float64Array


class Skeleton(NamedTuple):
    """What is known of K joints: their squared spread relative to the body's area, and the joint on the other side."""

    spread2: Float64Array
    mirror: Int64Array


@compiled
def add_pose(
    odds: Float64Array, bodies: Bodies, seen: Seen, skeleton: Skeleton, in_sight: BoolArray, weights: Evidence
) -> None:
    """Complete log odds (T, D) by boxes, in place, with what the skeletons say; pairs that are far apart stay.

    Of the skeleton as it was detected and its mirror image the better counts.
    """
    for track in range(len(bodies.size_px)):
        position = bodies.beliefs[POSITION, track]
        area = AREA_OF_BOX * weights.pose_tolerance * max(position[2], 1.0) * max(position[3], 1.0)
        unsure = (bodies.beliefs[VAR_POSITION, track, 0] + bodies.beliefs[VAR_POSITION, track, 1]) / 2.0
        tolerance = area * skeleton.spread2 + unsure
        placed = bodies.joints[track].copy()
        placed[:, 0] += position[0]
        placed[:, 1] += position[1]
        reach2 = (weights.pose_reach * bodies.size_px[track]) ** 2
        for detection in range(len(seen.joints)):
            gap_x, gap_y = seen.centred[detection, 0] - position[0], seen.centred[detection, 1] - position[1]
            near = gap_x * gap_x + gap_y * gap_y < reach2
            if not near and odds[track, detection] < weights.pose_from_odds:
                continue
            joints = seen.joints[detection]
            agreement, visible = oks(placed, joints, tolerance)
            if agreement < weights.mirrored:
                mirrored, _ = oks(placed, joints[skeleton.mirror], tolerance)
                agreement = max(agreement, weights.mirrored * mirrored)
            by_box = odds[track, detection]
            if in_sight[track] and agreement >= weights.pose_alone and visible >= weights.pose_alone_visible:
                by_box = max(by_box, weights.pose_alone_odds)
            said = 1.0 + math.log((1.0 - weights.pose_floor) * agreement + weights.pose_floor)
            odds[track, detection] = by_box + weights.pose * visible * said


@compiled
def oks(joints_a: Float64Array, joints_b: Float64Array, spread2_px2: Float64Array) -> tuple[float, float]:
    """Object keypoint similarity of two skeletons, and how much of them it rests on.

    joints_a, joints_b: (K, 3); spread2_px2: (K,) variance of each joint's place. Each joint counts as much as both
    sides see it (product of the confidences) instead of COCO's yes or no. Returns the similarity in 0..1, 0 where no
    joint is seen on both sides, and the visible part in 0..1.

    Source: COCO keypoint evaluation (https://cocodataset.org/#keypoints-eval), with variance area * (2 * sigma)^2.
    """
    total = agreed = 0.0
    for joint in range(len(joints_a)):
        weight = joints_a[joint, 2] * joints_b[joint, 2]
        gap_x, gap_y = joints_a[joint, 0] - joints_b[joint, 0], joints_a[joint, 1] - joints_b[joint, 1]
        distance2 = gap_x * gap_x + gap_y * gap_y
        total += weight
        agreed += weight * math.exp(distance2 / (-2.0 * max(spread2_px2[joint], 1e-9)))
    return agreed / max(total, 1e-9), total / len(joints_a)


def skeleton_of(joints: int) -> Skeleton:
    """COCO's for 17 joints; their mean spread and no mirror for any other number."""
    if joints == len(COCO_SIGMAS):
        return COCO
    return Skeleton(np.full(joints, (2.0 * np.mean(COCO_SIGMAS)) ** 2), np.arange(joints))


COCO = Skeleton((2.0 * np.array(COCO_SIGMAS)) ** 2, np.array(COCO_MIRROR))
"""Squared spread is (2 sigma)^2, as in COCO's evaluation."""
