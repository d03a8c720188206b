"""Candidate motions of the whole picture that would explain why people are not where they are expected, from boxes
alone.

Each pair of a person and a detection of about the same height suggests a shift of the picture; two such pairs suggest a
shift with a zoom and a roll. A candidate is as good as the number of people that it brings onto a detection: a vote as
in RANSAC (M. Fischler, R. Bolles, "Random sample consensus", CACM 24(6), 1981), but over all pairs in a fixed order, so
that the same frame always gives the same candidates.
"""

from __future__ import annotations

import math

import numpy as np

from posebus.arrays import Float64Array, IndexArray
from tracking import body_model as model
from tracking.body_model import MIN_SIDE_PX
from tracking.compiled import compiled
from tracking.motion.kalman import POSITION, VAR_POSITION, VAR_VELOCITY
from tracking.motion.picture_map import PictureMap

WITNESSES = 16
"""Largest number of people that vote for a candidate: more would hardly change the result, but cost time."""

SEEDS = 6
"""Largest number of people whose pairs suggest candidates."""

NEAREST = 6
"""Detections of the right height that are tried for each of these, the nearest first, for a zoom."""

KEPT = 3
"""Candidates of each kind, shifts and zooms, that are worth a full assignment."""

HEIGHT_LOG_STD = model.EVIDENCE.height_log_std * math.sqrt(2.0)
"""Logarithm of the ratio of two heights of one body, one standard deviation."""

LARGEST_RATIO = 2.0
"""A picture is not zoomed by more than this from one frame to the next."""

LARGEST_ROLL = 0.35
"""Nor rolled by more than this, in radians."""

BASE = 0.5
"""Two people closer than this, in body sizes, say nothing about a zoom."""

KNOWN_SHARE = 0.5
"""A person's velocity is known once its standard deviation is below this part of that of people just detected."""

INLIER = math.exp(-0.5 * 9.0)
"""A person counts as brought onto a detection up to three standard deviations off."""


def motions(states: Float64Array, body_px: Float64Array, centred: Float64Array, least: int) -> list[PictureMap]:
    """Candidates, the best of each kind first: shifts, then zooms with a roll.

    Args:
        states: (5, T, 4) Kalman states of the people, those that are least explained first.
        body_px: (T,) sizes of their bodies.
        centred: (D, 4) boxes of the detections.
        least: fewest people that a motion must bring onto detections.
    """
    boxes = states[POSITION, :WITNESSES]
    spread2 = (model.EVIDENCE.position_std * body_px[:WITNESSES]) ** 2 + states[VAR_POSITION, :WITNESSES, :2].mean(1)
    if min(len(boxes), len(centred)) < least:
        return []
    # A zoom can be fitted to any two people, also to two who run, unless it is known how they move.
    speed_std = model.MOTION.velocity_std[0] * body_px
    known = bool((states[VAR_VELOCITY, :, 0] < (KNOWN_SHARE * speed_std) ** 2).all())
    least_zoomed = max(least, 2 if known else 3)
    maps = []
    for zooms, found in enumerate((shifts(boxes, spread2, centred), similarities(boxes, spread2, centred))):
        for row in best(found, boxes, spread2):
            refined, agreed = fitted(row, boxes, spread2, centred, zooms == 1)
            if agreed >= (least_zoomed if zooms else least):
                p, q, x, y = refined.tolist()
                maps.append(PictureMap(p, -q, x, q, p, y))
    return maps


@compiled
def support(
    motion: Float64Array, boxes: Float64Array, spread2: Float64Array, centred: Float64Array, pairs: Float64Array
) -> float:
    """How many people (T) a motion (p, q, x, y) brings onto detections (D): (u, v) goes to (pu - qv + x, qu + pv + y).

    Each counts up to 1, less the farther off and the more different in height. Their best detections and how much they
    count are written into `pairs` (T, 2).
    """
    total, zoom = 0.0, math.hypot(motion[0], motion[1])
    for body in range(len(boxes)):
        x = motion[0] * boxes[body, 0] - motion[1] * boxes[body, 1] + motion[2]
        y = motion[1] * boxes[body, 0] + motion[0] * boxes[body, 1] + motion[3]
        height, reach2 = zoom * max(boxes[body, 3], MIN_SIDE_PX), zoom * zoom * spread2[body]
        best_count, best_detection = 0.0, -1
        for detection in range(len(centred)):
            gap_x, gap_y = centred[detection, 0] - x, centred[detection, 1] - y
            misfit = (gap_x * gap_x + gap_y * gap_y) / reach2
            if misfit < 9.0:
                misfit += (math.log(height / centred[detection, 3]) / HEIGHT_LOG_STD) ** 2
                count = math.exp(-0.5 * misfit)
                if count > best_count:
                    best_count, best_detection = count, detection
        pairs[body, 0], pairs[body, 1] = best_detection, best_count
        total += best_count
    return total


@compiled
def shifts(boxes: Float64Array, spread2: Float64Array, centred: Float64Array) -> Float64Array:
    """Candidates (C, 5) p, q, x, y, support, for each pair of one of the first people and a detection of its height."""
    seeds = min(len(boxes), SEEDS)
    found = np.empty((seeds * len(centred), 5))
    pairs = np.empty((len(boxes), 2))
    count = 0
    for body in range(seeds):
        for detection in range(len(centred)):
            ratio = centred[detection, 3] / max(boxes[body, 3], MIN_SIDE_PX)
            if abs(math.log(ratio)) > 3.0 * HEIGHT_LOG_STD:
                continue
            found[count, 0], found[count, 1] = 1.0, 0.0
            found[count, 2] = centred[detection, 0] - boxes[body, 0]
            found[count, 3] = centred[detection, 1] - boxes[body, 1]
            found[count, 4] = support(found[count, :4], boxes, spread2, centred, pairs)
            count += 1
    return found[:count]


@compiled
def nearest_of(box: Float64Array, centred: Float64Array) -> IndexArray:
    """The NEAREST detections of about a body's height (factor LARGEST_RATIO) in the order of their distance."""
    distances = np.full(len(centred), np.inf)
    for detection in range(len(centred)):
        ratio = centred[detection, 3] / max(box[3], MIN_SIDE_PX)
        if 1.0 / LARGEST_RATIO <= ratio <= LARGEST_RATIO:
            distances[detection] = (centred[detection, 0] - box[0]) ** 2 + (centred[detection, 1] - box[1]) ** 2
    nearest = np.empty(min(NEAREST, len(centred)), np.int64)
    for count in range(len(nearest)):
        nearest[count] = distances.argmin()
        if distances[nearest[count]] == np.inf:
            return nearest[:count]
        distances[nearest[count]] = np.inf
    return nearest


@compiled
def similarities(boxes: Float64Array, spread2: Float64Array, centred: Float64Array) -> Float64Array:
    """Candidates (C, 5) p, q, x, y, support, for each two pairs of the first people and detections near them."""
    seeds = min(len(boxes), SEEDS)
    found = np.empty((seeds * (seeds - 1) // 2 * NEAREST * NEAREST, 5))
    pairs = np.empty((len(boxes), 2))
    count = 0
    for first in range(seeds):
        firsts = nearest_of(boxes[first], centred)
        for second in range(first + 1, seeds):
            base_x, base_y = boxes[second, 0] - boxes[first, 0], boxes[second, 1] - boxes[first, 1]
            base2 = base_x * base_x + base_y * base_y
            if base2 < (BASE * boxes[first, 3]) ** 2:
                continue
            seconds = nearest_of(boxes[second], centred)
            for one in firsts:
                for other in seconds:
                    if one == other:
                        continue
                    gap_x, gap_y = centred[other, 0] - centred[one, 0], centred[other, 1] - centred[one, 1]
                    p = (base_x * gap_x + base_y * gap_y) / base2
                    q = (base_x * gap_y - base_y * gap_x) / base2
                    zoom = math.hypot(p, q)
                    if not 1.0 / LARGEST_RATIO <= zoom <= LARGEST_RATIO or abs(math.atan2(q, p)) > LARGEST_ROLL:
                        continue
                    ratios = math.log(centred[one, 3] / max(boxes[first, 3], MIN_SIDE_PX)) - math.log(zoom)
                    ratios = max(
                        abs(ratios),
                        abs(math.log(centred[other, 3] / max(boxes[second, 3], MIN_SIDE_PX)) - math.log(zoom)),
                    )
                    if ratios > 2.0 * HEIGHT_LOG_STD:
                        continue
                    found[count, 0], found[count, 1] = p, q
                    found[count, 2] = centred[one, 0] - p * boxes[first, 0] + q * boxes[first, 1]
                    found[count, 3] = centred[one, 1] - q * boxes[first, 0] - p * boxes[first, 1]
                    found[count, 4] = support(found[count, :4], boxes, spread2, centred, pairs)
                    count += 1
    return found[:count]


@compiled
def best(found: Float64Array, boxes: Float64Array, spread2: Float64Array) -> Float64Array:
    """The KEPT candidates (up to KEPT, 4) with the most support that differ from each other."""
    kept = np.empty((KEPT, 4))
    count = 0
    supports = found[:, 4].copy()
    for _ in range(len(found)):
        place = supports.argmax()
        candidate, supports[place] = found[place], -1.0
        new = True
        for other in range(count):
            apart = 0.0
            for body in range(len(boxes)):
                p, q = candidate[0] - kept[other, 0], candidate[1] - kept[other, 1]
                x = p * boxes[body, 0] - q * boxes[body, 1] + candidate[2] - kept[other, 2]
                y = q * boxes[body, 0] + p * boxes[body, 1] + candidate[3] - kept[other, 3]
                apart = max(apart, (x * x + y * y) / spread2[body])
            new = new and apart > 1.0
        if new:
            kept[count] = candidate[:4]
            count += 1
            if count == KEPT:
                break
    return kept[:count]


@compiled
def fitted(
    motion: Float64Array, boxes: Float64Array, spread2: Float64Array, centred: Float64Array, zooms: bool
) -> tuple[Float64Array, int]:
    """The motion (4,) that fits the people it brings onto detections best, by least squares, and their number."""
    pairs = np.empty((len(boxes), 2))
    fit = motion[:4].copy()
    agreed = 0
    for _ in range(2):
        support(fit, boxes, spread2, centred, pairs)
        agreed, weights = 0, 0.0
        from_x = from_y = to_x = to_y = 0.0
        for body in range(len(boxes)):
            if pairs[body, 1] < INLIER:
                continue
            box, detection, weight = boxes[body], centred[int(pairs[body, 0])], pairs[body, 1] / spread2[body]
            agreed += 1
            weights += weight
            from_x, from_y = from_x + weight * box[0], from_y + weight * box[1]
            to_x, to_y = to_x + weight * detection[0], to_y + weight * detection[1]
        if agreed == 0:
            break
        from_x, from_y, to_x, to_y = from_x / weights, from_y / weights, to_x / weights, to_y / weights
        p, q = 1.0, 0.0
        if zooms:
            along = across = length2 = 0.0
            for body in range(len(boxes)):
                if pairs[body, 1] < INLIER:
                    continue
                detection, weight = centred[int(pairs[body, 0])], pairs[body, 1] / spread2[body]
                x, y = boxes[body, 0] - from_x, boxes[body, 1] - from_y
                u, v = detection[0] - to_x, detection[1] - to_y
                along += weight * (x * u + y * v)
                across += weight * (x * v - y * u)
                length2 += weight * (x * x + y * y)
            if length2 > 0.0:
                p, q = along / length2, across / length2
        fit[0], fit[1] = p, q
        fit[2], fit[3] = to_x - p * from_x + q * from_y, to_y - q * from_x - p * from_y
    return fit, agreed
