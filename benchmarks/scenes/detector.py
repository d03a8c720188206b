"""A synthetic pose network: which bodies it detects, with what scores, and with what boxes.

Unless a figure is attributed otherwise, the constants were measured on MOT15's TUD-Stadtmitte (179 frames, 25 per
second, bodies 122 to 246 px high, 1156 boxes) with yolo11n-pose at 640: detections are compared with the ground truth,
and a body's visible part follows from the overlap of truth boxes, where the lower box is the nearer one. `python -m
benchmarks.scenes.calibration` measures them again, also on a synthetic scene. Figures named PETS are of PETS2009 S2L1
(795 frames, 7 per second, bodies 61 to 128 px high, at 1280), whose truth was drawn by hand.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from benchmarks.scenes.bodies import Bodies
from benchmarks.scenes.clutter import clutter
from benchmarks.scenes.detections import SyntheticDetections
from benchmarks.scenes.joints import joints_of
from benchmarks.scenes.kinds import SceneKind
from benchmarks.scenes.noise import LastingNoise, sigmoid
from benchmarks.scenes.occlusion import Visibility
from posebus.arrays import Float64Array
from posebus.boxes import iou, iou_matrix

Indices = npt.NDArray[np.intp]

HIGHEST_SCORE = 0.93
"""The limit of scores: nine of ten fully visible bodies are below 0.89."""

SCORE_AT = ((0.0, -8.0), (0.1, -4.5), (0.25, -1.5), (0.4, -0.2), (0.6, 0.3), (0.8, 1.2), (0.9, 2.0), (1.0, 2.3))
"""Visible part and the score's logit. Of bodies of which 0.8 to 0.9, 0.6, 0.4, 0.2 and 0.05 are visible, 0.09, 0.36,
0.42, 0.78 and 0.91 are missed (0.16, 0.17, 0.22, 0.47 and 0.83 on PETS), and the scores of the others have the medians
0.63, 0.49, 0.39, 0.23 and 0.17 (0.59, 0.51, 0.36, 0.30 and 0.16). Of fully visible bodies 0.01 are missed, and the
median is 0.85 (0.03 and 0.80)."""

SCORE_SPREAD = ((0.0, 2.0), (0.75, 2.0), (0.9, 0.7), (1.0, 0.5))
SCORE_SPREAD_UP = ((0.0, 1.0), (0.75, 1.0), (0.9, 0.7), (1.0, 0.5))
"""Visible part and the logit's deviation over time, down and up: scores of half occluded bodies are in 0..0.7."""

SCORE_TIMES_S = (1.5, 0.5)
SCORE_PARTS = (0.9, 0.45)
"""Time constants and shares of that deviation: the autocorrelation is 0.84, 0.69, 0.56, 0.35 after 0.04, 0.12, 0.2, 1
s."""

SCORE_OF_PERSON = 0.45
"""The logit's deviation between fully visible people, whose mean scores differ by 0.053 (0.092 on PETS). Together with
the deviation over time, eight of ten scores of fully visible bodies lie between 0.75 and 0.89."""

HALF_FOUND_PX, SIZE_LOSS, SIZE_STEEPNESS = 100.0, 5.0, 7.0
"""How the logit falls with the body's height: on PETS 0.93, 0.62 and 0.11 of the people are found (score over 0.25)
where they are 133, 100 and 67 px high in the network's input."""

CUT_AT = ((0.0, 0.0), (0.15, 0.5), (0.5, 0.9), (1.0, 1.0))
"""The part of the body within the picture, and the part that it counts as: the network does not treat the border of the
picture as an occlusion."""

SIDE_ERROR = np.array([0.010, 0.004, 0.010, 0.004])
SIDE_TIME_S = 0.4
"""Deviation of left, top, right, bottom of fully visible bodies, in body heights, and how long it lasts. Together with
the gait the sides differ from the annotators' by 0.031, 0.011, 0.034, 0.010 within a person."""

SHAKE, SHAKE_PX = 0.0018, 0.3
"""Independent deviation of every frame, in body heights and in pixels of the network's input: second differences are
0.0033, 0.0021, 0.0035, 0.0022 for bodies 155 px high."""

GAIT_FOLLOWED = 0.6
"""How far the sides of boxes follow the swing of arms and legs, so that with it they err by the figures above."""

MARGIN = np.array([-0.013, 0.0, 0.013, 0.0])
"""How much wider than the body boxes are, in body heights: they are 1.18 times as wide as the annotators'."""

HIDDEN_SIDE_ERROR = 0.05
"""Added to the deviation in proportion to the occluded part: 0.06 at the sides, 0.03 at the top, below 0.7 visible."""

WHOLE_WIDTH, WHOLE_HEIGHT = 0.12, 0.55
"""How far boxes extend beyond the visible part towards the whole body behind another one: the width is 0.73 of that of
fully visible bodies, the height stays (it is 0.7 to 0.8 in one of ten on PETS)."""

BOTTOM_OF_HIDER_BELOW, NEAR_FEET = -0.5, 0.35
"""The box ends at the feet of the body in front, if they are this near, in heights, while a lasting noise is below the
first number: boxes of half occluded bodies end 0.07 to 0.17 heights too low."""

MERGE_IOU, MERGE_BELOW = 0.4, -1.2
"""Bodies that overlap by more than this IoU give one box around both while a lasting noise is below the second number,
which is 0.12 of the time."""

DOUBLE_ABOVE, DOUBLE_TIMES = 2.3, 0.25
"""A body gives a second box, whose score is this factor times the first one's, while a noise is above the first number:
0.09 a frame among 6.5 people (0.05 among 6 on PETS)."""

COVERED_IOU = 0.25
"""A false positive that overlaps a body by this IoU is left out, because the body covers it: 0.07 a frame overlap by
0.1 to 0.3."""


def detect(
    bodies: Bodies,
    steady_px: Float64Array,
    visibility: Visibility,
    person: Indices,
    scene: SceneKind,
    rng: np.random.Generator,
) -> list[SyntheticDetections]:
    """The detections of each of T frames, for the bodies (T * S).

    steady_px: boxes (T * S, 4) without the swing of the gait. person: (T, S) index of each person, -1 where there is
    none.
    """
    settings, dt_s = scene.detector, 1.0 / scene.fps
    frames, places = person.shape
    noise = LastingNoise(rng, (frames, places), dt_s)
    present = (person.ravel() >= 0) & (visibility.visible > 0.01)
    scores = np.where(present, HIGHEST_SCORE * sigmoid(_logits(bodies, visibility, person, scene, noise)), 0.0)
    joints = joints_of(bodies, visibility, noise, scene)
    boxes, scores = _merged(_boxes(bodies, steady_px, visibility, noise, scene), scores, bodies, visibility, noise)
    twice = np.flatnonzero((noise.lasting(0.1) > DOUBLE_ABOVE) & (scores > 0))
    moved = bodies.height_px[twice, None] * rng.normal(0, 0.08, (len(twice), 4))
    everything = SyntheticDetections(boxes, scores, joints).joined(
        SyntheticDetections(boxes[twice] + moved, DOUBLE_TIMES * scores[twice], joints[twice])
    )
    frame = np.concatenate([np.arange(frames * places), twice]) // places
    typical_px = float(np.median(bodies.height_px[present])) if present.any() else scene.size_px[1] / 4
    whole = bodies.boxes_px()
    result = []
    for index, false in enumerate(clutter(frames, dt_s, scene.size_px, typical_px, settings.clutter, rng)):
        people = index * places + np.flatnonzero(present[index * places : (index + 1) * places])
        overlap = iou_matrix(false.boxes_px, whole[people])
        apart = np.flatnonzero((overlap < COVERED_IOU).all(axis=1))
        found = everything.select(np.flatnonzero(frame == index))
        result.append(found.joined(false.select(apart)).published(scene.size_px))
    return result


def _logits(
    bodies: Bodies, visibility: Visibility, person: Indices, scene: SceneKind, noise: LastingNoise
) -> Float64Array:
    inside = np.maximum(visibility.inside, 1e-6)
    part = visibility.visible / inside * at(CUT_AT, inside)
    slow, fast = (share * noise.lasting(time_s) for share, time_s in zip(SCORE_PARTS, SCORE_TIMES_S, strict=True))
    size = bodies.height_px * scene.network_px() / HALF_FOUND_PX
    loss = SIZE_LOSS * sigmoid(SIZE_STEEPNESS * (1.0 - size))
    wave = slow + fast
    spread = np.where(wave < 0, at(SCORE_SPREAD, part), at(SCORE_SPREAD_UP, part))
    of_person = SCORE_OF_PERSON * noise.of_person(person)
    return at(SCORE_AT, part) + spread * wave + of_person - loss + scene.detector.skill


def at(curve: tuple[tuple[float, float], ...], places: Float64Array) -> Float64Array:
    """The values of a curve, which is given by points and straight between them, at the given places."""
    return np.asarray(np.interp(places, *np.array(curve).T))


def _boxes(
    bodies: Bodies, steady_px: Float64Array, visibility: Visibility, noise: LastingNoise, scene: SceneKind
) -> Float64Array:
    """Boxes (M, 4) around the visible parts, extended behind bodies in front, with lasting errors."""
    height = bodies.height_px[:, None]
    open_ = np.where(np.isnan(visibility.open_px), bodies.boxes_px(), visibility.open_px)
    seen = np.where(np.isnan(visibility.seen_px), open_, visibility.seen_px)
    hidden = 1.0 - visibility.visible / np.maximum(visibility.inside, 1e-6)
    reach = np.array([WHOLE_WIDTH, WHOLE_HEIGHT, WHOLE_WIDTH, WHOLE_HEIGHT])
    believed = sigmoid(np.log(reach / (1 - reach)) + 3.0 * noise.lasting(0.4, 4))
    boxes = seen + believed * (open_ - seen)
    boxes += (1.0 - GAIT_FOLLOWED) * (steady_px - bodies.boxes_px())
    feet = open_[np.maximum(visibility.hider, 0), 3]
    near = np.abs(feet - open_[:, 3]) < NEAR_FEET * bodies.height_px
    unseen = seen[:, 3] < open_[:, 3] - 0.03 * bodies.height_px
    mistaken = (visibility.hider >= 0) & near & unseen & (noise.lasting(0.4) < BOTTOM_OF_HIDER_BELOW)
    boxes[:, 3] = np.where(mistaken, feet, boxes[:, 3])
    boxes += MARGIN * (1.0 - hidden[:, None]) * height
    deviation = SIDE_ERROR + HIDDEN_SIDE_ERROR * hidden[:, None]
    shake_px = np.hypot(SHAKE * height, SHAKE_PX / scene.network_px())
    error = deviation * height * noise.lasting(SIDE_TIME_S, 4) + shake_px * noise.jitter(4)
    return np.asarray(boxes + scene.detector.noise * error)


def _merged(
    boxes: Float64Array, scores: Float64Array, bodies: Bodies, visibility: Visibility, noise: LastingNoise
) -> tuple[Float64Array, Float64Array]:
    """Boxes and scores after some bodies have been merged into the box of the body in front."""
    whole, other = bodies.boxes_px(), np.maximum(visibility.hider, 0)
    alike = iou(whole, whole[other]) > MERGE_IOU
    merges = (visibility.hider >= 0) & alike & (noise.lasting(0.5) < MERGE_BELOW) & (scores > 0) & (scores[other] > 0)
    boxes, scores = boxes.copy(), scores.copy()
    for row in np.flatnonzero(merges).tolist():
        front = other[row]
        boxes[front, :2] = np.minimum(boxes[front, :2], boxes[row, :2])
        boxes[front, 2:] = np.maximum(boxes[front, 2:], boxes[row, 2:])
    scores[merges] = 0.0
    return boxes, scores
