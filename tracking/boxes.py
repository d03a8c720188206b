"""Boxes in the two forms the tracker needs: corners x1, y1, x2, y2 and centre x, y with width, height. Pixels."""

from __future__ import annotations

import numpy as np

from posebus.arrays import Float64Array

MIN_SIDE_PX = 1.0
"""A predicted box never becomes smaller, however long it has shrunk unseen."""


def body_size(centred: Float64Array) -> Float64Array:
    """The measure (N,) of all distances of a body: its longer side, thus the height of who stands."""
    return np.maximum(np.maximum(centred[:, 2], centred[:, 3]), MIN_SIDE_PX)
