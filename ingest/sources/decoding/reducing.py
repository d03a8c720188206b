"""Reduce pictures before they are published, with the same rounding as the workers' letterbox."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np

from posebus.arrays import UInt8Array


def reduced_size_px(size_px: tuple[int, int], max_size_px: int | None) -> tuple[int, int]:
    """Return `size_px` (width, height) with its longer side reduced to `max_size_px`.

    The aspect ratio is kept, and a smaller picture is not enlarged.
    """
    longest_px = max(size_px)
    if max_size_px is None or longest_px <= max_size_px:
        return size_px
    scale = max_size_px / longest_px
    return max(1, round(size_px[0] * scale)), max(1, round(size_px[1] * scale))


def reduce_rows(rows: UInt8Array, size_px: tuple[int, int]) -> UInt8Array:
    """Return `rows`, (H, W) or (H, W, 3), averaged down to `size_px` (width, height), C-contiguous.

    The rows may lie apart in memory. Rows that have this size and are contiguous are returned without a copy.
    """
    if rows.shape[1::-1] == size_px:
        return np.ascontiguousarray(rows)
    reduced: Any = cv2.resize(rows, size_px, interpolation=cv2.INTER_AREA)
    return np.asarray(reduced, np.uint8)
