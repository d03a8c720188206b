"""How stored pixels are to be seen: turned and mirrored, as the display matrix of container or codec says."""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from av.sidedata.sidedata import Type

from posebus.arrays import UInt8Array

EXACT_DEGREES = 1.0
"""FFmpeg's autorotation takes angles this close to a right angle for one."""


@dataclass(frozen=True, slots=True)
class Orientation:
    """How stored rows become upright: rows and columns are exchanged first, then columns, then rows are reversed."""

    transposed: bool = False
    mirrored: bool = False
    flipped: bool = False
    odd_degrees: float = 0.0
    """The angle of a display matrix that is no multiple of 90 degrees, and is not applied."""

    @property
    def turns(self) -> bool:
        """Whether stored and upright pictures differ."""
        return self.transposed or self.mirrored or self.flipped

    def size_px(self, size_px: tuple[int, int]) -> tuple[int, int]:
        """Return the upright size of a stored picture of `size_px` (width, height), and vice versa."""
        return size_px[::-1] if self.transposed else size_px

    def upright(self, rows: UInt8Array) -> UInt8Array:
        """Return `rows`, (H, W) or (H, W, 3), upright and C-contiguous; rows that are upright are not copied."""
        if not self.turns:
            return rows
        if self.transposed:
            rows = rows.swapaxes(0, 1)
        return np.ascontiguousarray(rows[:: -1 if self.flipped else 1, :: -1 if self.mirrored else 1])


UPRIGHT = Orientation()


def orientation_of(frame: Any) -> Orientation:
    """Return how to show `frame` (av.VideoFrame), by the display matrix that its container or codec gives."""
    matrix = frame.side_data.get(Type.DISPLAYMATRIX)
    return UPRIGHT if matrix is None else read_matrix(bytes(matrix))


@lru_cache(maxsize=64)
def read_matrix(data: bytes) -> Orientation:
    """Return the orientation that a display matrix gives: nine int32 (a, b, u, c, d, v, x, y, w) as in ISO 14496-12.

    The pixel (x, y) is shown at (a x + c y, b x + d y).
    """
    if len(data) < 36:
        return UPRIGHT
    a, b, _, c, d, *_ = struct.unpack_from("=9i", data)
    if not (a or b) or not (c or d):
        return UPRIGHT
    degrees = math.degrees(math.atan2(b, a))
    if abs((degrees + 45) % 90 - 45) > EXACT_DEGREES:
        return Orientation(odd_degrees=degrees)
    if abs(b) > abs(a):
        return Orientation(transposed=True, mirrored=c < 0, flipped=b < 0)
    return Orientation(mirrored=a < 0, flipped=d < 0)
