"""Which detections of one frame show the same body: pose NMS in the tracker.

A network's own suppression compares boxes, so that the upper half of a person and the whole person remain as two
detections. Their joints agree, since both were found in the same picture: far better than those of two people, even if
one hides the other.

Source of the idea: H.-S. Fang et al., "RMPE: Regional multi-person pose estimation", ICCV 2017 (parametric pose NMS);
the measure is COCO's object keypoint similarity (OKS), over the joints that both detections see.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from posebus.arrays import Float64Array, Int64Array
from posebus.contract.appearance import SIZE as APPEARANCE_SIZE
from tracking import body_model as model
from tracking.compiled import compiled, plain
from tracking.detections import DetectionColumns, UsableDetections
from tracking.matching.colours import colour_log_odds, distance
from tracking.matching.likelihood import AREA_OF_BOX, Skeleton, skeleton_of
from tracking.motion.smoothing import SEEN_CONFIDENCE

OVERLAPPING, BY_BOX, POSSIBLE, CERTAIN = range(4)
"""How certain it is that two detections show one body.

OVERLAPPING: most of one box lies in the other, and there is no other evidence. Of two such detections the second starts
a tentative track.
BY_BOX: the boxes overlap so much that the second starts no track beside a track of the first. POSSIBLE: only one of the
two starts a track, and a tentative track gives way. CERTAIN: so does one that was lost, and the merge of two tracks
begins."""

FIRST, SECOND, SURENESS, WHOLE = range(4)
"""Columns of pairs."""


class Pairs(NamedTuple):
    """Pairs of detections, the preferred one first.

    Of a whole body and a part of it the whole is preferred, unless its score is much lower; else the higher score.

    doubles: (P, 4) two rows of the detections, BY_BOX or above, and whether the first is the whole body and the second
    a part of it, 0 or 1. overlapping: (Q, 4) the same of pairs that are merely OVERLAPPING.
    """

    doubles: Int64Array
    overlapping: Int64Array


NO_PAIRS = Pairs(np.zeros((0, 4), np.int64), np.zeros((0, 4), np.int64))


def pairs_of_one_body(detections: UsableDetections) -> Pairs:
    """The pairs of detections that may show one body."""
    if not any_overlap(detections.corners, model.ONE_BODY.contained):
        return NO_PAIRS
    people = detections.columns()
    colours = detections.appearance
    if colours is None:
        colours = np.zeros((0, APPEARANCE_SIZE))
    skeleton = skeleton_of(people.joints.shape[1])
    return Pairs(*_pairs(detections.corners, plain(people), colours, plain(skeleton), plain(model.ONE_BODY)))


@compiled
def any_overlap(corners: Float64Array, contained: float) -> bool:
    """Whether any of the boxes (D, 4) overlaps with another by the share `contained` of the smaller one."""
    for second in range(len(corners)):
        for first in range(second):
            if overlap(corners, first, second, contained) > 0.0:
                return True
    return False


@compiled
def overlap(corners: Float64Array, first: int, second: int, contained: float) -> float:
    """The area that two of the boxes (D, 4) share, or 0 if it is less than the share `contained` of the smaller one."""
    width = min(corners[first, 2], corners[second, 2]) - max(corners[first, 0], corners[second, 0])
    if width <= 0.0:
        return 0.0
    height = min(corners[first, 3], corners[second, 3]) - max(corners[first, 1], corners[second, 1])
    if height <= 0.0:
        return 0.0
    area_first = (corners[first, 2] - corners[first, 0]) * (corners[first, 3] - corners[first, 1])
    area_second = (corners[second, 2] - corners[second, 0]) * (corners[second, 3] - corners[second, 1])
    shared = width * height
    return shared if shared >= contained * min(area_first, area_second) else 0.0


@compiled
def _pairs(
    corners: Float64Array,
    people: DetectionColumns,
    colours: Float64Array,
    skeleton: Skeleton,
    limits: model.OneBody,
) -> tuple[Int64Array, Int64Array]:
    people, skeleton, limits = DetectionColumns(*people), Skeleton(*skeleton), model.OneBody(*limits)
    count = len(corners)
    found = np.empty((count * (count - 1) // 2, 4), np.int64)
    pairs = 0
    for second in range(count):
        for first in range(second):
            shared = overlap(corners, first, second, limits.contained)
            if shared <= 0.0:
                continue
            sureness = _sureness(corners, people, skeleton, (first, second), limits)
            if sureness == OVERLAPPING and _iou(people, first, second, shared) >= limits.iou:
                sureness = BY_BOX
            if sureness != OVERLAPPING and len(colours):
                contradicted = colour_log_odds(*distance(colours[first], colours[second])) < limits.colours_against
                sureness = OVERLAPPING if contradicted else sureness
            found[pairs] = (first, second, sureness, 0)
            if _is_whole(people, first, second, shared, limits):
                found[pairs, WHOLE] = 1
            elif _is_whole(people, second, first, shared, limits):
                found[pairs] = (second, first, sureness, 1)
            elif people.scores[second] > people.scores[first]:
                found[pairs] = (second, first, sureness, 0)
            pairs += 1
    found = found[:pairs].copy()
    merely = found[:, SURENESS] == OVERLAPPING
    return found[~merely], found[merely]


@compiled
def _iou(people: DetectionColumns, first: int, second: int, shared: float) -> float:
    areas = people.centred[first, 2] * people.centred[first, 3] + people.centred[second, 2] * people.centred[second, 3]
    return float(shared / (areas - shared))


@compiled
def _sureness(
    corners: Float64Array, people: DetectionColumns, skeleton: Skeleton, pair: tuple[int, int], limits: model.OneBody
) -> int:
    """How certain it is by the joints, and by the sides of two boxes that overlap."""
    first, second = pair
    agreement, shared = _agreement(people, skeleton, pair)
    known = shared > limits.shared_joints * people.joints.shape[1]
    if known and agreement >= limits.certain:
        return CERTAIN
    if known and agreement >= limits.possible:
        return POSSIBLE
    size = max(max(people.centred[first, 2:].max(), people.centred[second, 2:].max()), model.MIN_SIDE_PX)
    sides = 0
    for side in range(4):
        sides += abs(corners[first, side] - corners[second, side]) <= limits.side * size
    if sides < 3:
        return OVERLAPPING
    contradicted = known or (shared > 0 and agreement < limits.possible)
    return POSSIBLE if contradicted else CERTAIN


@compiled
def _agreement(people: DetectionColumns, skeleton: Skeleton, pair: tuple[int, int]) -> tuple[float, int]:
    """OKS of the joints that both detections see, and the number of these joints; of the skeletons, or of one and the
    other's mirror image, whichever agree better: networks exchange left and right."""
    first, second = pair
    area_first = people.centred[first, 2] * people.centred[first, 3]
    area_second = people.centred[second, 2] * people.centred[second, 3]
    area = AREA_OF_BOX * max(area_first, area_second)
    best, most = 0.0, 0
    for mirrored in range(2):
        total, shared = 0.0, 0
        for joint in range(people.joints.shape[1]):
            other = skeleton.mirror[joint] if mirrored else joint
            a, b = people.joints[first, joint], people.joints[second, other]
            if a[2] >= SEEN_CONFIDENCE and b[2] >= SEEN_CONFIDENCE:
                distance2 = (a[0] - b[0]) ** 2 + (a[1] - b[1]) ** 2
                total += math.exp(-distance2 / (2.0 * area * skeleton.spread2[joint]))
                shared += 1
        if shared and (total / shared > best or not most):
            best, most = total / shared, shared
    return best, most


@compiled
def _is_whole(people: DetectionColumns, one: int, other: int, shared: float, limits: model.OneBody) -> bool:
    """Whether detection `one` is the whole body and `other` a part of it; `shared` is the area that both boxes cover.

    The whole is longer along its body. A box around two people who stand side by side is wider, which does not count.
    """
    along = 2 if people.centred[one, 2] > people.centred[one, 3] else 3
    longer = people.centred[one, along] >= limits.whole * people.centred[other, along]
    held = shared >= limits.held * people.centred[other, 2] * people.centred[other, 3]
    return bool(longer and held and people.scores[one] >= limits.whole_score * people.scores[other])
