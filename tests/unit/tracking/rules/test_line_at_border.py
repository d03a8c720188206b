"""Lines a few pixels from the border of the picture: who comes in over one has crossed it, and nobody else."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator

import numpy as np
import pytest
from unit.tracking.rules.walks import HEIGHT_PX, SIZE_PX, events_of, rules_of

from posebus.messages import Track, TrackFrame, TrackState

RATES = (5, 10, 15, 30)
WIDTH, HEIGHT = SIZE_PX
LINES = {
    "left": [[5, 20], [5, 460]],
    "right": [[635, 20], [635, 460]],
    "top": [[20, 5], [620, 5]],
    "bottom": [[20, 475], [620, 475]],
}
INWARD = {"left": "b_to_a", "right": "a_to_b", "top": "a_to_b", "bottom": "b_to_a"}
"""By the side on which the picture's middle is, as one walks from the first point to the second."""
Feet = Callable[[float], tuple[float, float]]


def seen_part(number: int, feet: tuple[float, float], least: float, rng: np.random.Generator) -> Track | None:
    """A person as a detector sees the part that is in the picture, if that is `least` of the body or more."""
    x, y = feet
    whole = np.array([x - 0.2 * HEIGHT_PX, y - HEIGHT_PX, x + 0.2 * HEIGHT_PX, y])
    box = np.clip(whole, 0.0, [WIDTH, HEIGHT, WIDTH, HEIGHT])
    part = np.prod(box[2:] - box[:2]) / np.prod(whole[2:] - whole[:2])
    if part < least:
        return None
    box = np.clip(box + rng.normal(0.0, 1.5, 4), 0.0, [WIDTH, HEIGHT, WIDTH, HEIGHT])
    return Track(number, box.astype(np.float32), 0.9, None, TrackState.CONFIRMED, 0.2)


def filmed_parts(path: Feet, seconds: float, fps: float, least: float = 0.35, seed: int = 0) -> Iterator[TrackFrame]:
    rng = np.random.default_rng(seed)
    for seq in range(round(seconds * fps)):
        one = seen_part(1, path(seq / fps), least, rng)
        yield TrackFrame("yard", 1, seq, round(seq / fps * 1e9), SIZE_PX, () if one is None else (one,))


def into(border: str, speed: float, until_s: float = 5.0) -> Feet:
    """The way in over a border, at a speed in body heights a second, from out of view."""
    start = {"left": (-40, 240), "right": (680, 240), "top": (320, -10), "bottom": (320, 610)}[border]
    ahead = {"left": (1, 0.1), "right": (-1, 0.1), "top": (0.1, 1), "bottom": (0.1, -1)}[border]
    px_s = speed * HEIGHT_PX
    return lambda at_s: (
        start[0] + ahead[0] * px_s * min(max(at_s - 1.0, 0.0), until_s),
        start[1] + ahead[1] * px_s * min(max(at_s - 1.0, 0.0), until_s),
    )


def found(border: str, frames: Iterator[TrackFrame]) -> list[str]:
    rules = rules_of(gate={"kind": "line", "points": LINES[border]})
    return [event.data["direction"] for event in events_of(rules, frames)]


@pytest.mark.parametrize("border", LINES)
@pytest.mark.parametrize("speed", [0.5, 0.8, 1.2])
def test_who_walks_in_over_a_line_at_the_border_has_crossed_it_once(border: str, speed: float) -> None:
    missed = []
    for fps in RATES:
        for seed in range(4):
            got = found(border, filmed_parts(into(border, speed), 5.0, fps, seed=seed))
            assert got in ([], [INWARD[border]])
            missed += [(fps, seed)] * (not got)
    assert missed == []


@pytest.mark.parametrize("border", LINES)
def test_who_is_seen_at_the_border_and_does_not_come_in_has_crossed_nothing(border: str) -> None:
    at = {"left": (8, 240), "right": (632, 240), "top": (320, 60), "bottom": (320, 470)}[border]
    along = {"left": (0, 1), "right": (0, 1), "top": (1, 0), "bottom": (1, 0)}[border]
    for fps in RATES:
        for seed in range(4):
            stands = filmed_parts(lambda at_s: at, 6.0, fps, seed=seed)
            assert found(border, (one for one in stands if one.seq >= fps)) == []
            walks = filmed_parts(
                lambda at_s: (at[0] + 50 * along[0] * (at_s - 3), at[1] + 50 * along[1] * (at_s - 3)),
                6.0,
                fps,
                seed=seed,
            )
            assert found(border, (one if one.seq >= fps else bare(one) for one in walks)) == []


@pytest.mark.parametrize("border", ["left", "right", "top"])
def test_who_was_there_before_and_walks_in_has_crossed_nothing(border: str) -> None:
    at = {"left": (30, 240), "right": (610, 240), "top": (320, 140)}[border]
    ahead = {"left": (1, 0), "right": (-1, 0), "top": (0, 1)}[border]
    for fps in RATES:
        frames = filmed_parts(
            lambda at_s: (at[0] + 90 * ahead[0] * max(at_s - 3, 0), at[1] + 90 * ahead[1] * max(at_s - 3, 0)), 6.0, fps
        )
        assert found(border, (one if one.seq >= fps else bare(one) for one in frames)) == []


@pytest.mark.parametrize("begin", [(310, 470), (330, 440)])
def test_who_comes_in_over_another_border_than_that_behind_the_line_has_not_crossed_it(begin: tuple[int, int]) -> None:
    rules = rules_of(gate={"kind": "line", "points": [[300, 20], [300, 460]]})
    frames = filmed_parts(lambda at_s: (begin[0] + 100 * (at_s - 1), begin[1] - 30 * (at_s - 1)), 4.0, 15)
    assert events_of(rules, (one if one.seq >= 15 else bare(one) for one in frames)) == []


@pytest.mark.parametrize("fps", RATES)
@pytest.mark.parametrize("inside_px", [10.0, 45.0, 80.0])
def test_of_all_sequences_of_sides_at_the_border_each_crossing_has_happened(fps: float, inside_px: float) -> None:
    sides = np.array(list(itertools.product((-1, 1), repeat=12))).T
    feet_y = np.where(sides > 0, inside_px, 2.0)
    frames = [TrackFrame("yard", 1, 0, 0, SIZE_PX, ())]
    for seq, row in enumerate(feet_y, start=1):
        tracks = [
            Track(number, np.array([280, 0, 320, y], np.float32), 0.9, None, TrackState.CONFIRMED, 0.2)
            for number, y in enumerate(row)
        ]
        frames.append(TrackFrame("yard", 1, seq, round(seq / fps * 1e9), SIZE_PX, tuple(tracks)))
    directions: list[list[str]] = [[] for _ in range(sides.shape[1])]
    for event in events_of(rules_of(gate={"kind": "line", "points": LINES["top"]}), frames):
        directions[event.data["track_id"]].append(event.data["direction"])
    for person, some in enumerate(directions):
        lasting = [side for side, run in itertools.groupby(sides[:, person]) if (len(list(run)) - 1) / fps >= 0.299]
        settled = [side for side, _ in itertools.groupby(lasting)]
        assert some == ["a_to_b" if after > 0 else "b_to_a" for _, after in itertools.pairwise(settled)]


def bare(one: TrackFrame) -> TrackFrame:
    return TrackFrame(one.camera, one.epoch, one.seq, one.captured_at_ns, one.size_px, ())
