"""The layout of `PoseFrame.appearance`. Workers compute these descriptors; trackers compare and remember them.

A row is float32 (SIZE,). It begins with FEATURES numbers for each part of the body (PARTS): the square roots of three
histograms, of lightness, red against green and blue against yellow, each with a sum of 1/3. The numbers of a part are
therefore non-negative and form a vector of length 1, and the inner product of two such vectors is a Bhattacharyya
coefficient. One weight in 0..1 for each part follows: the visible share of it. A part of weight 0 was not visible, and
its numbers are 0.

Colours are relative to the mean colour of their frame, so rows of different frames of one camera are comparable even
if exposure or white balance change. Rows of two cameras are not comparable, since their backgrounds differ.
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
    """Join features (N, len(PARTS), FEATURES) and weights (N, len(PARTS)) to rows (N, SIZE)."""
    flat = features.reshape(len(features), _SPLIT)
    return np.concatenate((flat, weights), axis=1, dtype=np.float32)


def split(rows: FloatingArray) -> tuple[FloatingArray, FloatingArray]:
    """Split rows (N, SIZE) into views of features (N, len(PARTS), FEATURES) and weights (N, len(PARTS)).

    Raises ValueError for rows of another length, which come from a worker of another version.
    """
    if rows.ndim != 2 or rows.shape[1] != SIZE:
        raise ValueError(
            f"appearance has shape {rows.shape}, expected (N, {SIZE}): update workers and trackers together"
        )
    return rows[:, :_SPLIT].reshape(len(rows), len(PARTS), FEATURES), rows[:, _SPLIT:]
