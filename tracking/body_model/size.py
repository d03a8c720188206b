"""The size of a body, in which all its lengths are measured."""

from __future__ import annotations

import numpy as np

from posebus.arrays import Float64Array

MIN_SIDE_PX = 1.0
"""Smallest side of a predicted box, however long it has shrunk without a measurement."""


def body_sizes_px(centred: Float64Array) -> Float64Array:
    """Sizes (N,) of bodies with boxes (N, 4) of centre x, y, width, height: the longer side, a standing body's height.

    All distances of a body are measured in its size.
    """
    return np.maximum(np.maximum(centred[:, 2], centred[:, 3]), MIN_SIDE_PX)
