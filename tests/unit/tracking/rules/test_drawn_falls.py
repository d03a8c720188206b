"""Falls of stick figures: their generator shares nothing with `benchmarks.skeletons`."""

from __future__ import annotations

import pytest
from unit.tracking.rules.stick_figures import FALLS, OTHERS
from unit.tracking.rules.stick_scenes import Score, drawn


def scored(kinds: list[str], seeds: range, *, boxes_only: bool = False, fps: float | None = None) -> Score:
    score = Score()
    for kind in kinds:
        for seed in seeds:
            score.add(drawn(kind, seed, fps=fps, boxes_only=boxes_only), f"{kind}/{seed}")
    return score


def test_drawn_figures_that_fall_are_found() -> None:
    score = scored(["fall"], range(8))
    assert (score.found, score.false, score.wrong) == (score.falls, 0, [])


@pytest.mark.parametrize("fps", [5.0, 10.0, 15.0, 30.0])
def test_they_are_found_at_any_frame_rate(fps: float) -> None:
    score = scored(["fall"], range(4), fps=fps)
    assert (score.found, score.false) == (score.falls, 0), score.wrong


@pytest.mark.parametrize("boxes_only", [False, True])
@pytest.mark.parametrize("kind", OTHERS)
def test_drawn_figures_that_do_something_else_do_not_fall(kind: str, boxes_only: bool) -> None:
    assert scored([kind], range(2), boxes_only=boxes_only).false == 0


def test_many_drawn_scenes(thorough: bool) -> None:
    score = scored([*FALLS, *OTHERS], range(5000, 5030 if thorough else 5002))
    assert score.recall >= 0.9, score.wrong
    assert score.precision >= 0.98, score.wrong
