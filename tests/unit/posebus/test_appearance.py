"""Comparing descriptors: what counts, what does not, and what a memory of them keeps."""

from __future__ import annotations

import numpy as np
import pytest

from posebus.appearance import BINS, FEATURES, MOST_EVIDENCE, PARTS, SIZE, blended, distance, evidence, joined, split
from posebus.messages import FloatArray


def row(*bins: int, seen: tuple[float, ...] = (1.0, 1.0, 1.0, 1.0)) -> FloatArray:
    """(1, SIZE): each part has one colour, the given bin of every channel; parts with weight 0 are empty."""
    features = np.zeros((1, len(PARTS), FEATURES), np.float32)
    for part, (place, weight) in enumerate(zip(bins, seen, strict=True)):
        if weight:
            features[0, part, place::BINS] = np.sqrt(1 / 3)
    return joined(features, np.array([seen], np.float32))


def test_rows_are_taken_apart_as_they_were_joined() -> None:
    features, weights = split(row(0, 1, 2, 3, seen=(1.0, 0.5, 0.25, 0.0)))
    assert features.shape == (1, len(PARTS), FEATURES)
    assert weights.tolist() == [[1.0, 0.5, 0.25, 0.0]]
    assert np.flatnonzero(features[0, 1]).tolist() == [1, 1 + BINS, 1 + 2 * BINS]


@pytest.mark.parametrize("shape", [(SIZE,), (2, SIZE - 1), (2, 8), (0, 16)])
def test_rows_of_another_layout_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="update workers and trackers together"):
        split(np.zeros(shape, np.float32))


def test_all_pairs_are_compared() -> None:
    first = np.concatenate((row(0, 0, 0, 0), row(1, 1, 1, 1)))
    second = np.concatenate((row(1, 1, 1, 1), row(0, 0, 0, 0), row(4, 4, 4, 4)))
    apart, shared = distance(first, second)
    np.testing.assert_allclose(apart, [[1, 0, 1], [0, 1, 1]], atol=1e-3)
    np.testing.assert_allclose(shared, np.ones((2, 3)))
    assert distance(first, second[:0])[0].shape == (2, 0)


def test_a_part_counts_as_much_as_both_sides_saw_it() -> None:
    kept = row(0, 0, 0, 0, seen=(1.0, 1.0, 0.5, 0.0))
    fresh = row(0, 4, 4, 4, seen=(1.0, 0.0, 0.5, 1.0))
    apart, shared = distance(kept, fresh)
    assert shared[0, 0] == pytest.approx((1 + 0.25) / 4)
    assert apart[0, 0] == pytest.approx(np.sqrt(0.25 / 1.25))


def test_nothing_seen_on_both_sides_is_no_evidence() -> None:
    apart, shared = distance(row(0, 0, 0, 0, seen=(1.0, 1.0, 0.0, 0.0)), row(0, 0, 0, 0, seen=(0.0, 0.0, 1.0, 1.0)))
    assert shared[0, 0] == 0
    assert np.isfinite(apart).all()
    assert evidence(apart, shared)[0, 0] == 0


def test_evidence_falls_with_the_distance_within_its_bounds() -> None:
    apart = np.linspace(0, 1, 21)
    odds = evidence(apart, np.ones(21))
    assert odds[0] == MOST_EVIDENCE
    assert odds[-1] == -MOST_EVIDENCE
    assert (np.diff(odds) <= 0).all()
    assert (np.abs(evidence(apart, np.full(21, 0.25))) <= np.abs(odds)).all()


def test_a_memory_moves_towards_what_is_seen_and_keeps_its_length() -> None:
    kept: FloatArray = row(0, 0, 0, 0)
    apart = [float(distance(kept, row(1, 1, 1, 1))[0][0, 0])]
    for _ in range(10):
        kept = blended(kept, row(1, 1, 1, 1), 0.2).astype(np.float32)
        apart.append(float(distance(kept, row(1, 1, 1, 1))[0][0, 0]))
        np.testing.assert_allclose((split(kept)[0] ** 2).sum(axis=2), 1, rtol=1e-5)
    assert (np.diff(apart) < 0).all()
    assert apart[-1] < 0.5


def test_a_memory_keeps_what_is_hidden_and_takes_what_it_did_not_know() -> None:
    kept = row(0, 0, 0, 0, seen=(1.0, 1.0, 1.0, 0.0))
    fresh = row(1, 1, 1, 1, seen=(1.0, 0.1, 0.0, 0.5))
    features, weights = split(blended(kept, fresh, 0.5))
    assert weights[0].tolist() == pytest.approx([1.0, 1.0, 1.0, 0.5])
    assert features[0, :, 1] ** 2 * 3 == pytest.approx([0.5, 0.05, 0.0, 1.0], abs=1e-6)
    assert features[0, 3, 0] == 0


def test_rows_are_blended_each_with_its_own() -> None:
    kept, fresh = np.concatenate((row(0, 0, 0, 0), row(2, 2, 2, 2))), np.concatenate((row(0, 0, 0, 0), row(3, 3, 3, 3)))
    mixed = blended(kept, fresh, 0.5)
    np.testing.assert_allclose(mixed[0], kept[0], atol=1e-6)
    assert 0.1 < distance(mixed[1:], kept[1:])[0][0, 0] < 0.9
    assert blended(kept[:0], fresh[:0], 0.5).shape == (0, SIZE)
