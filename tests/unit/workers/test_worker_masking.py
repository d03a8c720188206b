"""Matching outlines to people, and the engine of two others, whose results are scripted."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from posebus.arrays import Float32Array
from posebus.boxes import iou_matrix
from workers.detections import Detections, Head
from workers.engines.masking import MATCH_IOU, MaskingEngine, with_masks
from workers.images.picture import Picture
from workers.images.preprocess import Letterbox

POSES = Head(classes=1, keypoints=17, keypoint_dims=3, end_to_end=False, stride=32)
OUTLINES = Head(classes=80, keypoints=0, keypoint_dims=3, end_to_end=False, stride=64, mask_class=0)


def people(*boxes: tuple[float, ...]) -> Detections:
    """Return people as a pose network detects them."""
    count = len(boxes)
    rows = np.array(boxes, np.float32).reshape(-1, 4)
    return Detections(rows, np.linspace(0.9, 0.5, count, dtype=np.float32), np.zeros((count, 17, 3), np.float32))


def outlined(*boxes: tuple[float, ...]) -> Detections:
    """Return people as a segmentation network does: each outline is a triangle that starts at the box's corner."""
    found = people(*boxes)
    triangle = np.array(((0, 0), (5, 9), (9, 5)), np.float32)
    masks = tuple(box[:2] + triangle for box in found.boxes_xyxy_px)
    return Detections(found.boxes_xyxy_px, found.scores, found.keypoints_px[:, :0], masks)


def whose(found: Detections) -> list[float | None]:
    """Return the x of each person's first point."""
    assert found.masks is not None
    return [float(mask[0, 0]) if len(mask) else None for mask in found.masks]


def test_every_person_gets_the_matching_outline() -> None:
    found = with_masks(
        people((0, 0, 10, 20), (100, 0, 110, 20), (50, 0, 60, 20)), outlined((51, 0, 61, 20), (1, 0, 11, 20))
    )
    assert whose(found) == [1, None, 51]
    assert found.masks is not None
    assert found.masks[1].shape == (0, 2)


def test_best_match_wins_and_the_other_person_gets_the_remaining_outline() -> None:
    found = with_masks(people((0, 0, 10, 20), (2, 0, 12, 20)), outlined((2, 0, 12, 20), (4, 0, 14, 20)))
    assert whose(found) == [None, 2]
    found = with_masks(people((0, 0, 10, 20), (2, 0, 12, 20)), outlined((2, 0, 12, 20), (1, 0, 11, 20)))
    assert whose(found) == [1, 2]


def test_no_people_have_no_outlines() -> None:
    assert with_masks(people(), outlined((0, 0, 10, 20))).masks == ()
    assert whose(with_masks(people((0, 0, 10, 20)), outlined())) == [None]


@given(st.integers(0, 2**32 - 1), st.integers(0, 12), st.integers(0, 12))
def test_outlines_are_matched_one_to_one_and_only_to_overlapping_boxes(seed: int, count: int, others: int) -> None:
    rng = np.random.default_rng(seed)

    def boxes(number: int) -> list[tuple[float, ...]]:
        corner = rng.integers(0, 12, (number, 2))
        return [tuple(row) for row in np.hstack((corner, corner + rng.integers(8, 14, (number, 2)))).tolist()]

    poses, outlines = people(*boxes(count)), outlined(*boxes(others))
    assert outlines.masks is not None
    found = with_masks(poses, outlines).masks
    assert found is not None
    assert len(found) == count
    places: list[Float32Array] = list(outlines.masks)
    taken = [next(n for n, one in enumerate(places) if one is mask) for mask in found if len(mask)]
    assert len(set(taken)) == len(taken)
    fits = iou_matrix(poses.boxes_xyxy_px, outlines.boxes_xyxy_px) >= MATCH_IOU
    owners = [row for row, mask in enumerate(found) if len(mask)]
    assert all(fits[row, column] for row, column in zip(owners, taken, strict=True))
    # No person is without an outline while a matching one is left.
    free = [row for row in range(count) if row not in owners]
    assert not fits[np.ix_(free, [n for n in range(others) if n not in taken])].any()


class Scripted:
    """An engine whose results the test sets."""

    name, precision, device, batch, in_flight = "scripted", "fp32", "cpu", 2, 3

    def __init__(self, head: Head) -> None:
        self.head = head
        self.asked: list[tuple[list[Any], bool, Future[list[Detections]]]] = []
        self.prepared = 0
        self.closed = False

    def prepare(self, picture: Picture, fit: Letterbox) -> Any:
        self.prepared += 1
        return fit.input_px

    def submit(self, prepared: Sequence[Any], *, low_latency: bool = False) -> Future[list[Detections]]:
        future: Future[list[Detections]] = Future()
        self.asked.append((list(prepared), low_latency, future))
        return future

    def close(self) -> None:
        self.closed = True


@pytest.fixture
def poses() -> Scripted:
    return Scripted(POSES)


@pytest.fixture
def outlines() -> Scripted:
    return Scripted(OUTLINES)


@pytest.mark.parametrize("first", [0, 1])
def test_result_is_set_when_both_networks_have_finished(poses: Scripted, outlines: Scripted, first: int) -> None:
    engine = MaskingEngine(poses, outlines)
    fit = Letterbox.fit((640, 480), 640)
    prepared = engine.prepare(Picture.of(np.zeros((480, 640, 3), np.uint8)), fit)
    assert (poses.prepared, outlines.prepared) == (1, 0)
    future = engine.submit([prepared, prepared], low_latency=True)
    answers = [[people((0, 0, 9, 9)), people()], [outlined((1, 0, 9, 9)), outlined((5, 5, 9, 9))]]
    for index in (first, 1 - first):
        assert not future.done()
        given, low_latency, asked = (poses, outlines)[index].asked[0]
        assert given == [fit.input_px] * 2
        assert low_latency
        asked.set_result(answers[index])
    found = future.result(timeout=0)
    assert whose(found[0]) == [1]
    assert found[1].masks == ()


@pytest.mark.parametrize("failing", [0, 1])
def test_error_of_either_network_is_raised_by_the_future(poses: Scripted, outlines: Scripted, failing: int) -> None:
    future = MaskingEngine(poses, outlines).submit([None])
    poses_future, outlines_future = poses.asked[0][2], outlines.asked[0][2]
    if failing == 0:
        poses_future.set_exception(RuntimeError("broken"))
        outlines_future.set_result([outlined()])
    else:
        poses_future.set_result([people()])
        outlines_future.set_exception(RuntimeError("broken"))
    with pytest.raises(RuntimeError, match="broken"):
        future.result(timeout=0)


def test_stride_suits_both_networks(poses: Scripted, outlines: Scripted) -> None:
    engine = MaskingEngine(poses, outlines)
    assert engine.head.stride == 64
    assert (engine.head.keypoints, engine.head.mask_class) == (17, None)
    assert (engine.name, engine.batch, engine.in_flight) == ("scripted", 2, 3)
    engine.close()
    assert poses.closed
    assert outlines.closed
