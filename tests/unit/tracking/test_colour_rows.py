"""Distances of colour descriptors, their evidence, and the memory of them."""

from __future__ import annotations

import numpy as np
import pytest
from unit.tracking.scenes import colour_row

from posebus.contract.appearance import split
from tracking.matching.colours import HOPELESS_ODDS, MAX_LOG_ODDS, add_colours, colour_log_odds, distance, remember


def row(*bins: int, seen: tuple[float, ...] = (1.0, 1.0, 1.0, 1.0)) -> np.ndarray:
    """(SIZE,), as the tracker stores it."""
    return colour_row(*bins, seen=seen)[0].astype(float)


def test_equal_colours_are_near_and_other_colours_far() -> None:
    assert distance(row(0, 0, 0, 0), row(0, 0, 0, 0)) == pytest.approx((0.0, 1.0), abs=1e-3)
    assert distance(row(0, 0, 0, 0), row(4, 4, 4, 4)) == pytest.approx((1.0, 1.0))


def test_part_has_the_weight_of_what_both_sides_saw_of_it() -> None:
    apart, shared = distance(row(0, 0, 0, 0, seen=(1.0, 1.0, 0.5, 0.0)), row(0, 4, 4, 4, seen=(1.0, 0.0, 0.5, 1.0)))
    assert shared == pytest.approx((1 + 0.25) / 4)
    assert apart == pytest.approx(np.sqrt(0.25 / 1.25))


def test_no_commonly_seen_part_gives_no_evidence() -> None:
    apart, shared = distance(row(0, 0, 0, 0, seen=(1.0, 1.0, 0.0, 0.0)), row(0, 0, 0, 0, seen=(0.0, 0.0, 1.0, 1.0)))
    assert (apart, shared) == (1.0, 0.0)
    assert colour_log_odds(apart, shared) == 0


def test_evidence_falls_with_the_distance_within_its_bounds() -> None:
    odds = np.array([colour_log_odds(apart, 1.0) for apart in np.linspace(0, 1, 21)])
    assert odds[0] > 0
    assert odds[-1] == -MAX_LOG_ODDS
    assert (np.diff(odds) <= 0).all()
    assert (np.abs([colour_log_odds(apart, 0.25) for apart in np.linspace(0, 1, 21)]) <= np.abs(odds)).all()


def test_all_feasible_pairs_are_compared() -> None:
    odds = np.zeros((2, 3))
    odds[0, 1] = HOPELESS_ODDS - 1
    add_colours(
        odds,
        np.stack((row(0, 0, 0, 0), row(1, 1, 1, 1))),
        np.stack((row(1, 1, 1, 1), row(0, 0, 0, 0), row(4, 4, 4, 4))),
    )
    same, other = colour_log_odds(0.0, 1.0), colour_log_odds(1.0, 1.0)
    np.testing.assert_allclose(odds, [[other, HOPELESS_ODDS - 1, other], [same, other, other]], atol=1e-2)


def test_memory_moves_towards_new_observations_and_keeps_its_length() -> None:
    kept, fresh = row(0, 0, 0, 0), row(1, 1, 1, 1)
    apart = [distance(kept, fresh)[0]]
    for _ in range(10):
        remember(kept, fresh, 0.2)
        apart.append(distance(kept, fresh)[0])
        np.testing.assert_allclose((split(kept[None])[0] ** 2).sum(axis=2), 1, rtol=1e-5)
    assert (np.diff(apart) < 0).all()
    assert apart[-1] < 0.5


def test_memory_keeps_hidden_parts_and_adds_new_ones() -> None:
    kept = row(0, 0, 0, 0, seen=(1.0, 1.0, 1.0, 0.0))
    remember(kept, row(1, 1, 1, 1, seen=(1.0, 0.1, 0.0, 0.5)), 0.5)
    features, weights = split(kept[None])
    assert weights[0].tolist() == pytest.approx([1.0, 1.0, 1.0, 0.5])
    assert features[0, :, 1] ** 2 * 3 == pytest.approx([0.5, 0.05, 0.0, 1.0], abs=1e-6)
    assert features[0, 3, 0] == 0
