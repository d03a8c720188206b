"""People in bad pictures, by the real network on a real recording."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest

from benchmarks.accuracy.damage import compressed, foggy
from benchmarks.common.hota import MATCHED_IOU
from benchmarks.common.mot import corners_of, read_mot
from posebus.boxes import iou_matrix
from tests.integration.conftest import MakeEstimator
from workers.detections import ImageArray
from workers.inference.estimator import PoseEstimator

SURE = 0.25


@pytest.fixture(scope="module")
def street(shared_data: Path) -> list[tuple[ImageArray, np.ndarray]]:
    """Every third picture of TUD-Stadtmitte, and the people in it: left, top, width, height."""
    truth = read_mot(shared_data / "TUD-Stadtmitte.gt.txt", truth=True)
    with av.open(str(shared_data / "TUD-Stadtmitte.mp4")) as container:
        rows = [picture.to_ndarray(format="rgb24") for picture in container.decode(video=0)]
    return [(rows[n], np.array([row[1:] for row in truth[n + 1]], float)) for n in range(0, len(rows), 3)]


def recall(estimator: PoseEstimator, pictures: list[tuple[ImageArray, np.ndarray]]) -> float:
    found = people = 0
    for rows, truth in pictures:
        seen = estimator.estimate(rows)
        boxes = seen.boxes_xyxy_px[seen.scores >= SURE].astype(float)
        boxes[:, 2:] -= boxes[:, :2]
        people += len(truth)
        found += (
            int((iou_matrix(corners_of(truth), corners_of(boxes)) >= MATCHED_IOU).any(axis=1).sum())
            if len(boxes)
            else 0
        )
    return found / people


def test_people_in_the_dark_are_found_with_enhancement(
    street: list[tuple[ImageArray, np.ndarray]], make_estimator: MakeEstimator
) -> None:
    rng = np.random.default_rng(0)
    night = [
        (np.clip(np.rint(rows * 0.1 + rng.normal(0, 5, rows.shape)), 0, 255).astype(np.uint8), truth)
        for rows, truth in street
    ]
    plain = make_estimator(engine="openvino", precision="fp32")
    helped = make_estimator(engine="openvino", precision="fp32", enhance="auto")
    blind, seen = recall(plain, night), recall(helped, night)
    assert blind < 0.75
    assert seen > 0.82


def test_daylight_pictures_stay_unchanged_to_the_bit(
    street: list[tuple[ImageArray, np.ndarray]], make_estimator: MakeEstimator
) -> None:
    plain = make_estimator(engine="openvino", precision="fp32")
    helped = make_estimator(engine="openvino", precision="fp32", enhance="auto")
    for rows, _ in street[:4]:
        one, other = plain.estimate(rows), helped.estimate(rows)
        np.testing.assert_array_equal(one.keypoints_px, other.keypoints_px)
        np.testing.assert_array_equal(one.scores, other.scores)


def test_people_behind_fog_and_blocks_are_found_with_enhancement(
    street: list[tuple[ImageArray, np.ndarray]], make_estimator: MakeEstimator
) -> None:
    plain = make_estimator(engine="openvino", precision="fp32")
    helped = make_estimator(engine="openvino", precision="fp32", enhance="auto")
    some = street[::3]
    clear = recall(plain, some)
    for damage in (foggy(0.15), compressed(8)):
        rng = np.random.default_rng(0)
        bad = [(damage.apply(rows, rng), truth) for rows, truth in some]
        assert recall(plain, bad) < clear - 0.03, damage.name
        assert recall(helped, bad) > clear - 0.05, damage.name
