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


def halved_rows(rows: UInt8Array, size_px: tuple[int, int]) -> UInt8Array | None:
    """Return `rows`, (H, W) or (H, W, 3), halved until they have `size_px`; None for sizes that halving does not give.

    Halving averages all pixels in a quarter of the time of any other reduction. An odd row or column is left out.
    """
    times = (rows.shape[1] // size_px[0]).bit_length() - 1
    if times < 1 or (rows.shape[1] >> times, rows.shape[0] >> times) != size_px:
        return None
    half: Any = rows
    for _ in range(times):
        height, width = half.shape[0] // 2, half.shape[1] // 2
        half = cv2.resize(half[: 2 * height, : 2 * width], (width, height), interpolation=cv2.INTER_AREA)
    return np.asarray(half, np.uint8)


def reduce_rows(rows: UInt8Array, size_px: tuple[int, int]) -> UInt8Array:
    """Return `rows`, (H, W) or (H, W, 3), resampled to `size_px` (width, height), C-contiguous.

    A side that gets shorter is averaged; if none does, pixels are interpolated.

    The rows may lie apart in memory. Rows that have this size and are contiguous are returned without a copy.
    """
    if rows.shape[1::-1] == size_px:
        return np.ascontiguousarray(rows)
    shorter = size_px[0] < rows.shape[1] or size_px[1] < rows.shape[0]
    reduced: Any = cv2.resize(rows, size_px, interpolation=cv2.INTER_AREA if shorter else cv2.INTER_LINEAR)
    return np.asarray(reduced, np.uint8)
