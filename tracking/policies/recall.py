"""`imgsz: auto`: the cheapest view of a camera that still finds its people, from probes by several views.

A probe is one frame that was inferred by several views. A person found with a sufficient score by any of them counts as
present. A view that missed a person who is small in its input is too small; a large person was missed for another
reason (half out of the picture, behind a table), which no size would change, and hardly counts.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from posebus.arrays import Float64Array
from posebus.boxes import iou_matrix
from posebus.views import View, parse_view
from tracking.policies.ladder import cost_px, expected_recall, scale_of

MIN_SCORE = 0.25
"""A person that any view finds with this score is present; the score is the person's weight."""
SAME_IOU = 0.5
LARGE_PX = 130.0
"""Height in the network's input at which a missed person was as likely missed for its size as for another reason."""
LARGE_STEEPNESS = 8.0
ENOUGH = 0.95
"""Share of the people that a view must find."""
CLEARLY_ENOUGH = 0.965
"""The same for a view cheaper than the present one, so that a value near the limit does not make the view alternate."""
EVIDENCE_TO_SHRINK = 5.0
"""People (by weight) with which a cheaper view must have been measured if the recall model gives it just
CLEARLY_ENOUGH; fewer are needed the higher the model's value is ..."""
LEAST_EVIDENCE = 1.0
"""... but at least this many."""
MODEL_WEIGHT = 2.0
"""The recall model counts as much as a measurement with this many people."""
REFERENCE = 1.5
"""Only a probe that includes a view of at least this many times its scale, or the largest one, shows what a view
misses."""
PROBES_KEPT = 8
FORGET_S = 900.0


@dataclass(frozen=True, slots=True)
class ProbeResult:
    """What one probed frame showed.

    at_ns: its capture time. weight: total weight of the people found. people: (height in source pixels, weight) of
    each. missed: per view, the weight of the people that it missed for their size. found: per view, how many it found.
    """

    at_ns: int
    weight: float
    people: tuple[tuple[float, float], ...]
    missed: Mapping[View, float]
    found: Mapping[View, int]


class RecallEstimate(NamedTuple):
    """The estimated recall of a view, the weight of the people it was measured with, and the recall model's value."""

    recall: float
    weight: float
    model_recall: float

    @property
    def enough_to_shrink(self) -> bool:
        """Whether it clearly finds enough people, and was measured with enough of them."""
        needed = EVIDENCE_TO_SHRINK * (1.0 - self.model_recall) / (1.0 - CLEARLY_ENOUGH)
        tried = self.weight >= min(EVIDENCE_TO_SHRINK, max(LEAST_EVIDENCE, needed))
        return tried and self.recall >= CLEARLY_ENOUGH


def compare_views(
    at_ns: int, views: Sequence[tuple[View, npt.NDArray[Any], npt.NDArray[Any]]], size_px: tuple[int, int]
) -> ProbeResult:
    """Compare several views of one frame.

    Args:
        at_ns: capture time of the frame.
        views: (view, boxes (N, 4) as x1, y1, x2, y2 in source pixels, scores (N,)) of each.
        size_px: (width, height) of the picture.
    """
    ordered = sorted(views, key=lambda one: -scale_of(one[0], size_px))
    boxes: list[Float64Array] = []
    weights: list[float] = []
    found_by: list[set[View]] = []
    for view, view_boxes, scores in ordered:
        for box, score in zip(np.asarray(view_boxes, float), scores.tolist(), strict=True):
            if score < MIN_SCORE:
                continue
            row = _same_person(box, boxes, [view in found for found in found_by])
            if row is None:
                boxes.append(box)
                weights.append(score)
                found_by.append({view})
            else:
                found_by[row].add(view)
                weights[row] = max(weights[row], score)
    heights = [float(box[3] - box[1]) for box in boxes]
    missed, counted = {}, {}
    for view, _, _ in ordered:
        scale = scale_of(view, size_px)
        unseen = [row for row in range(len(boxes)) if view not in found_by[row]]
        missed[view] = sum(weights[row] * missed_for_size(heights[row] * scale) for row in unseen)
        counted[view] = len(boxes) - len(unseen)
    return ProbeResult(
        at_ns=at_ns,
        weight=sum(weights),
        people=tuple(zip(heights, weights, strict=True)),
        missed=missed,
        found=counted,
    )


def _same_person(box: Float64Array, boxes: Sequence[Float64Array], taken: Sequence[bool]) -> int | None:
    """Row of the box that overlaps `box` (4,) most, if that is enough and it is not `taken`."""
    if not boxes:
        return None
    overlaps = np.where(taken, 0.0, iou_matrix(box[None], np.stack(boxes))[0])
    row = int(np.argmax(overlaps))
    return row if overlaps[row] >= SAME_IOU else None


def missed_for_size(height_px: float) -> float:
    """Probability, 0 to 1, that a missed person of this height in the network's input was missed for its size."""
    return float(1.0 / (1.0 + (height_px / LARGE_PX) ** LARGE_STEEPNESS))


def estimate_recall(
    view: View, probes: Iterable[ProbeResult], views: Sequence[View], size_px: tuple[int, int]
) -> RecallEstimate:
    """Estimate the share of the people that `view` finds: as measured, blended with the recall model.

    Args:
        view: the view.
        probes: recent probes.
        views: all views that may be chosen, by ascending scale.
        size_px: (width, height) of the picture.
    """
    scale, largest = scale_of(view, size_px), views[-1]
    weight = missed = expected = people = 0.0
    for probe in probes:
        for height_px, one in probe.people:
            expected += one * expected_recall(height_px * scale)
            people += one
        has_reference = any(scale_of(other, size_px) >= REFERENCE * scale for other in probe.missed)
        if view in probe.missed and (has_reference or view == largest or _reaches_top(probe, views)):
            weight += probe.weight
            missed += probe.missed[view]
    model_recall = expected / people if people else 0.0
    recall = (weight - missed + MODEL_WEIGHT * model_recall) / (weight + MODEL_WEIGHT)
    return RecallEstimate(recall, weight, model_recall)


def _reaches_top(probe: ProbeResult, views: Sequence[View]) -> bool:
    """Whether a probe includes the largest whole picture or the largest view, so that views just below were compared
    with the best there is."""
    whole = [one for one in views if not one.tiled]
    return whole[-1] in probe.missed or views[-1] in probe.missed


def choose_view(current: View, probes: Sequence[ProbeResult], views: Sequence[View], size_px: tuple[int, int]) -> View:
    """The cheapest view that finds enough people; `current` while no person was found.

    A dearer view is chosen at once, since people are being missed; a cheaper one only if it clearly finds enough and
    was measured with enough people. If no view finds enough, the one that finds most is chosen.

    Args:
        current: the view in use.
        probes: recent probes.
        views: all views that may be chosen, by ascending scale.
        size_px: (width, height) of the picture.
    """
    if not any(probe.weight for probe in probes):
        return current
    estimates = {view: estimate_recall(view, probes, views, size_px) for view in views}
    measured = [view for view in views if estimates[view].weight > 0 or view == current]
    measured.sort(key=lambda view: cost_px(view, size_px))
    current_cost_px = cost_px(current, size_px)
    for view in measured:
        cheaper = cost_px(view, size_px) < current_cost_px
        if estimates[view].enough_to_shrink if cheaper else estimates[view].recall >= ENOUGH:
            return view
    # A larger view is worth its cost only if it finds more.
    return max(measured, key=lambda view: (round(estimates[view].recall, 2), -cost_px(view, size_px)))


def recent_probes(probes: Sequence[ProbeResult], now_ns: int) -> list[ProbeResult]:
    """The probes that still count: the newest with people, and none that is too old."""
    young = [one for one in probes if now_ns - one.at_ns <= FORGET_S * 1e9 and one.weight]
    return young[-PROBES_KEPT:]


def probe_to_json(one: ProbeResult) -> list[Any]:
    """JSON values."""
    views = [[str(view), one.missed[view], one.found[view]] for view in one.missed]
    return [one.at_ns, one.weight, [list(person) for person in one.people], views]


def probe_from_json(values: Sequence[Any]) -> ProbeResult:
    """The inverse of `probe_to_json`. Raises ValueError, TypeError or MalformedMessage."""
    at_ns, weight, people, rows = values
    views = [(parse_view(text), float(missed), int(found)) for text, missed, found in rows]
    return ProbeResult(
        at_ns=int(at_ns),
        weight=float(weight),
        people=tuple((float(height), float(one)) for height, one in people),
        missed={view: missed for view, missed, _ in views},
        found={view: found for view, _, found in views},
    )
