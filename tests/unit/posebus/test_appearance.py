"""The layout of appearance descriptors."""

from __future__ import annotations

import numpy as np
import pytest
from unit.tracking.scenes import colour_row

from posebus.contract.appearance import BINS, FEATURES, PARTS, SIZE, split


def test_split_is_the_inverse_of_joined() -> None:
    features, weights = split(colour_row(0, 1, 2, 3, seen=(1.0, 0.5, 0.25, 0.0)))
    assert features.shape == (1, len(PARTS), FEATURES)
    assert weights.tolist() == [[1.0, 0.5, 0.25, 0.0]]
    assert np.flatnonzero(features[0, 1]).tolist() == [1, 1 + BINS, 1 + 2 * BINS]


@pytest.mark.parametrize("shape", [(SIZE,), (2, SIZE - 1), (2, 8), (0, 16)])
def test_rows_of_another_length_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="update workers and trackers together"):
        split(np.zeros(shape, np.float32))
