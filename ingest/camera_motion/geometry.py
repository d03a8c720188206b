"""Small grey pictures and the maps between them, as matrices (3, 3) in float64. Pure.

In small pictures whole numbers are the middles of pixels, as in OpenCV; in pictures of the source they are the edges.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np

from posebus.arrays import Float64Array, UInt8Array

LONGEST_CELLS = 256
"""Pictures are halved until their longer side has at most this many pixels."""


def small_size_px(size_px: tuple[int, int]) -> tuple[int, int]:
    """Return the (width, height) of the small grey picture in which a picture of `size_px` is compared."""
    halvings = halvings_of(size_px)
    return max(1, size_px[0] >> halvings), max(1, size_px[1] >> halvings)


def halvings_of(size_px: tuple[int, int]) -> int:
    longest, halvings = max(size_px), 0
    while longest >> halvings > LONGEST_CELLS:
        halvings += 1
    return halvings


def to_source(size_px: tuple[int, int]) -> Float64Array:
    """Return the matrix (3, 3) from the small picture, where whole numbers are the middles of pixels, to the source."""
    scale = float(1 << halvings_of(size_px))
    return np.array(((scale, 0, scale / 2), (0, scale, scale / 2), (0, 0, 1)), np.float64)


def resizings(before_px: tuple[int, int], after_px: tuple[int, int]) -> tuple[Float64Array, ...]:
    """Return the matrices (3, 3) between small pictures that a new size of the source may mean, the usual one first.

    The whole picture was stretched; or it was scaled with its proportions and cut, or surrounded by bars; or its pixels
    were kept, around the middle or from the first corner on.
    """
    across, down = after_px[0] / before_px[0], after_px[1] / before_px[1]
    maps = [np.diag((across, down, 1.0))]
    for zoom in (max(across, down), min(across, down), 1.0):
        left, top = ((after - zoom * before) / 2 for before, after in zip(before_px, after_px, strict=True))
        maps.append(np.array(((zoom, 0, left), (0, zoom, top), (0, 0, 1)), np.float64))
    maps.append(np.eye(3))
    to_small, from_small = np.linalg.inv(to_source(after_px)), to_source(before_px)
    return tuple(to_small @ source @ from_small for source in maps)


def _corners(shape: tuple[int, ...]) -> Float64Array:
    """Return the corners of a picture of `shape` (H, W), as columns (3, 4)."""
    width, height = shape[1] - 1.0, shape[0] - 1.0
    return np.array(((0, width, width, 0), (0, 0, height, height), (1, 1, 1, 1)), np.float64)


def distance_px(one: Float64Array, other: Float64Array, shape: tuple[int, ...]) -> float:
    """Return the largest distance between the positions of a corner by the two matrices."""
    apart = ((one - other) @ _corners(shape))[:2]
    return float(np.sqrt((apart * apart).sum(axis=0).max()))


def overlap_of(to_picture: Float64Array, before: tuple[int, ...], after: tuple[int, ...]) -> float:
    """Return the part of the smaller area, of the kept picture and the other one, that both show."""
    moved = (to_picture @ _corners(before))[:2].T.astype(np.float32)
    area, _ = cv2.intersectConvexConvex(moved, _corners(after)[:2].T.astype(np.float32))
    return float(area) / max(1.0, (after[0] - 1.0) * (after[1] - 1.0))


def laid_over(grey: UInt8Array, to_picture: Float64Array, kept: UInt8Array) -> UInt8Array:
    """Return `grey` mapped into the view of `kept`."""
    laid: Any = cv2.warpAffine(
        grey,
        to_picture[:2],
        kept.shape[::-1],
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return np.asarray(laid, np.uint8)
