from __future__ import annotations

import itertools

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from unit.tracking.scenes import person, pose_frame

from posebus.settings import TrackerSettings
from tracking.association import Round, assign, in_rounds, with_left_overs
from tracking.detections import detections_of
from tracking.lifecycle import begun

matrices = st.tuples(st.integers(0, 4), st.integers(0, 4)).flatmap(
    lambda shape: arrays(np.float64, shape, elements=st.floats(0, 1))
)


def best_sum(alike: np.ndarray, at_least: float) -> float:
    """The greatest sum over all ways to pair rows with columns, by trying them all."""
    rows, columns = alike.shape
    if rows > columns:
        return best_sum(alike.T, at_least)
    return max(
        sum(alike[row, column] for row, column in enumerate(order) if alike[row, column] >= at_least)
        for order in itertools.permutations(range(columns), rows)
    )


@given(matrices, st.floats(0.05, 0.9))
def test_assignment_is_allowed_one_to_one_and_best(alike: np.ndarray, at_least: float) -> None:
    rows, columns = assign(alike, np.ones(alike.shape[1]), at_least)
    assert len(set(rows.tolist())) == len(rows)
    assert len(set(columns.tolist())) == len(columns)
    assert (alike[rows, columns] >= at_least).all()
    assert abs(alike[rows, columns].sum() - best_sum(alike, at_least)) < 1e-9


def test_a_hopeless_pair_does_not_cost_a_good_one() -> None:
    rows, columns = assign(np.array([[0.8, 0.0], [0.85, 0.1]]), np.ones(2), 0.3)
    assert list(zip(rows.tolist(), columns.tolist(), strict=True)) == [(1, 0)]


def test_the_surer_of_two_doubles_is_taken() -> None:
    _, columns = assign(np.array([[0.72, 0.70]]), np.array([0.4, 0.9]), 0.3)
    assert columns.tolist() == [1]


def test_rounds_are_in_order_and_what_is_given_stays_given() -> None:
    alike = np.array([[0.4, 0.9], [0.0, 0.95], [0.5, 0.9]])
    everyone, second = np.full(3, True), np.array([False, True, False])
    taken = in_rounds(
        alike,
        np.ones(2),
        (
            Round(~second, np.array([False, True]), 0.3),
            Round(everyone, np.array([True, True]), 0.45),
        ),
    )
    assert sorted(taken.tolist()) == [-1, 0, 1]
    assert taken[1] == -1


def test_nobody_and_nothing() -> None:
    step = Round(np.zeros(0, bool), np.full(2, True), 0.3)
    assert in_rounds(np.zeros((0, 2)), np.ones(2), (step,)).tolist() == []
    step = Round(np.full(2, True), np.zeros(0, bool), 0.3)
    assert in_rounds(np.zeros((2, 0)), np.ones(0), (step,)).tolist() == [-1, -1]


def test_left_overs_are_joined_only_where_nobody_else_claims() -> None:
    boxes = [person(200, 300), person(800, 300)]
    detections = detections_of(pose_frame(boxes, 0, 0.0), 0.1)
    tracks = begun(np.arange(2), detections, 1, 0, TrackerSettings())
    nothing, everyone = np.zeros((2, 2)), np.full(2, True)
    untaken = np.full(2, -1)
    assert with_left_overs(untaken, nothing, tracks, detections, everyone, everyone).tolist() == [0, 1]
    assert with_left_overs(np.array([-1, 0]), nothing, tracks, detections, everyone, everyone).tolist() == [-1, 0]
    assert with_left_overs(untaken, nothing, tracks, detections, everyone, ~everyone).tolist() == [-1, -1]
    assert with_left_overs(untaken, nothing, tracks, detections, ~everyone, everyone).tolist() == [-1, -1]
    assert untaken.tolist() == [-1, -1]
