"""`infer_fps: auto`: the rate of inference follows from the certainty of the predicted places."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from unit.tracking.scenes import SECOND_NS, SIZE_PX, person, pose_frame

from posebus.contract.plan import LAG_S
from tracking import PoseTracker
from tracking.planning import LIVE_DELAY_S
from tracking.policies import rate
from tracking.policies.rate import BORDER_S, CLOSE_S, HOLD_S, INTERVALS_S, NOBODY_S, Need, held

Where = Callable[[float], list[np.ndarray]]
LONGEST_S = INTERVALS_S[-1]


def need_of(where: Where, seconds: float = 4.0, fps: float = 12.5, delay_s: float = LAG_S) -> Need:
    """The decision after people were where `where(time_s)` returns, with the noise that boxes have."""
    tracker, rng = PoseTracker(), np.random.default_rng(5)
    for seq in range(round(seconds * fps)):
        boxes = [box + rng.normal(0, 0.01 * (box[3] - box[1]), 4).astype(np.float32) for box in where(seq / fps)]
        tracker.update(pose_frame(boxes, seq, seq / fps))
    return rate.need(tracker.tracks, SIZE_PX, round((seconds * fps - 1) / fps * SECOND_NS), delay_s)


def test_empty_scene_is_inferred_at_the_rate_for_newcomers() -> None:
    assert need_of(lambda _: []) == Need(NOBODY_S, "nobody is there")


def test_people_who_stand_or_walk_steadily_far_apart_need_few_inferences() -> None:
    assert need_of(lambda _: [person(400, 360), person(900, 360)]).interval_s == LONGEST_S
    assert need_of(lambda t: [person(300 + 40 * t, 360), person(900 - 40 * t, 200)]).interval_s == LONGEST_S


def test_people_about_to_meet_are_inferred_often_before_they_do() -> None:
    """They walk towards each other and meet in a second, when the plan will be in force."""
    need = need_of(lambda t: [person(350 + 60 * t, 360), person(930 - 60 * t, 360)])
    assert need.interval_s <= CLOSE_S
    assert need.why == "people come close"


def test_person_about_to_leave_is_not_reported_long_after() -> None:
    need = need_of(lambda t: [person(620 - 120 * t, 360)])
    assert need == Need(BORDER_S, "somebody is about to leave")


def test_person_who_turns_often_needs_more_inferences_than_one_who_walks_straight() -> None:
    def dances(t: float) -> list[np.ndarray]:
        return [person(640 + 120 * np.sin(3 * t), 360 + 60 * np.cos(4 * t))]

    need = need_of(dances)
    assert need.interval_s < LONGEST_S
    assert need.why == "it is not clear where people go"


def test_where_people_run_inference_for_newcomers_is_frequent() -> None:
    need = need_of(lambda t: [person(200 + 900 * (t % 1.0), 360)], seconds=1.0, fps=25.0)
    assert need.interval_s < LONGEST_S
    assert need.why in ("people are fast", "it is not clear where people go")


@pytest.mark.parametrize("height_px", [60.0, 200.0, 600.0])
def test_rate_depends_on_distances_in_bodies_and_not_in_pixels(height_px: float) -> None:
    scale = height_px / 200.0

    def meet(t: float) -> list[np.ndarray]:
        return [person(640 + side * (290 - 60 * t) * scale, 360, height_px) for side in (-1, 1)]

    assert need_of(meet).interval_s <= CLOSE_S


def test_live_person_who_was_missed_is_inferred_again_soon() -> None:
    missed = need_of(lambda t: [person(640, 360)] if t < 3.9 else [], seconds=4.0, delay_s=LIVE_DELAY_S)
    assert missed == Need(CLOSE_S, "somebody was missed")
    later = need_of(lambda t: [person(640, 360)] if t < 3.9 else [], seconds=4.0, delay_s=LAG_S)
    assert later.interval_s == LONGEST_S, "of a recording that would hold long after"


def test_shorter_interval_applies_at_once_and_a_longer_one_after_a_while() -> None:
    short_s, long_s = INTERVALS_S[1], INTERVALS_S[-1]
    assert held(long_s, short_s, None, 0) == (short_s, None)
    interval_s, since_ns = held(short_s, long_s, None, 0)
    assert (interval_s, since_ns) == (short_s, 0)
    just_before = round(HOLD_S * 1e9) - 1
    assert held(short_s, long_s, since_ns, just_before) == (short_s, 0)
    assert held(short_s, long_s, since_ns, just_before + 1) == (long_s, None)
    assert held(short_s, short_s, since_ns, just_before) == (short_s, None), "a doubt begins the while anew"
