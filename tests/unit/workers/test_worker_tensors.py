"""The letterbox and suppression as tensor operations give the same results as on the host."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workers.detections import Head, Limits
from workers.engines.torch_device import detections, letterbox, people_rows
from workers.images.preprocess import Letterbox
from workers.outputs.postprocess import detections_from_output

LIMITS = Limits(conf=0.25, iou=0.6, max_people=20)


@pytest.mark.parametrize("size_px", [(640, 480), (1280, 720), (500, 333)])
def test_letterbox_equals_that_of_the_host(size_px: tuple[int, int]) -> None:
    import torch

    rng = np.random.default_rng(1)
    images = [rng.integers(0, 256, (size_px[1], size_px[0], 3), dtype=np.uint8) for _ in range(2)]
    fit = Letterbox.fit(size_px, 640)
    expected = np.stack([fit.apply(image) for image in images])
    tensors = [torch.from_numpy(image).permute(2, 0, 1) for image in images]
    found = letterbox(tensors, [fit, fit], torch.float32)
    assert found.is_contiguous(memory_format=torch.channels_last)
    grey = (found * 255).round().permute(0, 2, 3, 1).numpy()
    # OpenCV resizes with 11-bit weights, so that some values near a half are rounded the other way.
    assert np.abs(grey - expected).max() <= 1
    assert np.abs(grey - expected).mean() < 0.2


def test_pictures_of_several_sizes_keep_their_order_in_a_batch() -> None:
    import torch

    rng = np.random.default_rng(2)
    sizes = [(640, 480), (640, 480), (320, 240), (640, 480)]
    images = [torch.from_numpy(rng.integers(0, 256, (3, height, width), dtype=np.uint8)) for width, height in sizes]
    fits = [Letterbox.fit(size_px, 640) for size_px in sizes]
    together = letterbox(images, fits, torch.float32)
    for one, image, fit in zip(together, images, fits, strict=True):
        assert torch.equal(one, letterbox([image], [fit], torch.float32)[0])


def crowd(seed: int, head: Head, pictures: int) -> np.ndarray:
    """Return dense outputs with many overlapping boxes."""
    rng = np.random.default_rng(seed)
    rows = 4 + head.classes + head.keypoints * head.keypoint_dims
    output = rng.random((pictures, rows, 300), dtype=np.float32)
    output[:, :4] = output[:, :4] * 100 + 50
    return output


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10_000), classes=st.integers(1, 3), dims=st.sampled_from([2, 3]))
def test_suppression_equals_that_of_the_host(seed: int, classes: int, dims: int) -> None:
    import torch

    head = Head(classes=classes, keypoints=5, keypoint_dims=dims, end_to_end=False, stride=32)
    output = crowd(seed, head, pictures=3)
    output[1, 4 : 4 + classes] = 0  # no people in the second one
    rows, whose = people_rows(torch.from_numpy(output), head, LIMITS)
    for found, one in zip(detections(rows, whose, 3, head), output, strict=True):
        expected = detections_from_output(one, head, LIMITS)
        np.testing.assert_array_equal(found.scores, expected.scores)
        np.testing.assert_allclose(found.boxes_xyxy_px, expected.boxes_xyxy_px, rtol=1e-6)
        np.testing.assert_array_equal(found.keypoints_px, expected.keypoints_px)


def test_end_to_end_rows_are_only_filtered() -> None:
    import torch

    head = Head(classes=1, keypoints=17, keypoint_dims=3, end_to_end=True, stride=32)
    output = np.random.default_rng(0).random((2, 300, 57), dtype=np.float32)
    output[..., 4] = np.sort(output[..., 4], axis=1)[:, ::-1]
    rows, whose = people_rows(torch.from_numpy(output), head, LIMITS)
    for found, one in zip(detections(rows, whose, 2, head), output, strict=True):
        expected = detections_from_output(one, head, LIMITS)
        np.testing.assert_array_equal(found.boxes_xyxy_px, expected.boxes_xyxy_px)
        np.testing.assert_array_equal(found.keypoints_px, expected.keypoints_px)
