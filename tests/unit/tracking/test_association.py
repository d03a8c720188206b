from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.optimize import linear_sum_assignment
from unit.tracking.scenes import SIZE_PX, person, pose_frame

from posebus.config.settings import TrackerSettings
from tracking import body_model as model
from tracking.detections import detections_of
from tracking.identities.initiation import initiate
from tracking.matching.association import associate, match_assigned, match_unambiguous
from tracking.tracks import CONFIRMED, LOST, TENTATIVE

SETTINGS = TrackerSettings()
HIGH = 0.9
LOW = (SETTINGS.low_score + SETTINGS.high_score) / 2

matrices = st.tuples(st.integers(0, 4), st.integers(0, 4)).flatmap(
    lambda shape: st.tuples(
        arrays(np.float64, shape, elements=st.floats(-8, 3)),
        arrays(np.float64, shape[1], elements=st.floats(SETTINGS.high_score, 1)),
    )
)


def best_sum(worth: np.ndarray) -> float:
    """The largest sum over all ways to pair rows with columns, or to leave them out, by trying them all."""
    rows, columns = worth.shape
    choices = [*range(columns), *[-1] * rows]
    return max(
        sum(max(worth[row, column], 0.0) for row, column in enumerate(order) if column >= 0)
        for order in set(itertools.permutations(choices, rows))
    )


def matched(
    odds: list[list[float]] | np.ndarray,
    *,
    states: list[int] | None = None,
    scores: list[float] | None = None,
    recent: list[bool] | None = None,
) -> list[int]:
    """The matches of log odds (T, D), by default for confirmed, recent tracks and high-score detections."""
    matrix = np.asarray(odds, float)
    count, seen = matrix.shape
    boxes = [person(100 + 90 * place, 300) for place in range(max(count, seen))]
    all_people = detections_of(pose_frame(boxes, 0, 0.0), SETTINGS.low_score)
    tracks = initiate(np.arange(count), all_people, SIZE_PX, 1, 0, SETTINGS)
    tracks.state[:] = CONFIRMED if states is None else states
    frame = pose_frame(boxes[:seen], 1, 0.1, scores=[HIGH] * seen if scores is None else scores)
    detections = detections_of(frame, SETTINGS.low_score)
    assert len(detections) == seen
    sight = np.full(count, True) if recent is None else np.array(recent)
    return associate(matrix, tracks, detections, sight, SETTINGS).tolist()


@settings(deadline=None)  # the first call compiles
@given(matrices)
def test_assignment_is_one_to_one_and_optimal(case: tuple[np.ndarray, np.ndarray]) -> None:
    """By the sum of log odds above the gate, each times the detection's score; pairs below the gate never match."""
    odds, scores = case
    # Detections carry scores as float32.
    worth = (odds + model.GATES.pair) * scores.astype(np.float32)
    pairs = [(row, column) for row, column in enumerate(matched(odds, scores=scores.tolist())) if column >= 0]
    assert len({column for _, column in pairs}) == len(pairs)
    assert all(worth[row, column] > 0 for row, column in pairs)
    assert abs(sum(worth[row, column] for row, column in pairs) - best_sum(worth)) < 1e-6


def test_unambiguous_matches_are_those_of_the_assignment() -> None:
    """The shortcut for frames without conflicts gives the result of the assignment, or declines."""
    rng = np.random.default_rng(1)
    unambiguous = 0
    for _ in range(300):
        worth = np.maximum(rng.normal(-0.8, 1.0, (rng.integers(1, 6), rng.integers(1, 6))), 0.0)
        short, long = np.full(len(worth), -1, np.intp), np.full(len(worth), -1, np.intp)
        match_assigned(long, worth, *linear_sum_assignment(worth, maximize=True))
        if match_unambiguous(short, worth):
            unambiguous += 1
            np.testing.assert_array_equal(short, long)
        else:
            assert (short == -1).all()
    assert 50 < unambiguous < 250


def test_pair_below_the_gate_does_not_cost_a_good_pair() -> None:
    """Without the gate, pairing first with first and second with second would have the larger sum."""
    gate = model.GATES.pair
    assert matched([[3.0 - gate, -9.0 - gate], [3.5 - gate, -1.0 - gate]]) == [-1, 0]


def test_duplicate_with_the_higher_score_is_matched() -> None:
    assert matched([[-0.9, -1.0]], scores=[0.4, 0.9]) == [1]


def test_both_tracks_are_matched_although_one_could_do_better_alone() -> None:
    assert matched([[0.0, -0.5], [-0.5, -3.8]]) == [1, 0]


def test_pair_below_the_gate_is_not_matched() -> None:
    assert matched([[-model.GATES.pair + 0.1]]) == [0]
    assert matched([[-model.GATES.pair - 0.1]]) == [-1]


def test_lost_track_is_matched_with_a_high_score_detection() -> None:
    assert matched([[-model.GATES.pair + 0.1]], recent=[False], states=[LOST]) == [0]
    assert matched([[-model.GATES.pair - 0.1]], recent=[False], states=[LOST]) == [-1]


@pytest.mark.parametrize(
    ("state", "recent", "expected"),
    [(CONFIRMED, True, 0), (LOST, True, 0), (CONFIRMED, False, -1), (LOST, False, -1), (TENTATIVE, True, -1)],
)
def test_low_score_detection_only_matches_recent_confirmed_or_lost_tracks(
    state: int, recent: bool, expected: int
) -> None:
    """Even at the predicted position; a high-score detection there matches in each case."""
    assert matched([[0.0]], states=[state], recent=[recent], scores=[LOW]) == [expected]
    assert matched([[0.0]], states=[state], recent=[recent], scores=[HIGH]) == [0]


def test_low_score_detection_has_a_narrower_gate() -> None:
    odds = -model.GATES.pair + model.GATES.doubt_penalty
    assert matched([[odds - 0.1]], scores=[LOW]) == [-1]
    assert matched([[odds - 0.1]], scores=[HIGH]) == [0]
    assert matched([[odds + 0.1]], scores=[LOW]) == [0]


def test_tentative_track_has_a_narrower_gate() -> None:
    odds = -model.GATES.pair + model.GATES.tentative_penalty
    assert matched([[odds - 0.1]], states=[TENTATIVE]) == [-1]
    assert matched([[odds - 0.1]], states=[CONFIRMED]) == [0]
    assert matched([[odds + 0.1]], states=[TENTATIVE]) == [0]


def test_confirmed_track_wins_against_an_equal_tentative_one() -> None:
    assert matched([[0.0], [0.0]], states=[TENTATIVE, CONFIRMED]) == [-1, 0]
    assert matched([[0.0], [0.0]], states=[CONFIRMED, TENTATIVE]) == [0, -1]


@pytest.mark.parametrize(("tracks", "people"), [(0, 0), (0, 2), (2, 0)])
def test_no_tracks_or_no_detections_give_no_matches(tracks: int, people: int) -> None:
    assert matched(np.zeros((tracks, people))) == [-1] * tracks
