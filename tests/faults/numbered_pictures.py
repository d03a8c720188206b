"""Pictures that show their own number in dark and bright fields, by which damaged or repeated ones are detected."""

from __future__ import annotations

import struct
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt

GRID = 4
DARK, BRIGHT = 40, 215
TOLERANCE = 40
BITS = GRID * GRID - 4
SIGNATURE = {(0, 0): 1, (0, GRID - 1): 0, (GRID - 1, 0): 1, (GRID - 1, GRID - 1): 0}
"""The corners of every picture: rows and columns from 0, 1 for bright."""

Picture = npt.NDArray[np.uint8]


def draw(number: int, size_px: tuple[int, int]) -> Picture:
    """The picture (height, width, 3) that shows `number`, below 4096."""
    width_px, height_px = size_px
    picture = np.empty((height_px, width_px, 3), np.uint8)
    bits = iter(range(BITS))
    for row in range(GRID):
        for column in range(GRID):
            bright = SIGNATURE[row, column] if (row, column) in SIGNATURE else number >> next(bits) & 1
            picture[_cell(row, height_px), _cell(column, width_px)] = BRIGHT if bright else DARK
    return picture


def read_number(picture: Picture) -> int | None:
    """The number that a picture shows; None if it is not an undamaged picture of this kind."""
    height_px, width_px = picture.shape[:2]
    number, bits = 0, iter(range(BITS))
    for row in range(GRID):
        for column in range(GRID):
            cell = picture[_cell(row, height_px), _cell(column, width_px)]
            margin_y, margin_x = cell.shape[0] // 4, cell.shape[1] // 4
            inner = cell[margin_y:-margin_y, margin_x:-margin_x].astype(int)
            bright = bool(inner.mean() > (DARK + BRIGHT) / 2)
            if np.abs(inner - (BRIGHT if bright else DARK)).max() > TOLERANCE:
                return None
            if (row, column) not in SIGNATURE:
                number |= bright << next(bits)
            elif bright != bool(SIGNATURE[row, column]):
                return None
    return number


def encode_pictures(path: Path, count: int, size_px: tuple[int, int], *, fps: int = 25, gop: int = 25) -> Path:
    """A file of `count` H.264 access units, numbered from 0, for gst_rtsp_server.py; it can be played in a loop."""
    codec = av.CodecContext.create("libx264", "w")
    codec.width, codec.height, codec.pix_fmt = *size_px, "yuv420p"
    codec.framerate, codec.time_base = fps, Fraction(1, fps)
    codec.gop_size = gop
    codec.options = {
        "tune": "zerolatency",
        "preset": "ultrafast",
        "x264-params": "annexb=1:repeat-headers=1:sliced-threads=0:threads=1",
    }
    units = []
    for number in range(count):
        frame = av.VideoFrame.from_ndarray(draw(number, size_px), format="bgr24")
        frame.pts = number
        units += [bytes(packet) for packet in codec.encode(frame)]
    units += [bytes(packet) for packet in codec.encode(None)]
    assert len(units) == count
    path.write_bytes(b"".join(struct.pack(">I", len(unit)) + unit for unit in units))
    return path


def _cell(index: int, side_px: int) -> slice:
    return slice(index * side_px // GRID, (index + 1) * side_px // GRID)
