"""The report that compares an engine with fp32, on cases counted by hand."""

from __future__ import annotations

import numpy as np
import pytest

from workers.detections import Detections
from workers.int8.engine_report import Report, compare, why_refused

Person = tuple[float, float, float, float, float]
"""Left, top, width, height, score."""


def people(*rows: Person, shift_px: float = 0.0, confidence: float = 0.9) -> Detections:
    """Return people whose 17 joints all lie `shift_px` to the right of the middle of the box."""
    boxes = np.array([(x, y, x + w, y + h) for x, y, w, h, _ in rows], np.float32).reshape(-1, 4)
    middle = (boxes[:, :2] + boxes[:, 2:]) / 2 + np.array([shift_px, 0], np.float32)
    joints = np.concatenate((middle, np.full((len(rows), 1), confidence, np.float32)), axis=1)
    return Detections(
        boxes_xyxy_px=boxes,
        scores=np.array([row[4] for row in rows], np.float32),
        keypoints_px=np.repeat(joints[:, None].astype(np.float32), 17, axis=1),
    )


def test_small_and_large_people_are_counted_separately() -> None:
    reference = people((0, 0, 50, 200, 0.9), (100, 0, 20, 60, 0.8), (200, 0, 20, 60, 0.7))
    candidate = people((0, 0, 50, 200, 0.9), (100, 0, 20, 60, 0.3), (300, 0, 20, 60, 0.5))
    report = compare([(reference, candidate)])
    assert (report.frames, report.all.people, report.all.missed, report.all.extra) == (1, 3, 1, 1)
    assert (report.small.people, report.small.missed, report.small.extra) == (2, 1, 1)
    assert (report.large.people, report.large.missed, report.large.extra) == (1, 0, 0)
    assert report.all.recall == pytest.approx(2 / 3)
    assert report.small.recall == pytest.approx(1 / 2)


def test_people_below_the_threshold_do_not_count() -> None:
    reference = people((0, 0, 50, 200, 0.24))
    assert compare([(reference, people())]).all.people == 0
    seen = people((0, 0, 50, 200, 0.26))
    assert compare([(seen, reference)]).all.missed == 1


def test_one_box_matches_one_person() -> None:
    reference = people((0, 0, 100, 200, 0.9), (20, 0, 100, 200, 0.9))
    assert compare([(reference, people((10, 0, 100, 200, 0.9)))]).all.missed == 1


def test_joint_errors_are_fractions_of_the_persons_size() -> None:
    reference = people((0, 0, 50, 200, 0.9))
    report = compare([(reference, people((0, 0, 50, 200, 0.9), shift_px=5))])
    assert report.large.mean_error == pytest.approx(0.05)
    assert report.large.p95_error == pytest.approx(0.05)
    assert report.small.mean_error is None


def test_joints_with_little_confidence_in_the_reference_are_left_out() -> None:
    unsure = people((0, 0, 50, 200, 0.9), confidence=0.1)
    assert compare([(unsure, people((0, 0, 50, 200, 0.9), shift_px=50))]).all.mean_error is None


def loses(missed: int, people_expected: int, ap: float | None = None) -> Report:
    reference = people(*[(100.0 * n, 0, 50, 200, 0.9) for n in range(people_expected)])
    candidate = people(*[(100.0 * n, 0, 50, 200, 0.9) for n in range(missed, people_expected)])
    report = compare([(reference, candidate)])
    return Report(report.frames, report.all, report.small, report.large, None if ap is None else 0.7, ap)


@pytest.mark.parametrize(
    ("report", "words"),
    [
        (loses(3, 100), []),
        (loses(4, 100), ["4 of 100 people not detected any more (0.040, where 0.03 is allowed)"]),
        (loses(0, 10, ap=0.695), []),
        (loses(0, 10, ap=0.71), []),
        (loses(0, 10, ap=0.68), ["AP is 0.020 lower than with fp32, where 0.01 is allowed"]),
        (loses(0, 0), ["the frames that were held back show no people, so that nothing could be compared"]),
    ],
)
def test_engine_that_loses_too_much_is_refused(report: Report, words: list[str]) -> None:
    assert why_refused(report, 0.03, 0.01) == words
