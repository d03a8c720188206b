"""Compare the people that an engine detects with those that the reference, fp32, detects in the same pictures."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass

import numpy as np

from posebus.arrays import Float32Array
from posebus.boxes import iou_matrix
from posebus.wording import counted
from workers.detections import Detections

COUNTED_SCORE = 0.25
"""People count from this score on: ultralytics' default threshold for showing detections."""

MATCHED_IOU = 0.5
"""Two boxes are the same person from this IoU on, as in PASCAL VOC."""

SMALL_PX = 96.0
"""People less high than this in the network's input count as small: a coarser arithmetic misses them first."""

VISIBLE_CONFIDENCE = 0.5
"""Joints to which the reference gives less confidence are left out, because it guesses their position."""

MAX_RECALL_LOSS = 0.03
"""Three of a hundred people: misses last one or two frames, which a tracker bridges without losing a person."""

MAX_AP_LOSS = 0.01
"""A ninth of the difference between yolo11n-pose and the next larger network, yolo11s-pose (ultralytics' figures)."""


@dataclass(frozen=True, slots=True)
class SizeClass:
    """The comparison for people of one size class.

    people: detected by the reference. missed: of those, not detected by the engine. extra: detected by the engine only.
    mean_error, p95_error: mean and 95th percentile of the distance between both engines' joints, as a fraction of the
    person's size (the square root of the box's area); None where there is nothing to compare.
    """

    people: int
    missed: int
    extra: int
    mean_error: float | None
    p95_error: float | None

    @property
    def recall(self) -> float:
        """The fraction of the reference's people that the engine detected."""
        return 1.0 - self.missed / self.people if self.people else 1.0


@dataclass(frozen=True, slots=True)
class Report:
    """The comparison on `frames` pictures; average precisions where there were annotations.

    A score near COUNTED_SCORE can cross it with any change of arithmetic: even between two CPUs a few people are missed
    and about as many are extra. The counts are not corrected for that.
    """

    frames: int
    all: SizeClass
    small: SizeClass
    large: SizeClass
    reference_ap: float | None = None
    ap: float | None = None

    @property
    def ap_loss(self) -> float | None:
        """The reference's average precision minus the engine's."""
        return None if self.ap is None or self.reference_ap is None else self.reference_ap - self.ap

    def as_dict(self) -> dict[str, object]:
        """Return plain data for JSON."""
        return asdict(self)


def compare(pairs: Iterable[tuple[Detections, Detections]]) -> Report:
    """Return the report on the (reference, candidate) detections of each picture, in pixels of the network's input."""
    frames = 0
    found = {True: _Counts(), False: _Counts()}
    for reference, candidate in pairs:
        frames += 1
        _count(reference, candidate, found)
    small, large = found[True], found[False]
    both = _Counts(
        small.people + large.people, small.missed + large.missed, small.extra + large.extra, small.errors + large.errors
    )
    return Report(frames, both.size_class(), small.size_class(), large.size_class())


def why_refused(report: Report, max_recall_loss: float, max_ap_loss: float) -> list[str]:
    """Return the reasons for refusing the engine, a phrase each; none where it may be used."""
    reasons = []
    if not report.all.people:
        reasons.append("the frames that were held back show no people, so that nothing could be compared")
    elif report.all.missed > max_recall_loss * report.all.people:
        reasons.append(
            f"{report.all.missed} of {counted(report.all.people, 'person')} not detected any more "
            f"({1.0 - report.all.recall:.3f}, where {max_recall_loss:g} is allowed)"
        )
    if report.ap_loss is not None and report.ap_loss > max_ap_loss:
        reasons.append(f"AP is {report.ap_loss:.3f} lower than with fp32, where {max_ap_loss:g} is allowed")
    return reasons


class _Counts:
    """Running counts over pictures; `errors` are arrays of distances between joints."""

    def __init__(
        self, people: int = 0, missed: int = 0, extra: int = 0, errors: list[Float32Array] | None = None
    ) -> None:
        self.people, self.missed, self.extra = people, missed, extra
        self.errors: list[Float32Array] = errors or []

    def size_class(self) -> SizeClass:
        errors = np.concatenate(self.errors) if self.errors else np.empty(0, np.float32)
        if not len(errors):
            return SizeClass(self.people, self.missed, self.extra, None, None)
        return SizeClass(self.people, self.missed, self.extra, float(errors.mean()), float(np.percentile(errors, 95)))


def _count(reference: Detections, candidate: Detections, found: dict[bool, _Counts]) -> None:
    expected = np.flatnonzero(reference.scores >= COUNTED_SCORE)
    offered = np.flatnonzero(candidate.scores >= COUNTED_SCORE)
    pairs = _pairs(reference.boxes_xyxy_px[expected], candidate.boxes_xyxy_px[offered])
    matched = {int(expected[one]): int(offered[other]) for one, other in pairs}
    for person in expected.tolist():
        box = reference.boxes_xyxy_px[person]
        counts = found[_is_small(box)]
        counts.people += 1
        if person not in matched:
            counts.missed += 1
            continue
        counts.errors.append(_errors(box, reference.keypoints_px[person], candidate.keypoints_px[matched[person]]))
    for person in set(offered.tolist()) - set(matched.values()):
        found[_is_small(candidate.boxes_xyxy_px[person])].extra += 1


def _pairs(reference: Float32Array, candidate: Float32Array) -> list[tuple[int, int]]:
    """Return one-to-one pairs of indices, the largest overlaps first."""
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
    """Return the distances (J,) of the joints visible to the reference, as fractions of the person's size."""
    size_px = np.sqrt(max((box[2] - box[0]) * (box[3] - box[1]), 1.0))
    visible = reference[:, 2] >= VISIBLE_CONFIDENCE
    apart: Float32Array = np.linalg.norm(reference[visible, :2] - candidate[visible, :2], axis=1) / size_px
    return apart
