"""The layout of `PoseFrame.appearance`. The worker makes the descriptors, the tracker compares and remembers them.

A row is float32 (SIZE,). First come the parts of the body (PARTS), FEATURES numbers each: the square roots of three
histograms, of lightness, red against green and blue against yellow, each summing to a third. So the numbers of a part
are not negative and have length 1, and their inner product with another's is a Bhattacharyya coefficient. Then comes
one weight in 0..1 for each part: how much of it was seen. A part of weight 0 was not seen, and its numbers are 0.

Colours are relative to the mean colour of their frame, so rows may be compared across frames of one camera whatever
its exposure and white balance do. Rows of two cameras are not comparable: they look at different backgrounds.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from posebus.arrays import FloatingArray

PARTS = ("upper torso", "lower torso", "thighs", "shins")
CHANNELS = 3
BINS = 5
FEATURES = CHANNELS * BINS
SIZE = len(PARTS) * (FEATURES + 1)
_SPLIT = len(PARTS) * FEATURES


def joined(features: FloatingArray, weights: FloatingArray) -> npt.NDArray[np.float32]:
    """Rows (N, SIZE) of features (N, len(PARTS), FEATURES) and weights (N, len(PARTS))."""
    flat = features.reshape(len(features), _SPLIT)
    return np.concatenate((flat, weights), axis=1, dtype=np.float32)


def split(rows: FloatingArray) -> tuple[FloatingArray, FloatingArray]:
    """Features (N, len(PARTS), FEATURES) and weights (N, len(PARTS)) of rows (N, SIZE): views. Raises ValueError for
    rows of another length, which come from a worker of another version."""
    if rows.ndim != 2 or rows.shape[1] != SIZE:
        raise ValueError(
            f"appearance has shape {rows.shape}, expected (N, {SIZE}): update workers and trackers together"
        )
    return rows[:, :_SPLIT].reshape(len(rows), len(PARTS), FEATURES), rows[:, _SPLIT:]
