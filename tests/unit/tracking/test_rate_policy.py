"""`infer_fps: auto`: the interval between inferred frames follows from how predictable positions are."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from unit.tracking.scenes import SECOND_NS, SIZE_PX, person, pose_frame

from posebus.contract.plan import LAG_S
from tracking import PoseTracker
from tracking.policies import rate
from tracking.policies.planning import LIVE_DELAY_S
from tracking.policies.rate import BORDER_S, CLOSE_S, EMPTY_S, HOLD_S, INTERVALS_S, InferenceInterval, with_hysteresis

Where = Callable[[float], list[np.ndarray]]
LONGEST_S = INTERVALS_S[-1]


def interval_of(where: Where, seconds: float = 4.0, fps: float = 12.5, delay_s: float = LAG_S) -> InferenceInterval:
    """The sufficient interval after people were at `where(time_s)`, with the noise of detected boxes."""
    tracker, rng = PoseTracker(), np.random.default_rng(5)
    for seq in range(round(seconds * fps)):
        boxes = [box + rng.normal(0, 0.01 * (box[3] - box[1]), 4).astype(np.float32) for box in where(seq / fps)]
        tracker.update(pose_frame(boxes, seq, seq / fps))
    return rate.sufficient_interval(tracker.tracks, SIZE_PX, round((seconds * fps - 1) / fps * SECOND_NS), delay_s)


def test_empty_scene_is_inferred_at_the_empty_interval() -> None:
    assert interval_of(lambda _: []) == InferenceInterval(EMPTY_S, "no person is present")


def test_people_who_stand_or_walk_evenly_far_apart_get_the_longest_interval() -> None:
    assert interval_of(lambda _: [person(400, 360), person(900, 360)]).interval_s == LONGEST_S
    assert interval_of(lambda t: [person(300 + 40 * t, 360), person(900 - 40 * t, 200)]).interval_s == LONGEST_S


def test_people_who_will_meet_get_a_short_interval_before_they_do() -> None:
    """They walk towards each other and meet in a second, when the decision takes effect."""
    interval = interval_of(lambda t: [person(350 + 60 * t, 360), person(930 - 60 * t, 360)])
    assert interval.interval_s <= CLOSE_S
    assert interval.why == "people come close to each other"


def test_person_about_to_leave_limits_the_interval() -> None:
    interval = interval_of(lambda t: [person(620 - 120 * t, 360)])
    assert interval == InferenceInterval(BORDER_S, "a person is about to leave the picture")


def test_person_who_keeps_turning_gets_a_shorter_interval() -> None:
    def dances(t: float) -> list[np.ndarray]:
        return [person(640 + 120 * np.sin(3 * t), 360 + 60 * np.cos(4 * t))]

    interval = interval_of(dances)
    assert interval.interval_s < LONGEST_S
    assert interval.why == "movements are hard to predict"


def test_running_people_shorten_the_interval_for_new_ones() -> None:
    interval = interval_of(lambda t: [person(200 + 900 * (t % 1.0), 360)], seconds=1.0, fps=25.0)
    assert interval.interval_s < LONGEST_S
    assert interval.why in ("people move fast", "movements are hard to predict")


@pytest.mark.parametrize("height_px", [60.0, 200.0, 600.0])
def test_interval_depends_on_body_sizes_and_not_on_pixels(height_px: float) -> None:
    scale = height_px / 200.0

    def meet(t: float) -> list[np.ndarray]:
        return [person(640 + side * (290 - 60 * t) * scale, 360, height_px) for side in (-1, 1)]

    assert interval_of(meet).interval_s <= CLOSE_S


def test_missed_track_of_a_live_camera_shortens_the_interval() -> None:
    missed = interval_of(lambda t: [person(640, 360)] if t < 3.9 else [], seconds=4.0, delay_s=LIVE_DELAY_S)
    assert missed == InferenceInterval(CLOSE_S, "a person was missed")
    later = interval_of(lambda t: [person(640, 360)] if t < 3.9 else [], seconds=4.0, delay_s=LAG_S)
    assert later.interval_s == LONGEST_S, "in a recording the decision would take effect too late"


def test_shorter_interval_applies_at_once_and_a_longer_one_after_hold_s() -> None:
    short_s, long_s = INTERVALS_S[1], INTERVALS_S[-1]
    assert with_hysteresis(long_s, short_s, None, 0) == (short_s, None)
    interval_s, since_ns = with_hysteresis(short_s, long_s, None, 0)
    assert (interval_s, since_ns) == (short_s, 0)
    just_before = round(HOLD_S * 1e9) - 1
    assert with_hysteresis(short_s, long_s, since_ns, just_before) == (short_s, 0)
    assert with_hysteresis(short_s, long_s, since_ns, just_before + 1) == (long_s, None)
    assert with_hysteresis(short_s, short_s, since_ns, just_before) == (short_s, None), "the time starts again"
