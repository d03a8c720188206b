"""Heights of bodies and speeds of ways down, against arithmetic."""

from __future__ import annotations

import numpy as np
import pytest

from tracking.rules.bodies.descent import GROUND, STANDING, STATE, SURE, follow_one
from tracking.rules.bodies.heights import LEVELS, crossed_s, depth_in_height, fastest, guessed_px, rates
from tracking.rules.bodies.lying import looks
from tracking.rules.bodies.posture import MEASURES, measure_one

STANDING_JOINTS = {0: 0.93, 5: 0.818, 6: 0.818, 11: 0.53, 12: 0.53, 13: 0.285, 14: 0.285, 15: 0.039, 16: 0.039}
"""Heights above the floor of those joints that are seen, in heights of the person."""


def body(heights: dict[int, float], ground_px: float, height_px: float) -> tuple[np.ndarray, np.ndarray]:
    """The box (4,) and joints (17, 3) of a body seen from the front with joints at these heights."""
    joints = np.zeros((17, 3))
    for joint, height in heights.items():
        aside = 0.0 if joint == 0 else (0.1 if joint % 2 else -0.1)
        joints[joint] = 320.0 + aside * height_px, ground_px - height * height_px, 0.9
    top = ground_px - (max(heights.values()) + 0.07) * height_px
    return np.array([320.0 - 0.15 * height_px, top, 320.0 + 0.15 * height_px, ground_px]), joints


def measured(heights: dict[int, float], ground_px: float = 400.0, height_px: float = 200.0) -> np.ndarray:
    out = np.empty(MEASURES)
    box, joints = body(heights, ground_px, height_px)
    measure_one(box, joints, 480.0, out)
    return out


def scaled(share: float) -> dict[int, float]:
    """A standing body all of whose heights in the picture are smaller, as one that lies along the view."""
    return {joint: share * height for joint, height in STANDING_JOINTS.items()}


def above_s(height_at: list[tuple[float, float]]) -> np.ndarray:
    """The last moments above the levels of a way down through (seconds, height), straight between them."""
    times, heights = (np.array(column) for column in zip(*height_at, strict=True))
    return np.interp(-LEVELS, -heights, times)


def test_the_speed_of_an_even_way_down_is_its_height_by_its_time() -> None:
    way = above_s([(1.0, 1.0), (2.0, 0.2)])
    assert fastest(way, 0.2, 0.25) == pytest.approx(0.8)
    assert rates(way, 0.2, 1.0) == pytest.approx((0.8, 0.8))


def test_a_way_in_two_parts_is_fast_in_one_and_slow_in_most_of_it() -> None:
    # 0.4 heights in half a second, and the other 0.4 in two seconds.
    fast, whole = rates(above_s([(1.0, 1.0), (1.5, 0.6), (3.5, 0.2)]), 0.2, 1.0)
    assert fast == pytest.approx(0.8)
    # Most of the way is 0.7 of 0.85 - 0.2: 0.455, so 0.5 between levels. The fastest such part begins at 0.95.
    assert whole == pytest.approx(0.5 / (0.35 / 0.8 + 0.15 / 0.2))


def test_who_falls_off_a_chair_has_a_whole_way_though_never_as_high_as_someone_who_stands() -> None:
    way = above_s([(1.0, 0.72), (1.5, 0.12)])
    way[LEVELS > 0.72] = -1.0
    # Both are 0.6 heights in half a second; rested at 1.0, the way would have to begin higher than it does.
    assert rates(way, 0.12, 0.72) == pytest.approx((1.2, 1.2))
    assert rates(way, 0.12, 1.0)[1] == -1.0


def test_the_moment_of_crossing_is_between_the_frames_in_proportion() -> None:
    assert crossed_s(0.5, 0.8, 0.4, 10.0, 10.2) == pytest.approx(10.15)
    assert crossed_s(0.5, 0.4, 0.8, 10.0, 10.2) == pytest.approx(10.05)
    assert crossed_s(0.9, 0.8, 0.4, 10.0, 10.2) == 10.2
    assert crossed_s(0.5, 0.5, 0.5, 10.0, 10.2) == 10.2


def test_depth_is_in_the_height_of_bodies_along_the_view_only() -> None:
    assert depth_in_height(measured(STANDING_JOINTS), 400.0, 200.0) == 0.0
    # At 0.4 of its height the trunk is 0.115 long, and the hips are 0.21 high.
    assert depth_in_height(measured(scaled(0.4)), 400.0, 200.0) == pytest.approx(0.15)
    bent = STANDING_JOINTS | {0: 0.5, 5: 0.55, 6: 0.55}
    assert depth_in_height(measured(bent), 400.0, 200.0) == 0.0


def test_a_body_along_the_view_lies_and_one_that_squats_crouches() -> None:
    # Seen 29 degrees from above, tan = 0.55, all heights in the picture of who lies are 0.55 of those standing.
    lies, crouches, _ = looks(measured(scaled(0.55)), 0.55, 400.0, 200.0)
    assert (lies, crouches) == (pytest.approx(0.7), 0.0)
    squat = STANDING_JOINTS | {0: 0.56, 5: 0.44, 6: 0.44, 11: 0.18, 12: 0.18, 13: 0.27, 14: 0.27}
    lies, crouches, _ = looks(measured(squat), 0.6, 400.0, 200.0)
    assert lies < 0.1
    assert crouches == 1.0


def test_the_guess_without_standing_is_the_longest_bone_or_the_box() -> None:
    # A trunk of 0.288 heights is the longest bone: 200 pixels, less the bias of a longest one.
    sitting = {5: 0.55, 6: 0.55, 11: 0.262, 12: 0.262}
    assert guessed_px(measured(sitting)) == pytest.approx(200.0 / 1.1)
    box = np.empty(MEASURES)
    measure_one(np.array([0.0, 0.0, 150.0, 60.0]), np.zeros((17, 3)), 480.0, box)
    assert guessed_px(box) == pytest.approx(0.9 * 150.0)


def followed(heights: dict[int, float], state: np.ndarray, seconds: tuple[float, float], **place: float) -> None:
    for at_s in np.arange(*seconds, 0.1):
        box, joints = body(heights, place.get("ground_px", 400.0), place.get("height_px", 200.0))
        out = np.empty(MEASURES)
        measure_one(box, joints, 480.0, out)
        follow_one(state, box, out, float(at_s))


def test_a_standing_height_stays_while_the_feet_stay() -> None:
    state = np.full(STATE, -1.0)
    followed(STANDING_JOINTS, state, (0.0, 1.0))
    assert (state[STANDING], state[SURE]) == (pytest.approx(200.0), 1.0)
    # Half as high on the same place within a second: not farther away, but along the view.
    followed(STANDING_JOINTS, state, (1.0, 2.0), height_px=100.0)
    assert state[STANDING] >= 0.8 * 200.0


def test_a_standing_height_shrinks_as_someone_walks_away() -> None:
    state = np.full(STATE, -1.0)
    followed(STANDING_JOINTS, state, (0.0, 1.0))
    for step in range(40):
        share = 1.0 - 0.0125 * (step + 1)
        followed(
            STANDING_JOINTS,
            state,
            (1.0 + 0.1 * step, 1.05 + 0.1 * step),
            height_px=200.0 * share,
            ground_px=100.0 + 300.0 * share,
        )
    # Half as high after four seconds, as all things at twice the distance from a camera 1.5 heights above the floor.
    assert state[STANDING] == pytest.approx(100.0, rel=0.15)
    assert state[GROUND] == pytest.approx(250.0, abs=10.0)


def test_a_short_straight_moment_does_not_make_a_sitting_person_small() -> None:
    state = np.full(STATE, -1.0)
    sitting = STANDING_JOINTS | {0: 0.68, 5: 0.57, 6: 0.57, 11: 0.29, 12: 0.29, 13: 0.28, 14: 0.28}
    followed(sitting, state, (0.0, 1.0))
    guess = state[STANDING]
    assert (state[SURE], guess) == (0.0, pytest.approx(200.0 / 1.1, rel=0.05))
    followed(STANDING_JOINTS, state, (1.0, 1.15), height_px=100.0)
    assert state[SURE] == 0.0
    followed(STANDING_JOINTS, state, (2.0, 2.5))
    assert (state[SURE], state[STANDING]) == (1.0, pytest.approx(200.0, rel=0.02))
