"""Decode keypoints from heatmaps: one map per keypoint, whose values are the confidence at each position.

The output of Convolutional Pose Machines (Wei et al., CVPR 2016), stacked Hourglasses (Newell et al., ECCV 2016),
Simple Baselines (Xiao et al., ECCV 2018) and HRNet (Sun et al., CVPR 2019).
"""

from __future__ import annotations

import numpy as np

from posebus.arrays import Float32Array, IndexArray

TOWARDS_SECOND = 0.25
"""The maximum is moved by a quarter of a cell towards its higher neighbour along each axis: maps are a quarter as large
as the input, and a peak between two cells raises the second one (Newell et al., section 3.1)."""


def decode_heatmaps(heatmaps: Float32Array, keypoints: int, input_px: tuple[int, int]) -> Float32Array:
    """Return keypoints (N, K, 3): x, y in pixels of the input and confidence in 0..1.

    heatmaps: (N, K or K + 1, H, W); Convolutional Pose Machines have an additional last map of the background.
    input_px: (width, height). Cell i of a map stands for input pixel i times the stride. The confidence is the value of
    the maximum.
    """
    maps = heatmaps[:, :keypoints]
    people, _, height, width = maps.shape
    flat = maps.reshape(people, keypoints, height * width)
    peak = flat.argmax(axis=2)
    y, x = np.divmod(peak, width)
    stride = np.array((input_px[0] / width, input_px[1] / height), np.float32)
    places = np.stack((x + _peak_offset(maps, y, x, axis=1), y + _peak_offset(maps, y, x, axis=0)), axis=-1) * stride
    confidence = np.take_along_axis(flat, peak[..., None], axis=2)
    return np.concatenate((places, np.clip(confidence, 0, 1)), axis=-1).astype(np.float32)


def _peak_offset(maps: Float32Array, y: IndexArray, x: IndexArray, axis: int) -> Float32Array:
    """Return the offset (N, K), in cells, of the peak from the maximum along `axis` (0: y, 1: x); 0 at the border."""
    side = maps.shape[2 + axis]
    place = (y, x)[axis]
    before, after = (
        _at(maps, *(np.clip(place + step, 0, side - 1) if axis == one else (y, x)[one] for one in (0, 1)))
        for step in (-1, 1)
    )
    inside = (place > 0) & (place < side - 1)
    offset: Float32Array = (TOWARDS_SECOND * np.sign(after - before) * inside).astype(np.float32)
    return offset


def _at(maps: Float32Array, y: IndexArray, x: IndexArray) -> Float32Array:
    """Return the value of each map at its own position: (N, K)."""
    people, keypoints = np.ogrid[: maps.shape[0], : maps.shape[1]]
    values: Float32Array = maps[people, keypoints, y, x]
    return values
