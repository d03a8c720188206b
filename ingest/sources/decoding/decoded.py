"""Frames that FFmpeg decoded, and their conversion to BGR, to JPEG planes and to small grey pictures.

Nearly all video is stored in planes of 8 bit and 4:2:0, which JPEG compresses directly: converting to BGR first would
only cost time.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import av.error
import cv2
import numpy as np
from av.video.reformatter import Interpolation, VideoReformatter

from ingest.sources.decoding.geometry import UPRIGHT, Orientation, orientation_of
from ingest.sources.decoding.pixels import SAMPLES_A_SIDE, BgrImage, Planes, grey_of
from ingest.sources.decoding.reducing import halved_rows, reduce_rows
from posebus.arrays import UInt8Array
from posebus.errors import BadPicture
from posebus.square_pixels import SQUARE

PLANAR_FORMATS = {"yuv420p": False, "yuvj420p": True}
"""Pixel formats of 8 bit and 4:2:0 in three planes; the value is True if black is 0 without a range tag."""
BRIGHTNESS_FORMATS = frozenset({*PLANAR_FORMATS, "nv12", "nv21", "yuv422p", "yuvj422p", "yuv444p", "yuvj444p", "gray"})
"""Pixel formats whose first plane is the brightness in 8 bit."""
FULL_RANGE = 2
"""FFmpeg's AVCOL_RANGE_JPEG."""
BT601_MATRICES = frozenset({0, 2, 5, 6})
"""Values of FFmpeg's AVColorSpace. swscale treats untagged video (2) as BT.601, and so does this module."""
GREY, BLACK = 128.0, 16.0
LUMA_GAIN, CHROMA_GAIN = 255 / 219, 255 / 224
"""Factors from limited to full range."""


class DecodedImage:
    """One decoded frame. It holds memory of the decoder, so keep only a few of them."""

    def __init__(self, frame: Any, converter: FrameConverter, pixel_aspect: Fraction = SQUARE) -> None:
        """`frame`: an av.VideoFrame in ordinary memory, of any pixel format; `pixel_aspect` is that before turning."""
        self._frame = frame
        self._converter = converter
        self._orientation = orientation_of(frame)
        self.odd_degrees = self._orientation.odd_degrees
        self.pixel_aspect = 1 / pixel_aspect if self._orientation.transposed else pixel_aspect

    @property
    def size_px(self) -> tuple[int, int]:
        """See `Image.size_px`."""
        return self._orientation.size_px((self._frame.width, self._frame.height))

    def bgr(self, size_px: tuple[int, int] | None = None) -> BgrImage:
        """See `Image.bgr`."""
        return self._converter.bgr(self._frame, size_px or self.size_px, self._orientation)

    def planes(self, size_px: tuple[int, int] | None = None) -> Planes | None:
        """See `Image.planes`."""
        if self._frame.format.name not in PLANAR_FORMATS or self._orientation.turns:
            return None
        return self._converter.planes(self._frame, size_px or self.size_px)

    def grey(self, size_px: tuple[int, int]) -> UInt8Array:
        """See `Image.grey`. It is read from the plane of brightness if there is one, in limited or full range."""
        rows = _plane(self._frame.planes[0]) if self._frame.format.name in BRIGHTNESS_FORMATS else None
        if rows is None:
            return grey_of(self.bgr(), size_px)
        lying_px = self._orientation.size_px(size_px)
        halved = halved_rows(rows, lying_px)
        if halved is not None:
            return self._orientation.upright(halved)
        step = max(1, self._frame.height // (SAMPLES_A_SIDE * lying_px[1]))
        return self._orientation.upright(reduce_rows(rows[::step], lying_px))

    def jpeg(self) -> bytes | None:
        """Return None: the picture did not arrive as a JPEG file."""
        return None


class FrameConverter:
    """Converts decoded frames to arrays; sizes and formats may change from frame to frame. Not thread-safe.

    There is one scaler for each conversion: `frame.to_ndarray(format="bgr24")` would set up a new one each time.
    swscale reduces the sizes, in a fifth of the time of OpenCV's INTER_AREA. Only the reduction to exactly half is done
    by OpenCV, which needs a fifth of swscale's time for that.
    """

    def __init__(self) -> None:
        self._to_bgr = VideoReformatter()
        self._to_planes = VideoReformatter()

    def bgr(self, frame: Any, size_px: tuple[int, int], orientation: Orientation = UPRIGHT) -> BgrImage:
        """Return `frame` upright and in `size_px` (width, height), as a new array. Raises BadPicture."""
        converted: Any = _reformat(self._to_bgr, frame, orientation.size_px(size_px), "bgr24")
        image: BgrImage = converted.to_ndarray()
        if converted is frame:  # nothing to convert: the decoder may still predict the next frame from these bytes
            image = image.copy()
        return np.ascontiguousarray(orientation.upright(image))

    def planes(self, frame: Any, size_px: tuple[int, int]) -> Planes | None:
        """Return a planar, upright `frame` in `size_px` (width, height); None if its matrix is not that of JPEG.

        It returns None for odd heights, too: swscale places their colours a fraction of a row away from where JPEG
        expects them. Odd heights are rare.
        """
        if int(frame.colorspace) not in BT601_MATRICES or frame.height % 2 or size_px[1] % 2:
            return None
        full_range = PLANAR_FORMATS[frame.format.name] or int(frame.color_range) == FULL_RANGE
        half = (2 * size_px[0], 2 * size_px[1]) == (frame.width, frame.height)
        if size_px != (frame.width, frame.height) and not half:
            # Range and size are converted in one pass; "yuvj" asks swscale for full range.
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


def _reformat(scaler: VideoReformatter, frame: Any, size_px: tuple[int, int], pixel_format: str) -> Any:
    reduces = size_px[0] < frame.width or size_px[1] < frame.height
    interpolation = Interpolation.AREA if reduces else Interpolation.BILINEAR
    try:
        return scaler.reformat(
            frame, width=size_px[0], height=size_px[1], format=pixel_format, interpolation=interpolation, threads=1
        )
    except av.error.FFmpegError as error:
        raise BadPicture(
            f"a picture in the format {frame.format.name} with the colour space {int(frame.colorspace)} cannot be "
            "converted; let the camera send another one"
        ) from error


def _rows(frame: Any) -> list[UInt8Array] | None:
    """Return views of the planes of `frame`; None if their rows run from bottom to top."""
    found = []
    for plane in frame.planes:
        rows = _plane(plane)
        if rows is None:
            return None
        found.append(rows)
    return found


def _plane(plane: Any) -> UInt8Array | None:
    if plane.line_size < plane.width:
        return None
    rows: UInt8Array = np.frombuffer(plane, np.uint8, count=plane.line_size * plane.height)
    return rows.reshape(plane.height, plane.line_size)[:, : plane.width]


def _expand(plane: UInt8Array, gain: float, offset: float) -> UInt8Array:
    """Return `gain * plane + offset`, rounded and clipped. Of OpenCV's functions, addWeighted saturates correctly."""
    expanded: Any = cv2.addWeighted(plane, gain, plane, 0.0, offset)
    return np.asarray(expanded, np.uint8)
