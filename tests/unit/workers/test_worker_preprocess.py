"""The letterbox, and mapping coordinates back to the source's pixels."""

from __future__ import annotations

import cv2
import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from workers.detections import Detections
from workers.images.preprocess import PADDING, Letterbox

SIDES = st.integers(16, 4000)
SIZES_PX = st.tuples(SIDES, SIDES)
IMGSZ = st.integers(2, 40).map(lambda n: 32 * n)


def gradient(width_px: int, height_px: int) -> np.ndarray:
    """A smooth RGB picture whose channels differ, so that swapped channels or axes show."""
    x, y = np.meshgrid(np.linspace(0, 255, width_px), np.linspace(0, 255, height_px))
    return np.stack((x, y, 255 - x), axis=-1).astype(np.uint8)


@given(size_px=SIZES_PX, imgsz=IMGSZ, stride=st.sampled_from([32, 64]))
def test_letterbox_pads_less_than_a_stride_to_its_multiples(size_px: tuple[int, int], imgsz: int, stride: int) -> None:
    fit = Letterbox.fit(size_px, imgsz, stride)
    for inner, outer, offset in zip(fit.resized_px, fit.input_px, fit.offset_px, strict=True):
        assert outer % stride == 0
        assert 0 <= outer - inner < stride
        assert 0 <= offset <= outer - inner
    assert max(fit.input_px) == -(-imgsz // stride) * stride


@given(size_px=SIZES_PX, source_px=SIZES_PX, imgsz=IMGSZ, at=st.tuples(st.floats(0, 1), st.floats(0, 1)))
def test_points_are_mapped_back_to_their_source_pixel(
    size_px: tuple[int, int], source_px: tuple[int, int], imgsz: int, at: tuple[float, float]
) -> None:
    fit = Letterbox.fit(size_px, imgsz)
    source_point = np.array([at[0] * source_px[0], at[1] * source_px[1]], np.float32)
    input_point = source_point / source_px * fit.resized_px + fit.offset_px
    back = fit.points_to_source(input_point.astype(np.float32), source_px)
    # Only float32 rounds here; the network itself resolves about half a pixel of its input.
    np.testing.assert_allclose(back, source_point, atol=0.5)


@given(size_px=SIZES_PX, imgsz=IMGSZ)
def test_corners_of_the_picture_are_corners_of_the_source(size_px: tuple[int, int], imgsz: int) -> None:
    fit = Letterbox.fit(size_px, imgsz)
    corners = np.array([fit.offset_px, np.add(fit.offset_px, fit.resized_px)], np.float32)
    np.testing.assert_allclose(fit.points_to_source(corners, size_px), [[0, 0], size_px], atol=1e-2)


def test_a_spot_is_mapped_back_to_its_position() -> None:
    image = np.zeros((432, 768, 3), np.uint8)
    cv2.circle(image, (500, 300), 12, (255, 255, 255), -1)
    fit = Letterbox.fit((768, 432), 640)
    boxed = fit.apply(image)
    assert boxed.shape == (384, 640, 3)
    y, x = np.nonzero(boxed[12:-12, :, 0] > 128)
    centre = np.array([x.mean() + 0.5, y.mean() + 12.5], np.float32)
    np.testing.assert_allclose(fit.points_to_source(centre, (768, 432)), [500.5, 300.5], atol=0.5)


def test_bars_are_grey_and_the_picture_is_untouched_between_them() -> None:
    image = gradient(640, 360)
    fit = Letterbox.fit((640, 360), 640)
    boxed = fit.apply(image)
    assert fit.offset_px == (0, 12)
    assert (boxed[:12] == PADDING).all()
    assert (boxed[-12:] == PADDING).all()
    np.testing.assert_array_equal(boxed[12:-12], image)


def test_picture_of_the_right_size_is_returned_itself() -> None:
    image = gradient(640, 480)
    assert Letterbox.fit((640, 480), 640).apply(image) is image


def test_boxes_and_keypoints_are_clipped_to_a_larger_source() -> None:
    fit = Letterbox.fit((960, 540), 640)
    boxes = np.array([[-10, -10, 700, 500]], np.float32)
    keypoints = np.array([[[320, 192, 0.9], [-50, 400, 0.1]]], np.float32)
    found = fit.people_to_source(Detections(boxes, np.ones(1, np.float32), keypoints), (1920, 1080))
    np.testing.assert_allclose(found.boxes_xyxy_px, [[0, 0, 1920, 1080]])
    np.testing.assert_allclose(found.keypoints_px, [[[960, 540, 0.9], [0, 1080, 0.1]]], atol=1e-3)
    assert found.boxes_xyxy_px.dtype == found.keypoints_px.dtype == np.float32


def test_masks_are_mapped_to_the_source_with_their_people() -> None:
    fit = Letterbox.fit((1280, 720), 640)
    box = np.array(((0, 12, 640, 372),), np.float32)
    masks = (np.array(((0, 12), (320, 12), (320, 400)), np.float32), np.zeros((0, 2), np.float32))
    people = Detections(box, np.ones(1, np.float32), np.zeros((1, 17, 3), np.float32), masks)
    found = fit.people_to_source(people, (2560, 1440))
    assert found.masks is not None
    np.testing.assert_allclose(found.boxes_xyxy_px, [[0, 0, 2560, 1440]])
    np.testing.assert_allclose(found.masks[0], [[0, 0], [1280, 0], [1280, 1440]])
    assert found.masks[1].shape == (0, 2)
    assert masks[0][0, 1] == 12
