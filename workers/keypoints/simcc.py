"""Decode keypoints from SimCC's vectors: one over the columns and one over the rows of the input, per keypoint.

Li et al., "SimCC: a Simple Coordinate Classification Perspective", ECCV 2022; the output of RTMPose (Jiang et al.,
2023).
"""

from __future__ import annotations

import numpy as np

from posebus.arrays import Float32Array


def decode_simcc(across: Float32Array, down: Float32Array, input_px: tuple[int, int]) -> Float32Array:
    """Return keypoints (N, K, 3), x, y in pixels of the input and confidence in 0..1, from (N, K, Wx) and (N, K, Wy).

    `input_px` is (width, height). Wx is the width times the split ratio, the number of bins per pixel (2 in RTMPose),
    and Wy the height times it, which resolves positions finer than a pixel. The confidence is the lower of both maxima,
    as in MMPose: a keypoint is no more certain than the less certain of its coordinates.
    """
    places = np.stack((across.argmax(axis=2), down.argmax(axis=2)), axis=-1).astype(np.float32)
    bins = np.array((across.shape[2] / input_px[0], down.shape[2] / input_px[1]), np.float32)
    confidence = np.minimum(across.max(axis=2), down.max(axis=2))[..., None]
    return np.concatenate((places / bins, np.clip(confidence, 0, 1)), axis=-1).astype(np.float32)
