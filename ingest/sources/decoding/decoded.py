"""Pictures as FFmpeg decoded them, and the ways from there to what is sent or drawn.

Nearly all video is planes of 8 bit and 4:2:0, which is what JPEG compresses: a detour over rows of BGR would only cost.
"""

from __future__ import annotations

from typing import Any

import av.error
import cv2
import numpy as np
from av.video.reformatter import Interpolation, VideoReformatter

from ingest.sources.decoding.pixels import SAMPLES_A_SIDE, BgrImage, Planes, grey_of
from ingest.sources.decoding.reducing import Rows, reduce_rows
from posebus.errors import BadPicture

PLANAR_FORMATS = {"yuv420p": False, "yuvj420p": True}
"""Pixel formats of 8 bit and 4:2:0 in three planes: whether black is 0 without a tag that says so."""
FULL_RANGE = 2
"""FFmpeg's AVCOL_RANGE_JPEG."""
BT601_MATRICES = frozenset({0, 2, 5, 6})
"""Of FFmpeg's AVColorSpace. What is not tagged (2) swscale takes for BT.601, so planes are taken for the same."""
GREY, BLACK = 128.0, 16.0
LUMA_GAIN, CHROMA_GAIN = 255 / 219, 255 / 224
"""From limited to full range."""


class DecodedImage:
    """One decoded frame. It holds the decoder's memory: keep few of them."""

    def __init__(self, frame: Any, converter: FrameConverter) -> None:
        """`frame`: an av.VideoFrame in ordinary memory, of any pixel format."""
        self._frame = frame
        self._converter = converter

    @property
    def size_px(self) -> tuple[int, int]:
        """See `Image.size_px`."""
        width_px, height_px = self._frame.width, self._frame.height
        return (height_px, width_px) if quarter_turns(self._frame) % 2 else (width_px, height_px)

    def bgr(self, size_px: tuple[int, int] | None = None) -> BgrImage:
        """See `Image.bgr`."""
        return self._converter.bgr(self._frame, size_px or self.size_px)

    def planes(self, size_px: tuple[int, int] | None = None) -> Planes | None:
        """See `Image.planes`."""
        if self._frame.format.name not in PLANAR_FORMATS or quarter_turns(self._frame):
            return None
        return self._converter.planes(self._frame, size_px or self.size_px)

    def grey(self, size_px: tuple[int, int]) -> Rows:
        """See `Image.grey`: straight from the plane of brightness where there is one, in whatever range that is."""
        turns = quarter_turns(self._frame)
        rows = _rows(self._frame) if self._frame.format.name in PLANAR_FORMATS else None
        if rows is None:
            return grey_of(self.bgr(), size_px)
        lying_px = size_px[::-1] if turns % 2 else size_px
        step = max(1, self._frame.height // (SAMPLES_A_SIDE * lying_px[1]))
        grey = reduce_rows(rows[0][::step], lying_px)
        return np.ascontiguousarray(np.rot90(grey, turns)) if turns else grey

    def jpeg(self) -> bytes | None:
        """None."""
        return None


class FrameConverter:
    """Turns decoded frames into arrays; sizes and formats may change from frame to frame. For one thread at a time.

    One scaler for each way: `frame.to_ndarray(format="bgr24")` would set up a new one each time. Sizes are reduced by
    swscale, which takes a fifth of the time of OpenCV's INTER_AREA, except to exactly half, where OpenCV takes a fifth.
    """

    def __init__(self) -> None:
        self._to_bgr = VideoReformatter()
        self._to_planes = VideoReformatter()

    def bgr(self, frame: Any, size_px: tuple[int, int]) -> BgrImage:
        """`frame` upright and in `size_px` (width, height), as an array of its own. Raises BadPicture."""
        turns = quarter_turns(frame)
        lying_px = size_px[::-1] if turns % 2 else size_px
        converted: Any = _reformat(self._to_bgr, frame, lying_px, "bgr24")
        image: BgrImage = converted.to_ndarray()
        if converted is frame:  # nothing to convert: the decoder may still predict the next frame from these bytes
            image = image.copy()
        if turns:
            image = np.rot90(image, turns)
        return np.ascontiguousarray(image)

    def planes(self, frame: Any, size_px: tuple[int, int]) -> Planes | None:
        """A planar, upright `frame` in `size_px` (width, height); None if its matrix is not that of JPEG.

        None for odd heights as well, rare as they are: swscale puts their colours a part of a row elsewhere than JPEG.
        """
        if int(frame.colorspace) not in BT601_MATRICES or frame.height % 2 or size_px[1] % 2:
            return None
        full_range = PLANAR_FORMATS[frame.format.name] or int(frame.color_range) == FULL_RANGE
        half = (2 * size_px[0], 2 * size_px[1]) == (frame.width, frame.height)
        if size_px != (frame.width, frame.height) and not half:
            # Range and size in one pass; "yuvj" is how swscale is told the range that comes out.
            frame, full_range = _reformat(self._to_planes, frame, size_px, "yuvj420p"), True
        rows = _rows(frame)
        if rows is None:
            return None
        half_px = (size_px[0] + 1) // 2, (size_px[1] + 1) // 2
        y, u, v = (reduce_rows(plane, wanted) for plane, wanted in zip(rows, (size_px, half_px, half_px), strict=True))
        if full_range:
            return Planes(y, u, v)
        return Planes(
            _expand(y, LUMA_GAIN, -BLACK * LUMA_GAIN),
            _expand(u, CHROMA_GAIN, GREY - GREY * CHROMA_GAIN),
            _expand(v, CHROMA_GAIN, GREY - GREY * CHROMA_GAIN),
        )


def quarter_turns(frame: Any) -> int:
    """How often `frame` has to be turned counterclockwise by 90 degrees to be upright, 0 to 3."""
    return round(float(frame.rotation) / 90) % 4


def _reformat(scaler: VideoReformatter, frame: Any, size_px: tuple[int, int], pixel_format: str) -> Any:
    reduces = size_px != (frame.width, frame.height)
    interpolation = Interpolation.AREA if reduces else Interpolation.BILINEAR
    try:
        return scaler.reformat(frame, *size_px, format=pixel_format, interpolation=interpolation, threads=1)
    except av.error.FFmpegError as error:
        raise BadPicture(
            f"a picture in the format {frame.format.name} with the colour space {int(frame.colorspace)} cannot be "
            "converted; let the camera send another one"
        ) from error


def _rows(frame: Any) -> list[Rows] | None:
    """The planes of `frame` as they lie in memory; None if their rows run from bottom to top."""
    found = []
    for plane in frame.planes:
        if plane.line_size < plane.width:
            return None
        rows: Rows = np.frombuffer(plane, np.uint8, count=plane.line_size * plane.height)
        found.append(rows.reshape(plane.height, plane.line_size)[:, : plane.width])
    return found


def _expand(plane: Rows, gain: float, offset: float) -> Rows:
    """`gain * plane + offset`, rounded and clipped. A call with two pictures, for that one saturates as it should."""
    expanded: Any = cv2.addWeighted(plane, gain, plane, 0.0, offset)
    return np.asarray(expanded, np.uint8)
