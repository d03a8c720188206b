"""Blurring heads, so that no person is recognised and no sharpening brings a face back. Pure."""

from __future__ import annotations

from typing import Any

import numpy as np

from posebus.arrays import Float32Array, Float64Array, UInt8Array

BLOCKS = 2
"""Rows and columns to which the region of a head is reduced. With three, detectors take some small heads for faces."""


def blur_heads(image_bgr: UInt8Array, heads: Float32Array) -> None:
    """Blur the regions (M, 4) of heads in a picture (H, W, 3), which is changed; both in its pixels.

    Each region keeps its mean colours in 2 x 2 blocks, joined smoothly, and nothing else. Regions may overlap, and
    leave the picture.
    """
    height_px, width_px = image_bgr.shape[:2]
    bounds = np.array((width_px, height_px, width_px, height_px))
    corners = np.clip(np.concatenate([np.floor(heads[:, :2]), np.ceil(heads[:, 2:])], axis=1), 0, bounds)
    for left, top, right, bottom in corners.astype(int).tolist():
        if left < right and top < bottom:
            part = image_bgr[top:bottom, left:right]
            part[:] = _smooth(_block_means(part), (right - left, bottom - top))


def _block_means(part: UInt8Array) -> Float32Array:
    """Return the mean colours (R, C, 3) of at most 2 x 2 equal blocks, in whole numbers as a reduced picture has them.

    The middle row of an odd number of rows belongs to both blocks by half, and so does the middle column.
    """
    return np.asarray(np.rint(_halves(_halves(part).swapaxes(0, 1)).swapaxes(0, 1)), np.float32)


def _halves(values: Any) -> Float64Array:
    """Return the means (2, …) of the first and the second half along the first axis, (1, …) of a single row."""
    length, half = len(values), len(values) // BLOCKS
    if half == 0:
        return np.asarray(values, np.float64)
    # Whole numbers are added in a quarter of the time; a column of the highest picture fits into 32 bits.
    kind = np.uint32 if values.dtype == np.uint8 else np.float64
    sums = np.stack([np.add.reduce(part, axis=0, dtype=kind) for part in (values[:half], values[-half:])])
    middle = values[half] * 0.5 if length % BLOCKS else 0.0
    return np.asarray((sums + middle) * (BLOCKS / length), np.float64)


def _smooth(blocks: Float32Array, size_px: tuple[int, int]) -> UInt8Array:
    """Return a part (H, W, 3) of `size_px` (width, height), interpolated between the centres of `blocks` (R, C, 3)."""
    across = _between(blocks.swapaxes(0, 1), size_px[0]).swapaxes(0, 1)
    # In whole numbers, since this is most of the work: 64 steps from block to block, of colours in quarters.
    first, last = np.rint(4 * across[0]).astype(np.uint16), np.rint(4 * across[-1]).astype(np.uint16)
    second = np.rint(64 * _shares(size_px[1])).astype(np.uint16).reshape(-1, 1, 1)
    mixed = first * (64 - second)
    mixed += last * second
    mixed += 128
    mixed >>= 8
    return np.asarray(mixed, np.uint8)


def _between(ends: Float32Array, length_px: int) -> Float32Array:
    """Return (length_px, …): from the first of `ends` (1 or 2, …) to the last; beyond the centre of each, it alone."""
    return np.asarray(ends[0] + _shares(length_px).reshape(-1, 1, 1) * (ends[-1] - ends[0]), np.float32)


def _shares(length_px: int) -> Float32Array:
    """Return (length_px,): how much of the second of two blocks each pixel shows."""
    second = (np.arange(length_px, dtype=np.float32) + 0.5) * BLOCKS / length_px - 0.5
    return np.asarray(np.clip(second, 0, 1), np.float32)
