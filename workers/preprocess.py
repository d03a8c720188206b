"""From bytes off the wire to the network's input, and from its coordinates back to the source's pixels."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import simplejpeg

from posebus.errors import BadPicture
from workers.engines.base import FloatArray, ImageArray

MAX_PICTURE_PX = 50_000_000
"""Larger pictures are refused before a byte of them is decoded: 50 megapixels are 150 MB of rows."""

PADDING = 114
"""Grey of the letterbox's bars; the networks were trained with it."""


def decode_image(data: bytes | memoryview, encoding: str, image_size_px: tuple[int, int]) -> ImageArray:
    """A published picture as RGB rows: u8 (H, W, 3), C-contiguous.

    `encoding` is `jpeg`, or `raw` for BGR rows; `image_size_px` (width, height) is what the frame's message claims.
    Raises BadPicture, before decoding, for a size over the limit or other than claimed, and for damaged data.
    """
    width_px, height_px = image_size_px
    if width_px < 1 or height_px < 1 or width_px * height_px > MAX_PICTURE_PX:
        raise BadPicture(
            f"a picture of {width_px}x{height_px} is outside the limit of {MAX_PICTURE_PX // 1_000_000} megapixels: "
            "let ingest reduce it with max_size_px"
        )
    if encoding == "jpeg":
        return _decode_jpeg(data, width_px, height_px)
    if encoding == "raw":
        return _decode_raw(data, width_px, height_px)
    raise BadPicture(f"a picture has the unknown encoding {encoding!r}: use jpeg or raw")


def _decode_jpeg(data: bytes | memoryview, width_px: int, height_px: int) -> ImageArray:
    try:
        found_height_px, found_width_px, _, _ = simplejpeg.decode_jpeg_header(data)
        if (found_width_px, found_height_px) != (width_px, height_px):
            raise BadPicture(
                f"a JPEG is {found_width_px}x{found_height_px} where its message says {width_px}x{height_px}: "
                "the sender must describe the picture that it sends"
            )
        rgb: ImageArray = simplejpeg.decode_jpeg(data, "RGB")
    except ValueError as error:
        raise BadPicture(f"a JPEG of {len(data)} bytes does not decode ({error}): the frame is left out") from error
    return rgb


def _decode_raw(data: bytes | memoryview, width_px: int, height_px: int) -> ImageArray:
    if len(data) != width_px * height_px * 3:
        raise BadPicture(
            f"a raw picture has {len(data)} bytes where {width_px}x{height_px} needs {width_px * height_px * 3}: "
            "the sender must send BGR rows without gaps"
        )
    bgr = np.frombuffer(data, np.uint8).reshape(height_px, width_px, 3)
    rgb: ImageArray = cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB)
    return rgb


@dataclass(frozen=True, slots=True)
class Letterbox:
    """How a picture was fitted into the network's input.

    The picture of `image_size_px` was resized to `resized_px` and stands at `offset_px` (left, top) in an input of
    `input_px`; all are (width, height) or (x, y).
    """

    image_size_px: tuple[int, int]
    resized_px: tuple[int, int]
    offset_px: tuple[int, int]
    input_px: tuple[int, int]

    @classmethod
    def fit(cls, image_size_px: tuple[int, int], imgsz: int, stride: int = 32) -> Letterbox:
        """Longest side to `imgsz`, both sides padded to multiples of `stride`, the picture in the middle.

        The same arithmetic as ultralytics' LetterBox(auto=True), down to its rounding.
        """
        width_px, height_px = image_size_px
        # Ultralytics does the same with sizes that the network cannot take.
        longest_px = -(-imgsz // stride) * stride
        ratio = min(longest_px / height_px, longest_px / width_px)
        resized_px = max(round(width_px * ratio), 1), max(round(height_px * ratio), 1)
        bars_px = tuple((longest_px - side) % stride for side in resized_px)
        return cls(
            image_size_px=image_size_px,
            resized_px=resized_px,
            offset_px=(round(bars_px[0] / 2 - 0.1), round(bars_px[1] / 2 - 0.1)),
            input_px=(resized_px[0] + bars_px[0], resized_px[1] + bars_px[1]),
        )

    def apply(self, image_rgb: ImageArray) -> ImageArray:
        """The input for `image_rgb`, u8 (H, W, 3), as a new array (the picture itself where nothing has to change)."""
        if self.resized_px != self.image_size_px:
            image_rgb = cv2.resize(image_rgb, self.resized_px, interpolation=cv2.INTER_LINEAR)
        left, top = self.offset_px
        right = self.input_px[0] - self.resized_px[0] - left
        bottom = self.input_px[1] - self.resized_px[1] - top
        if left or top or right or bottom:
            grey = (PADDING, PADDING, PADDING)
            image_rgb = cv2.copyMakeBorder(image_rgb, top, bottom, left, right, cv2.BORDER_CONSTANT, value=grey)
        return image_rgb

    def points_to_source(self, points_px: FloatArray, source_size_px: tuple[int, int]) -> FloatArray:
        """Points (..., 2) in input pixels to pixels of the source, clipped to it; a new float32 array.

        `source_size_px` (width, height) differs from the picture's where ingest reduced it before sending.
        """
        size = np.array(source_size_px, np.float32)
        scale = size / np.array(self.resized_px, np.float32)
        moved = (points_px - np.array(self.offset_px, np.float32)) * scale
        clipped: FloatArray = np.clip(moved, np.float32(0), size)
        return clipped

    def to_source(
        self, boxes_xyxy_px: FloatArray, keypoints_px: FloatArray, source_size_px: tuple[int, int]
    ) -> tuple[FloatArray, FloatArray]:
        """Boxes (N, 4) and keypoints (N, K, 3) in input pixels to pixels of the source, clipped to it."""
        boxes = self.points_to_source(boxes_xyxy_px.reshape(-1, 2, 2), source_size_px).reshape(-1, 4)
        points = self.points_to_source(keypoints_px[..., :2], source_size_px)
        return boxes, np.concatenate((points, keypoints_px[..., 2:]), axis=-1)
