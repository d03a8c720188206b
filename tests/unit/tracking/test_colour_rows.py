"""Rows of colours: their distance, the evidence it gives, and the memory of a track."""

from __future__ import annotations

import numpy as np
import pytest
from unit.tracking.scenes import colour_row

from posebus.contract.appearance import split
from tracking.matching.colours import HOPELESS_ODDS, MAX_LOG_ODDS, add_colours, colour_log_odds, distance, remember


def row(*bins: int, seen: tuple[float, ...] = (1.0, 1.0, 1.0, 1.0)) -> np.ndarray:
    """A row (SIZE,) of float64, as in the tracker."""
    return colour_row(*bins, seen=seen)[0].astype(float)


def test_distance_is_zero_for_equal_colours_and_one_for_disjoint_ones() -> None:
    assert distance(row(0, 0, 0, 0), row(0, 0, 0, 0)) == pytest.approx((0.0, 1.0), abs=1e-3)
    assert distance(row(0, 0, 0, 0), row(4, 4, 4, 4)) == pytest.approx((1.0, 1.0))


def test_part_weighs_as_much_as_both_sides_show_it() -> None:
    apart, shared = distance(row(0, 0, 0, 0, seen=(1.0, 1.0, 0.5, 0.0)), row(0, 4, 4, 4, seen=(1.0, 0.0, 0.5, 1.0)))
    assert shared == pytest.approx((1 + 0.25) / 4)
    assert apart == pytest.approx(np.sqrt(0.25 / 1.25))


def test_no_common_part_is_no_evidence() -> None:
    apart, shared = distance(row(0, 0, 0, 0, seen=(1.0, 1.0, 0.0, 0.0)), row(0, 0, 0, 0, seen=(0.0, 0.0, 1.0, 1.0)))
    assert (apart, shared) == (1.0, 0.0)
    assert colour_log_odds(apart, shared) == 0


def test_evidence_falls_with_distance_within_its_bounds() -> None:
    odds = np.array([colour_log_odds(apart, 1.0) for apart in np.linspace(0, 1, 21)])
    assert odds[0] > 0
    assert odds[-1] == -MAX_LOG_ODDS
    assert (np.diff(odds) <= 0).all()
    assert (np.abs([colour_log_odds(apart, 0.25) for apart in np.linspace(0, 1, 21)]) <= np.abs(odds)).all()


def test_pairs_above_the_hopeless_bound_are_compared() -> None:
    odds = np.zeros((2, 3))
    odds[0, 1] = HOPELESS_ODDS - 1
    add_colours(
        odds,
        np.stack((row(0, 0, 0, 0), row(1, 1, 1, 1))),
        np.stack((row(1, 1, 1, 1), row(0, 0, 0, 0), row(4, 4, 4, 4))),
    )
    same, other = colour_log_odds(0.0, 1.0), colour_log_odds(1.0, 1.0)
    np.testing.assert_allclose(odds, [[other, HOPELESS_ODDS - 1, other], [same, other, other]], atol=1e-2)


def test_memory_moves_towards_new_colours_and_keeps_its_length() -> None:
    kept, fresh = row(0, 0, 0, 0), row(1, 1, 1, 1)
    apart = [distance(kept, fresh)[0]]
    for _ in range(10):
        remember(kept, fresh, 0.2)
        apart.append(distance(kept, fresh)[0])
        np.testing.assert_allclose((split(kept[None])[0] ** 2).sum(axis=2), 1, rtol=1e-5)
    assert (np.diff(apart) < 0).all()
    assert apart[-1] < 0.5


def test_memory_keeps_hidden_parts_and_adopts_unknown_ones() -> None:
    kept = row(0, 0, 0, 0, seen=(1.0, 1.0, 1.0, 0.0))
    remember(kept, row(1, 1, 1, 1, seen=(1.0, 0.1, 0.0, 0.5)), 0.5)
    features, weights = split(kept[None])
    assert weights[0].tolist() == pytest.approx([1.0, 1.0, 1.0, 0.5])
    assert features[0, :, 1] ** 2 * 3 == pytest.approx([0.5, 0.05, 0.0, 1.0], abs=1e-6)
    assert features[0, 3, 0] == 0
