"""Blurring heads, so that no person is recognised and no sharpening brings a face back."""

from __future__ import annotations

import cv2
import numpy as np

from posebus.arrays import Float32Array, UInt8Array

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
        if left >= right or top >= bottom:
            continue
        part = image_bgr[top:bottom, left:right]
        size_px = right - left, bottom - top
        blocks = cv2.resize(part, (min(BLOCKS, size_px[0]), min(BLOCKS, size_px[1])), interpolation=cv2.INTER_AREA)
        part[:] = cv2.resize(blocks, size_px, interpolation=cv2.INTER_LINEAR)
