"""`imgsz: auto`: the cheapest view of a camera by which its people are still found, from probes of several views.

A probe is one frame that was inferred by several views. Whoever any of them found surely is there. A view that did
not find somebody who is small in its input is too small; somebody large whom it missed was missed for another reason
(half out of the picture, behind a table), which no size would change, and hardly counts.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from posebus.arrays import Float64Array
from posebus.views import View, parse_view
from tracking.policies.ladder import cost_px, scale_of, seen_part

SURE_SCORE = 0.25
"""Whoever any view finds with this score is there; its score is its weight."""
SAME_IOU = 0.5
BIG_ENOUGH_PX = 130.0
"""People of this height in the network's input are half as likely missed for their size as for anything else."""
BIG_STEEPNESS = 8.0
ENOUGH = 0.95
"""Part of the people that a view must find."""
CLEARLY_ENOUGH = 0.965
"""The same of a cheaper view than the present one, so that a value near the limit does not change it to and fro."""
EVIDENCE_TO_SHRINK = 5.0
"""People (weights of them) that a cheaper view must have been measured with where the law of heights calls it just
CLEARLY_ENOUGH; the fewer the less that leaves in doubt ..."""
LEAST_EVIDENCE = 1.0
"""... but so many at least."""
BELIEF = 2.0
"""So many people's weight has what the law of heights says of a view, beside what was measured."""
REFERENCE = 1.5
"""Only a probe by a view of at least this many times its scale, or the largest, tells what a view misses."""
PROBES_KEPT = 8
FORGET_S = 900.0


@dataclass(frozen=True, slots=True)
class Probed:
    """What one frame said. weight: of all people found; heights_px: of them, in source pixels, with their weights;
    missed: by view, the weight of those that it missed because of its size; found: by view, how many it found."""

    at_ns: int
    weight: float
    people: tuple[tuple[float, float], ...]
    missed: Mapping[View, float]
    found: Mapping[View, int]


class Belief(NamedTuple):
    """Of a view: the part of the people that it finds, the weight of those it was measured with, and the part that the
    law of heights alone tells."""

    part: float
    weight: float
    law: float

    @property
    def enough_to_shrink(self) -> bool:
        """Whether it clearly does, and was measured with enough people to say so."""
        needed = EVIDENCE_TO_SHRINK * (1.0 - self.law) / (1.0 - CLEARLY_ENOUGH)
        tried = self.weight >= min(EVIDENCE_TO_SHRINK, max(LEAST_EVIDENCE, needed))
        return tried and self.part >= CLEARLY_ENOUGH


def probed(
    at_ns: int, views: Sequence[tuple[View, npt.NDArray[Any], npt.NDArray[Any]]], size_px: tuple[int, int]
) -> Probed:
    """Compare views of one frame: (view, boxes (N, 4) x, y, x, y in source pixels, scores (N,)) of each."""
    ordered = sorted(views, key=lambda one: -scale_of(one[0], size_px))
    boxes: list[Float64Array] = []
    weights: list[float] = []
    seen_by: list[set[View]] = []
    for view, found, scores in ordered:
        for box, score in zip(np.asarray(found, float), scores.tolist(), strict=True):
            if score < SURE_SCORE:
                continue
            overlaps = [0.0 if view in seen_by[row] else _iou(box, boxes[row]) for row in range(len(boxes))]
            row = int(np.argmax(overlaps)) if overlaps else -1
            if row >= 0 and overlaps[row] >= SAME_IOU:
                seen_by[row].add(view)
                weights[row] = max(weights[row], score)
            else:
                boxes.append(box)
                weights.append(score)
                seen_by.append({view})
    heights = [float(box[3] - box[1]) for box in boxes]
    missed, counted = {}, {}
    for view, _, _ in ordered:
        scale = scale_of(view, size_px)
        unseen = [row for row in range(len(boxes)) if view not in seen_by[row]]
        missed[view] = sum(weights[row] * too_small(heights[row] * scale) for row in unseen)
        counted[view] = len(boxes) - len(unseen)
    return Probed(at_ns, sum(weights), tuple(zip(heights, weights, strict=True)), missed, counted)


def too_small(height_px: float) -> float:
    """How likely somebody of this height in the network's input was missed because of it, 0 to 1."""
    return float(1.0 / (1.0 + (height_px / BIG_ENOUGH_PX) ** BIG_STEEPNESS))


def belief(view: View, probes: Iterable[Probed], views: Sequence[View], size_px: tuple[int, int]) -> Belief:
    """What part of the people `view` finds: as measured, and where that is little, as the law of heights says."""
    scale, largest = scale_of(view, size_px), views[-1]
    weight = missed = expected = people = 0.0
    for probe in probes:
        for height_px, one in probe.people:
            expected += one * seen_part(height_px * scale)
            people += one
        telling = any(scale_of(other, size_px) >= REFERENCE * scale for other in probe.missed)
        if view in probe.missed and (telling or view == largest or _is_top(view, probe, views)):
            weight += probe.weight
            missed += probe.missed[view]
    law = expected / people if people else 0.0
    return Belief((weight - missed + BELIEF * law) / (weight + BELIEF), weight, law)


def _is_top(view: View, probe: Probed, views: Sequence[View]) -> bool:
    """Whether a probe went as far up as there are whole pictures, so that `view`, if near that, was compared."""
    whole = [one for one in views if not one.tiled]
    return whole[-1] in probe.missed or views[-1] in probe.missed


def chosen(
    current: View, probes: Sequence[Probed], views: Sequence[View], size_px: tuple[int, int]
) -> tuple[View, Belief]:
    """The cheapest view that finds enough, and what is believed of it; `current` where nobody was found yet.

    A dearer one at once, as people go missing; a cheaper one only once it clearly does and was measured with enough
    people. Where none finds enough, the one that finds most.
    """
    if not any(probe.weight for probe in probes):
        return current, Belief(0.0, 0.0, 0.0)
    beliefs = {view: belief(view, probes, views, size_px) for view in views}
    measured = [view for view in views if beliefs[view].weight > 0 or view == current]
    measured.sort(key=lambda view: cost_px(view, size_px))
    now_cost_px = cost_px(current, size_px)
    for view in measured:
        cheaper = cost_px(view, size_px) < now_cost_px
        if beliefs[view].enough_to_shrink if cheaper else beliefs[view].part >= ENOUGH:
            return view, beliefs[view]
    # Nothing larger is worth its price unless it finds more.
    best = max(measured, key=lambda view: (round(beliefs[view].part, 2), -cost_px(view, size_px)))
    return best, beliefs[best]


def kept(probes: Sequence[Probed], now_ns: int) -> list[Probed]:
    """The probes that still count: the newest with people, none that is old."""
    young = [one for one in probes if now_ns - one.at_ns <= FORGET_S * 1e9 and one.weight]
    return young[-PROBES_KEPT:]


def probe_to_json(one: Probed) -> list[Any]:
    """JSON values."""
    views = [[str(view), one.missed[view], one.found[view]] for view in one.missed]
    return [one.at_ns, one.weight, [list(person) for person in one.people], views]


def probe_from_json(values: Sequence[Any]) -> Probed:
    """The inverse. Raises ValueError, TypeError or MalformedMessage."""
    at_ns, weight, people, rows = values
    views = [(parse_view(text), float(missed), int(found)) for text, missed, found in rows]
    return Probed(
        int(at_ns),
        float(weight),
        tuple((float(height), float(one)) for height, one in people),
        {view: missed for view, missed, _ in views},
        {view: found for view, _, found in views},
    )


def _iou(one: Float64Array, other: Float64Array) -> float:
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    if width <= 0 or height <= 0:
        return 0.0
    shared = width * height
    areas = (one[2] - one[0]) * (one[3] - one[1]) + (other[2] - other[0]) * (other[3] - other[1])
    return float(shared / (areas - shared))
