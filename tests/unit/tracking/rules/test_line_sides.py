"""All 4,096 sequences of 12 sides of a line: each crossing that is counted has happened, in the right direction.

All sequences are filmed at once, each as a person of its own.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
import pytest
from unit.tracking.rules.walks import HEIGHT_PX, at_s, events_of, rules_of

from posebus.messages import Event, Track, TrackFrame, TrackState

A, B = -1, 1
SEQUENCES = list(itertools.product((A, B), repeat=12))
LINE_Y = 300.0
SETTLE_S = 0.3
NEAR_PX, CLEAR_PX, FAR_PX = 3.0, 20.0, 250.0
MORE_RATES = [pytest.param(fps, marks=pytest.mark.thorough) for fps in (5, 15, 25, 30)]
Crossing = tuple[int, str]
"""Number of a person, and a direction."""


def filmed_sides(distances: np.ndarray, fps: float) -> list[TrackFrame]:
    """Frames of people whose feet are at these distances (frames, people) below the line, without keypoints."""
    frames = []
    for seq, row in enumerate(LINE_Y + distances):
        boxes = np.repeat(np.array([[280.0, -HEIGHT_PX, 320.0, 0.0]], np.float32), len(row), axis=0)
        boxes[:, [1, 3]] += np.array(row, np.float32)[:, None]
        tracks = [Track(number, box, 0.9, None, TrackState.CONFIRMED, 1.0) for number, box in enumerate(boxes)]
        frames.append(TrackFrame("yard", 1, seq, round(seq / fps * 1e9), (640, 600), tuple(tracks)))
    return frames


def crossings(distances: np.ndarray, fps: float) -> tuple[list[list[str]], list[Event]]:
    """The directions that each person crossed in, and all events."""
    rules = rules_of(gate={"kind": "line", "points": [[100, LINE_Y], [500, LINE_Y]], "settle_s": SETTLE_S})
    events = events_of(rules, filmed_sides(distances, fps))
    found: list[list[str]] = [[] for _ in range(distances.shape[1])]
    for event in events:
        found[event.data["track_id"]].append(event.data["direction"])
    return found, events


def run_length_oracle(sides: Sequence[int], fps: float) -> list[str]:
    """Directions by arithmetic alone: sides that last for less than SETTLE_S did not happen."""
    lasting = [side for side, run in itertools.groupby(sides) if (len(list(run)) - 1) / fps >= SETTLE_S - 0.001]
    settled = [side for side, _ in itertools.groupby(lasting)]
    return ["a_to_b" if after == B else "b_to_a" for _, after in itertools.pairwise(settled)]


@pytest.mark.parametrize("distance_px", [CLEAR_PX, pytest.param(FAR_PX, marks=pytest.mark.thorough)])
@pytest.mark.parametrize("fps", [10, *MORE_RATES])
def test_crossings_are_those_of_sides_that_last(fps: float, distance_px: float) -> None:
    found, events = crossings(np.array(SEQUENCES).T * distance_px, fps)
    assert found == [run_length_oracle(sides, fps) for sides in SEQUENCES]
    if fps <= 10:  # at 30 frames a second no two of the sides in 0.4 seconds last
        assert len(events) > 100
    counts = {direction: sum(one.count(direction) for one in found) for direction in ("a_to_b", "b_to_a")}
    if events:
        assert events[-1].data["counts"] == counts


@pytest.mark.parametrize("fps", [5, 15, 30, *[pytest.param(fps, marks=pytest.mark.thorough) for fps in (10, 25)]])
def test_a_last_side_that_lasts_is_always_reached(fps: float) -> None:
    held = [(*[sides[0]] * 12, *sides, *[sides[-1]] * 12) for sides in SEQUENCES]
    found, _ = crossings(np.array(held).T * CLEAR_PX, fps)
    for sides, directions in zip(held, found, strict=True):
        assert directions == run_length_oracle(sides, fps)
        net = directions.count("a_to_b") - directions.count("b_to_a")
        assert net == (sides[-1] - sides[0]) / 2


@pytest.mark.parametrize("fps", [10, *MORE_RATES])
@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.thorough) for seed in (1, 2))])
def test_people_near_and_far_cross_only_where_they_changed_sides(fps: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    sides = np.concatenate([np.array(SEQUENCES).T, *[np.array(SEQUENCES).T[-1:]] * 12])
    distances = sides * rng.choice([NEAR_PX, CLEAR_PX, FAR_PX], sides.shape)
    distances[-12:] = sides[-12:] * CLEAR_PX
    found, events = crossings(distances, fps)
    for person, directions in enumerate(found):
        assert all(one != other for one, other in itertools.pairwise(directions))
        changes = [
            "a_to_b" if after == B else "b_to_a"
            for before, after in itertools.pairwise(sides[:, person])
            if before != after
        ]
        assert is_subsequence(directions, changes)
    for event in events:
        person, seq = event.data["track_id"], round(at_s(event) * fps)
        begin = round(event.data["since_ns"] / 1e9 * fps)
        side = B if event.data["direction"] == "a_to_b" else A
        # It is dated when the person came to the side, and was there from then on until it was decided.
        assert (sides[begin : seq + 1, person] == side).all()
        assert sides[begin - 1, person] == -side


def is_subsequence(some: Sequence[str], of: Sequence[str]) -> bool:
    rest = iter(of)
    return all(one in rest for one in some)


def test_people_who_stay_close_to_the_line_have_crossed_only_if_they_stay_on_the_other_side() -> None:
    flicker, fps = np.array(SEQUENCES).T * NEAR_PX, 10
    before = np.full((10, len(SEQUENCES)), A * CLEAR_PX)
    found, _ = crossings(np.concatenate([before, flicker, flicker[:, ::-1]]), fps)
    assert max(map(len, found)) <= 1
    stays = np.concatenate([before[:, :1], np.full((15, 1), B * NEAR_PX * 1.2)])
    assert crossings(stays, fps)[0] == [["a_to_b"]]
