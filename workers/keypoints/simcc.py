"""Keypoints out of SimCC's vectors: for each keypoint one over the columns and one over the rows of the input.

Li et al., "SimCC: a Simple Coordinate Classification Perspective", ECCV 2022; the output of RTMPose (Jiang et al.,
2023).
"""

from __future__ import annotations

import numpy as np

from posebus.arrays import Float32Array


def decode_simcc(across: Float32Array, down: Float32Array, input_px: tuple[int, int]) -> Float32Array:
    """Vectors (N, K, Wx) and (N, K, Wy) as keypoints (N, K, 3): x, y in pixels of the input, confidence in 0..1.

    `input_px` (width, height); Wx is the width times the split ratio, the number of bins a pixel (2 in RTMPose), Wy the
    height times it, which makes places finer than a pixel. The confidence is the lower of both maxima, as in MMPose:
    who is unsure of the row is unsure of the place.
    """
    places = np.stack((across.argmax(axis=2), down.argmax(axis=2)), axis=-1).astype(np.float32)
    bins = np.array((across.shape[2] / input_px[0], down.shape[2] / input_px[1]), np.float32)
    confidence = np.minimum(across.max(axis=2), down.max(axis=2))[..., None]
    return np.concatenate((places / bins, np.clip(confidence, 0, 1)), axis=-1).astype(np.float32)
