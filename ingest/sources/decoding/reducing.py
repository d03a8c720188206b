"""How far a picture is reduced before it travels, and doing it. The same rounding as the workers' letterbox."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

Rows = npt.NDArray[np.uint8]
"""(H, W) or (H, W, 3) uint8; rows may lie apart in memory."""


def reduced_size_px(size_px: tuple[int, int], max_size_px: int | None) -> tuple[int, int]:
    """`size_px` (width, height) with the longer side reduced to `max_size_px`, the shape kept; never enlarged."""
    longest_px = max(size_px)
    if max_size_px is None or longest_px <= max_size_px:
        return size_px
    scale = max_size_px / longest_px
    return max(1, round(size_px[0] * scale)), max(1, round(size_px[1] * scale))


def reduce_rows(rows: Rows, size_px: tuple[int, int]) -> Rows:
    """`rows` averaged down to `size_px` (width, height), C-contiguous; themselves where nothing has to change."""
    if rows.shape[1::-1] == size_px:
        return np.ascontiguousarray(rows)
    reduced: Any = cv2.resize(rows, size_px, interpolation=cv2.INTER_AREA)
    return np.asarray(reduced, np.uint8)
