"""Outlined people from raw outputs of segmentation networks, compared with ultralytics' arithmetic."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from posebus.arrays import Float32Array
from posebus.contract.masks import mask_of
from workers.detections import Head, Limits
from workers.outputs.mask_output import CELL_PX, mask_outline, people_in

SEGMENTS = Head(classes=3, keypoints=0, keypoint_dims=3, end_to_end=False, stride=32, mask_class=1)
LIMITS = Limits(conf=0.25, iou=0.7, max_people=300)
ROUND = 8
"""The number of coefficients in these tests."""


def prototypes(seed: int, height: int = 24, width: int = 32) -> Float32Array:
    """Return smooth prototypes, like those of trained networks: sums of a few waves."""
    rng = np.random.default_rng(seed)
    y, x = np.indices((height, width)) / 24
    waves = [np.sin(2 * x * rng.normal() + 2 * y * rng.normal() + 6 * rng.random()) for _ in range(ROUND)]
    return np.stack(waves).astype(np.float32)


def dense(rows: list[tuple[Float32Array, tuple[float, ...], Float32Array]], anchors: int = 20) -> Float32Array:
    """Return an output whose first columns are `rows`: box (cx, cy, w, h), class scores, coefficients."""
    output = np.zeros((4 + len(rows[0][1]) + len(rows[0][2]), anchors), np.float32)
    for column, parts in enumerate(rows):
        output[:, column] = np.concatenate([np.asarray(part, np.float32) for part in parts])
    return output


@settings(deadline=None, max_examples=60)
@given(
    seed=st.integers(0, 2**32 - 1),
    x=st.floats(-20, 100),
    y=st.floats(-20, 80),
    width=st.floats(10, 140),
    height=st.floats(10, 120),
)
def test_masks_equal_those_of_ultralytics(seed: int, x: float, y: float, width: float, height: float) -> None:
    torch = pytest.importorskip("torch")
    from ultralytics.utils import ops

    protos = prototypes(seed)
    coefficients = np.random.default_rng(seed + 1).normal(size=ROUND).astype(np.float32)
    box = np.array((x, y, x + width, y + height), np.float32)
    size_px = CELL_PX * protos.shape[2], CELL_PX * protos.shape[1]
    expected = ops.process_mask(
        torch.from_numpy(protos),
        torch.from_numpy(coefficients[None]),
        torch.from_numpy(box[None]),
        (size_px[1], size_px[0]),
        upsample=True,
    )[0].numpy()
    found = mask_of(mask_outline(coefficients, protos, box), size_px)
    # Edges may differ by the tolerance of the outline; holes are filled and small artefacts left out.
    edge = np.abs(np.diff(np.pad(expected, 1).astype(int), axis=0)).sum() + np.abs(np.diff(expected.astype(int))).sum()
    assert (found != expected.astype(bool)).sum() <= max(4, 1.5 * edge) or holes(expected)


def holes(mask: Float32Array) -> bool:
    """Whether the mask has holes or separate parts, which an outline simplifies on purpose."""
    import cv2

    contours, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_CCOMP, cv2.CHAIN_APPROX_SIMPLE)
    return len(contours) > 1


def test_people_are_the_boxes_whose_best_class_is_people() -> None:
    ones = np.ones(ROUND, np.float32)
    box = np.array((40, 40, 30, 60), np.float32)
    output = dense(
        [
            (box, (0.1, 0.9, 0.2), ones),
            (box + np.float32(1), (0.0, 0.8, 0.0), ones),  # the same person again
            (np.array((90, 40, 20, 40), np.float32), (0.0, 0.5, 0.6), ones),  # more of a dog
            (np.array((90, 60, 20, 40), np.float32), (0.0, 0.3, 0.2), ones),
        ]
    )
    found = people_in([output, np.ones((ROUND, 24, 32), np.float32)], SEGMENTS, LIMITS)
    np.testing.assert_allclose(found.scores, [0.9, 0.3])
    np.testing.assert_allclose(found.boxes_xyxy_px, [[25, 10, 55, 70], [80, 40, 100, 80]])
    assert found.keypoints_px.shape == (2, 0, 3)
    assert found.masks is not None
    # A mask that is set everywhere is clipped to the box.
    assert {tuple(point) for point in found.masks[1]} == {(80, 40), (80, 80), (100, 80), (100, 40)}


def test_end_to_end_rows_give_the_same_people() -> None:
    coefficients = np.random.default_rng(5).normal(size=(2, ROUND)).astype(np.float32)
    protos = prototypes(5)
    output = dense(
        [
            (np.array((40, 40, 30, 60), np.float32), (0.0, 0.9, 0.0), coefficients[0]),
            (np.array((90, 60, 20, 40), np.float32), (0.0, 0.5, 0.0), coefficients[1]),
        ]
    )
    rows = np.zeros((4, 6 + ROUND), np.float32)
    rows[0] = [25, 10, 55, 70, 0.9, 1, *coefficients[0]]
    rows[1] = [0, 0, 99, 99, 0.8, 2, *coefficients[0]]
    rows[2] = [80, 40, 100, 80, 0.5, 1, *coefficients[1]]
    rows[3] = [80, 40, 100, 80, 0.2, 1, *coefficients[1]]
    expected = people_in([output, protos], SEGMENTS, LIMITS)
    head = Head(classes=3, keypoints=0, keypoint_dims=3, end_to_end=True, stride=32, mask_class=1)
    found = people_in([rows, protos], head, LIMITS)
    np.testing.assert_allclose(found.boxes_xyxy_px, expected.boxes_xyxy_px)
    np.testing.assert_allclose(found.scores, expected.scores)
    assert found.masks is not None
    assert expected.masks is not None
    for one, other in zip(found.masks, expected.masks, strict=True):
        np.testing.assert_array_equal(one, other)


def test_result_holds_no_reference_to_the_output() -> None:
    output = dense([(np.array((40, 40, 30, 60), np.float32), (0.0, 0.9, 0.0), np.ones(ROUND, np.float32))])
    protos = np.ones((ROUND, 24, 32), np.float32)
    for head in (SEGMENTS, Head(3, 0, 3, True, 32, 1)):
        values = output if head is SEGMENTS else np.array([[25, 10, 55, 70, 0.9, 1, *np.ones(ROUND)]], np.float32)
        found = people_in([values, protos], head, LIMITS)
        assert len(found.scores) == 1
        assert not np.shares_memory(found.boxes_xyxy_px, values)
        assert not np.shares_memory(found.scores, values)


@pytest.mark.parametrize("box", [(50, 50, 50, 80), (-30, -30, -10, -10), (500, 10, 520, 40)])
def test_box_beside_the_picture_has_no_outline(box: tuple[float, ...]) -> None:
    ones = np.ones(ROUND, np.float32)
    assert mask_outline(ones, np.ones((ROUND, 24, 32), np.float32), np.array(box, np.float32)).shape == (0, 2)
