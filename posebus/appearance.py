"""The layout of `PoseFrame.appearance`, and how two descriptors are compared. The worker makes them, the tracker reads.

A row is float32 (SIZE,). First come the parts of the body (PARTS), FEATURES numbers each: the square roots of three
histograms, of lightness, red against green and blue against yellow, each summing to a third. So the numbers of a part
are not negative and have length 1, and their inner product with another's is a Bhattacharyya coefficient. Then comes
one weight in 0..1 for each part: how much of it was seen. A part of weight 0 was not seen, and its numbers are 0.

Colours are relative to the mean colour of their frame, so rows may be compared across frames of one camera whatever
its exposure and white balance do. Rows of two cameras are not comparable: they look at different backgrounds.

Source of the measure: A. Bhattacharyya, "On a measure of divergence between two multinomial populations", Sankhya 7,
1946; as a distance of colours: D. Comaniciu, V. Ramesh, P. Meer, "Kernel-based object tracking", PAMI 25(5), 2003.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.floating]

PARTS = ("upper torso", "lower torso", "thighs", "shins")
CHANNELS = 3
BINS = 5
FEATURES = CHANNELS * BINS
SIZE = len(PARTS) * (FEATURES + 1)
_SPLIT = len(PARTS) * FEATURES

SAME_PERSON_BELOW = 0.25
"""Distance at which one person and two are equally probable."""

EVIDENCE_PER_DISTANCE = 20.0
"""Logarithmic units by which the odds fall as the distance grows by 1, for bodies that are wholly seen."""

MOST_EVIDENCE = 3.0
"""Colours say no more than that: people dress alike, and a keypoint may lie beside its body."""


def joined(features: Floats, weights: Floats) -> npt.NDArray[np.float32]:
    """Rows (N, SIZE) of features (N, len(PARTS), FEATURES) and weights (N, len(PARTS))."""
    flat = features.reshape(len(features), _SPLIT)
    return np.concatenate((flat, weights), axis=1, dtype=np.float32)


def split(rows: Floats) -> tuple[Floats, Floats]:
    """Features (N, len(PARTS), FEATURES) and weights (N, len(PARTS)) of rows (N, SIZE): views. Raises ValueError for
    rows of another length, which come from a worker of another version."""
    if rows.ndim != 2 or rows.shape[1] != SIZE:
        raise ValueError(
            f"appearance has shape {rows.shape}, expected (N, {SIZE}): update workers and trackers together"
        )
    return rows[:, :_SPLIT].reshape(len(rows), len(PARTS), FEATURES), rows[:, _SPLIT:]


def distance(first: Floats, second: Floats) -> tuple[Floats, Floats]:
    """How unlike every pair of rows (A, SIZE) and (B, SIZE) is, and on how much of the body that rests: (A, B) each.

    The distance is Hellinger's, sqrt(1 - coefficient), in 0..1: 0 for equal colours, 1 for colours with nothing in
    common. Parts count as much as both sides saw them (product of the weights), and the second result is the mean of
    these products over the parts, in 0..1; where it is 0 no part was seen on both sides and the distance, 1, means
    nothing.
    """
    features_a, weights_a = split(first)
    features_b, weights_b = split(second)
    shared = weights_a @ weights_b.T
    # Weighted sum over the parts of their inner products, for all pairs in one matrix product.
    alike = _weighted(features_a, weights_a) @ _weighted(features_b, weights_b).T
    coefficient = np.divide(alike, shared, out=np.zeros_like(shared), where=shared > 0)
    return np.sqrt(np.clip(1.0 - coefficient, 0.0, 1.0)), shared / len(PARTS)


def evidence(distances: Floats, shared: Floats) -> Floats:
    """How much more probable these distances are for one person than for two: natural logarithms of the odds.

    Takes what `distance` returns and keeps its shape: positive for one person, negative for two, 0 where nothing is
    known, within +-MOST_EVIDENCE. Logistic regression on pairs of rows 0.15 to 4 s apart in three recordings gave the
    distance of even odds and a slope of 30; the slope is lower because tracking did better when half or a fifth was
    missing. Rows of successive frames repeat each other, so evidence must not be summed over them.
    """
    odds = shared * EVIDENCE_PER_DISTANCE * (SAME_PERSON_BELOW - distances)
    return np.clip(odds, -MOST_EVIDENCE, MOST_EVIDENCE)


def blended(kept: Floats, fresh: Floats, share: float) -> Floats:
    """Rows (N, SIZE) as a memory of `kept` with `share`, 0 to 1, of `fresh` let in, row by row: float64.

    What was seen badly is let in less, in the ratio of the weights, and a part keeps the greater of both: the legs
    behind a car remain as they were. For a memory that fades over T seconds the share is 1 - exp(-dt / T).
    """
    features, weights = split(kept)
    fresh_features, fresh_weights = split(fresh)
    greater = np.maximum(weights, fresh_weights)
    part_share = share * np.divide(fresh_weights, greater, out=np.zeros(greater.shape), where=greater > 0)
    part_share = np.where(weights > 0, part_share, 1.0)[:, :, None]
    # Histograms are mixed, not their roots, so that a part's numbers keep their length of 1.
    mixed = np.sqrt((1.0 - part_share) * features**2 + part_share * fresh_features**2)
    return np.concatenate((mixed.reshape(len(kept), _SPLIT), greater), axis=1)


def _weighted(features: Floats, weights: Floats) -> Floats:
    return (features * weights[:, :, None]).reshape(len(features), _SPLIT)
