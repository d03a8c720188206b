"""How far the people that one engine finds differ from those that the reference, fp32, finds in the same pictures."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass

import numpy as np

from posebus.arrays import Float32Array
from posebus.boxes import iou_matrix
from workers.detections import Detections

COUNTED_SCORE = 0.25
"""People count from this score on: ultralytics' own threshold for what is shown to somebody."""

MATCHED_IOU = 0.5
"""From which overlap on two boxes are of one person, as in PASCAL VOC."""

SMALL_PX = 96.0
"""People less high than this in the network's input count as small: the first whom a coarser arithmetic loses."""

SEEN_CONFIDENCE = 0.5
"""Joints that the reference is less sure of are left out: it guesses where those are."""

MAX_RECALL_LOSS = 0.03
"""Of a hundred people, three: what a tracker bridges without losing anybody, for a miss lasts one frame or two."""

MAX_AP_LOSS = 0.01
"""A ninth of what lies between yolo11n-pose and the next larger network, yolo11s-pose (ultralytics' figures)."""


@dataclass(frozen=True, slots=True)
class Group:
    """People of one size. `missed` of `people` whom the reference sees were not found; `extra` were found beside them.

    Where both see a joint, they put it `mean_error` apart (`p95_error`: 95 of 100 joints are closer), in parts of the
    body's size, the square root of its box's area; None where there is nothing to compare.
    """

    people: int
    missed: int
    extra: int
    mean_error: float | None
    p95_error: float | None

    @property
    def recall(self) -> float:
        """Part of the reference's people who were found."""
        return 1.0 - self.missed / self.people if self.people else 1.0


@dataclass(frozen=True, slots=True)
class Report:
    """What was compared on `frames` pictures; average precisions where there were annotations.

    Somebody whose score is near COUNTED_SCORE can cross it with any change of arithmetic: a few are missed and about as
    many are extra even between two CPUs. Nothing is deducted for that.
    """

    frames: int
    all: Group
    small: Group
    large: Group
    reference_ap: float | None = None
    ap: float | None = None

    @property
    def ap_loss(self) -> float | None:
        """How much lower the average precision is than the reference's."""
        return None if self.ap is None or self.reference_ap is None else self.reference_ap - self.ap

    def as_dict(self) -> dict[str, object]:
        """Plain data for JSON."""
        return asdict(self)


def compare(pairs: Iterable[tuple[Detections, Detections]]) -> Report:
    """The report on (reference, candidate) of each picture, both in pixels of the network's input."""
    frames = 0
    found = {True: _Tally(), False: _Tally()}
    for reference, candidate in pairs:
        frames += 1
        _count(reference, candidate, found)
    small, large = found[True], found[False]
    both = _Tally(
        small.people + large.people, small.missed + large.missed, small.extra + large.extra, small.errors + large.errors
    )
    return Report(frames, both.group(), small.group(), large.group())


def why_refused(report: Report, max_recall_loss: float, max_ap_loss: float) -> list[str]:
    """What the engine lost too much of, a phrase each; nothing where it may be used."""
    reasons = []
    if not report.all.people:
        reasons.append("nobody is in the frames that were held back, so that nothing could be compared")
    elif report.all.missed > max_recall_loss * report.all.people:
        reasons.append(
            f"{report.all.missed} of {report.all.people} people are not found any more "
            f"({1.0 - report.all.recall:.3f}, and {max_recall_loss:g} is allowed)"
        )
    if report.ap_loss is not None and report.ap_loss > max_ap_loss:
        reasons.append(f"AP is {report.ap_loss:.3f} lower than with fp32, and {max_ap_loss:g} is allowed")
    return reasons


class _Tally:
    """Counts that grow picture by picture; `errors` are arrays of joints' distances."""

    def __init__(
        self, people: int = 0, missed: int = 0, extra: int = 0, errors: list[Float32Array] | None = None
    ) -> None:
        self.people, self.missed, self.extra = people, missed, extra
        self.errors: list[Float32Array] = errors or []

    def group(self) -> Group:
        errors = np.concatenate(self.errors) if self.errors else np.empty(0, np.float32)
        if not len(errors):
            return Group(self.people, self.missed, self.extra, None, None)
        return Group(self.people, self.missed, self.extra, float(errors.mean()), float(np.percentile(errors, 95)))


def _count(reference: Detections, candidate: Detections, found: dict[bool, _Tally]) -> None:
    expected = np.flatnonzero(reference.scores >= COUNTED_SCORE)
    offered = np.flatnonzero(candidate.scores >= COUNTED_SCORE)
    pairs = _pairs(reference.boxes_xyxy_px[expected], candidate.boxes_xyxy_px[offered])
    matched = {int(expected[one]): int(offered[other]) for one, other in pairs}
    for person in expected.tolist():
        box = reference.boxes_xyxy_px[person]
        tally = found[_is_small(box)]
        tally.people += 1
        if person not in matched:
            tally.missed += 1
            continue
        tally.errors.append(_errors(box, reference.keypoints_px[person], candidate.keypoints_px[matched[person]]))
    for person in set(offered.tolist()) - set(matched.values()):
        found[_is_small(candidate.boxes_xyxy_px[person])].extra += 1


def _pairs(reference: Float32Array, candidate: Float32Array) -> list[tuple[int, int]]:
    """One to one, the largest overlaps first."""
    shared = iou_matrix(reference, candidate)
    pairs: list[tuple[int, int]] = []
    while shared.size and shared.max() >= MATCHED_IOU:
        one, other = np.unravel_index(int(shared.argmax()), shared.shape)
        pairs.append((int(one), int(other)))
        shared[one, :] = 0
        shared[:, other] = 0
    return pairs


def _is_small(box: Float32Array) -> bool:
    return bool(box[3] - box[1] < SMALL_PX)


def _errors(box: Float32Array, reference: Float32Array, candidate: Float32Array) -> Float32Array:
    """Distances (J,) of the joints that the reference sees, in parts of the body's size."""
    size_px = np.sqrt(max((box[2] - box[0]) * (box[3] - box[1]), 1.0))
    seen = reference[:, 2] >= SEEN_CONFIDENCE
    apart: Float32Array = np.linalg.norm(reference[seen, :2] - candidate[seen, :2], axis=1) / size_px
    return apart
