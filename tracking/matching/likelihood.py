"""Log odds that a detection is the predicted body of a track, against another person.

There are three sources of evidence: the box's position and height, against the filter's prediction and its uncertainty;
the joints, against the track's last skeleton moved along; and the colours of torso and legs, where the worker sends
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
from tracking.compiled import compiled, plain
from tracking.detections import DetectionColumns, UsableDetections
from tracking.matching.colours import add_colours
from tracking.matching.pauses import add_stayed
from tracking.motion.kalman import POSITION, VAR_POSITION
from tracking.tracks import Tracks

AREA_OF_BOX = 0.53
"""Share of its box that a body fills; pycocotools uses the same factor where no mask is annotated."""


def log_odds(
    tracks: Tracks, detections: UsableDetections, recent: BoolArray, resting: BoolArray | None = None
) -> Float64Array:
    """Log odds (T, D) of each pair.

    They are 0 for a body that is exactly where the filter expects it and was updated a moment ago, if there are no
    joints and colours. `recent` (T,) is the mask of the tracks that were updated a moment ago: their joints may replace
    the box as evidence, even if the position is uncertain. `resting` (T,) are those that may have stayed at their place
    through a long interval, None where there was none.
    """
    odds = box_odds(tracks.filter_states, tracks.body_px, detections.centred, plain(model.EVIDENCE))
    if resting is not None:
        add_stayed(odds, tracks, detections.centred, resting)
    if detections.joints is not None and tracks.joints.shape[1]:
        predicted = PredictedBodies(tracks.filter_states, tracks.body_px, tracks.joints)
        skeleton = skeleton_of(detections.joints.shape[1])
        people = plain(detections.columns())
        add_pose(odds, plain(predicted), people, plain(skeleton), recent, plain(model.EVIDENCE))
    if detections.appearance is not None and odds.size:
        add_colours(odds, tracks.appearance, detections.appearance)
    return odds


@compiled
def box_odds(states: Float64Array, body_px: Float64Array, centred: Float64Array, weights: Evidence) -> Float64Array:
    """Log odds (T, D) by the boxes alone.

    A normal density over centre and height, whose variance is that of a body plus the filter's, relative to the density
    of a body seen a moment ago: the gate widens while a track is unseen, and a detection inside it becomes weaker
    evidence.

    Args:
        states: (5, T, 4) Kalman states.
        body_px: (T,) sizes of the bodies.
        centred: (D, 4) boxes of the detections.
        weights: constants.
    """
    weights = Evidence(*weights)
    odds = np.empty((len(body_px), len(centred)))
    for track in range(len(body_px)):
        reach2 = (weights.position_std * body_px[track]) ** 2
        spread2_x = reach2 + states[VAR_POSITION, track, 0]
        spread2_y = reach2 + states[VAR_POSITION, track, 1]
        height = max(states[POSITION, track, 3], 1.0)
        spread2_ratio = weights.height_log_std**2 + states[VAR_POSITION, track, 3] / height**2
        widened = math.log(spread2_x * spread2_y / (reach2 * reach2))
        for detection in range(len(centred)):
            gap_x = centred[detection, 0] - states[POSITION, track, 0]
            gap_y = centred[detection, 1] - states[POSITION, track, 1]
            ratio = math.log(height / centred[detection, 3])
            misfit = gap_x * gap_x / spread2_x + gap_y * gap_y / spread2_y + ratio * ratio / spread2_ratio
            odds[track, detection] = -0.5 * (misfit + widened)
    return odds


class PredictedBodies(NamedTuple):
    """The columns of `Tracks` that a skeleton is predicted from."""

    filter_states: Float64Array
    body_px: Float64Array
    joints: Float64Array


class Skeleton(NamedTuple):
    """Facts of K joints: their squared spread relative to the body's area, and the index of the mirrored joint."""

    spread2: Float64Array
    mirror: Int64Array


@compiled
def add_pose(
    odds: Float64Array,
    tracks: PredictedBodies,
    detections: DetectionColumns,
    skeleton: Skeleton,
    recent: BoolArray,
    weights: Evidence,
) -> None:
    """Add the evidence of skeletons to log odds by boxes, in place.

    The detected skeleton or its mirror image counts, the one that fits better. Pairs that are far apart stay as they
    are.

    Args:
        odds: (T, D) log odds by boxes.
        tracks: T tracks.
        detections: D detections.
        skeleton: facts of their joints.
        recent: (T,) mask of the tracks whose joints may replace the box as evidence, even if the position is uncertain.
        weights: constants.
    """
    tracks, detections = PredictedBodies(*tracks), DetectionColumns(*detections)
    skeleton, weights = Skeleton(*skeleton), Evidence(*weights)
    for track in range(len(tracks.body_px)):
        position = tracks.filter_states[POSITION, track]
        area = AREA_OF_BOX * weights.pose_tolerance * max(position[2], 1.0) * max(position[3], 1.0)
        unsure = (tracks.filter_states[VAR_POSITION, track, 0] + tracks.filter_states[VAR_POSITION, track, 1]) / 2.0
        tolerance = area * skeleton.spread2 + unsure
        placed = tracks.joints[track].copy()
        placed[:, 0] += position[0]
        placed[:, 1] += position[1]
        reach2 = (weights.pose_range * tracks.body_px[track]) ** 2
        limit = (weights.pose_alone_std * tracks.body_px[track]) ** 2
        located = recent[track] or tracks.filter_states[VAR_POSITION, track, 0] < limit
        for detection in range(len(detections.joints)):
            gap_x = detections.centred[detection, 0] - position[0]
            gap_y = detections.centred[detection, 1] - position[1]
            near = gap_x * gap_x + gap_y * gap_y < reach2
            if not near and odds[track, detection] < weights.pose_from_odds:
                continue
            joints = detections.joints[detection]
            agreement, visible = oks(placed, joints, tolerance)
            if agreement < weights.mirrored:
                mirrored, _ = oks(placed, joints[skeleton.mirror], tolerance)
                agreement = max(agreement, weights.mirrored * mirrored)
            by_box = odds[track, detection]
            if located and agreement >= weights.pose_alone and visible >= weights.pose_alone_visible:
                by_box = max(by_box, weights.pose_alone_odds)
            by_pose = 1.0 + math.log((1.0 - weights.pose_floor) * agreement + weights.pose_floor)
            odds[track, detection] = by_box + weights.pose * visible * by_pose


@compiled
def oks(joints_a: Float64Array, joints_b: Float64Array, spread2_px2: Float64Array) -> tuple[float, float]:
    """Object keypoint similarity of two skeletons, and the share of joints that it rests on.

    Each joint weighs as much as both sides see it (product of the confidences) instead of COCO's yes or no. Returns the
    similarity in 0..1, 0 where no joint is visible on both sides, and the visible share in 0..1.

    Source: COCO keypoint evaluation (https://cocodataset.org/#keypoints-eval), with variance area * (2 * sigma)^2.

    Args:
        joints_a: (K, 3).
        joints_b: (K, 3).
        spread2_px2: (K,) variance of each joint's position.
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
    """COCO's facts for 17 joints; their mean spread and no mirror for any other number."""
    if joints == len(COCO_SIGMAS):
        return COCO
    return Skeleton(np.full(joints, (2.0 * np.mean(COCO_SIGMAS)) ** 2), np.arange(joints))


COCO = Skeleton((2.0 * np.array(COCO_SIGMAS)) ** 2, np.array(COCO_MIRROR))
"""Squared spread is (2 sigma)^2, as in COCO's evaluation."""
