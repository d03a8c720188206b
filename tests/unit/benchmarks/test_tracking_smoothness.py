"""The measures of smoothness, on motions with a known delay and jitter."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.tracking.smoothness import (
    HEIGHT_PX,
    SPEED,
    box_corners,
    error_px,
    lag_s,
    measured,
    running,
    standing,
    tremble_px,
)


@pytest.mark.parametrize("delay_s", [-0.03, 0.0, 0.0123, 0.08, 0.2])
@pytest.mark.parametrize("fps", [5, 25])
def test_known_delay_is_estimated_under_noise(delay_s: float, fps: int) -> None:
    times_s = np.arange(1, 20, 1 / fps)
    noise = np.random.default_rng(0).normal(0, 2.5, (len(times_s), 17, 2))
    assert lag_s(times_s, running(times_s - delay_s) + noise, running) == pytest.approx(delay_s, abs=0.003)


def test_runner_reaches_full_speed_both_ways_without_jumps() -> None:
    times_s = np.arange(0, 20, 0.001)
    hips_px = running(times_s)[:, 11, 0]
    speed = np.diff(hips_px) / 0.001 / HEIGHT_PX
    assert speed.max() == pytest.approx(SPEED, rel=0.02)
    assert speed.min() == pytest.approx(-SPEED, rel=0.02)
    assert np.abs(np.diff(speed)).max() < 0.02


def test_box_of_a_standing_person_has_its_height_and_holds_all_joints() -> None:
    times_s = np.array([0.0, 1.0])
    corners, joints = box_corners(standing)(times_s), standing(times_s)
    np.testing.assert_allclose(corners[:, 1, 1] - corners[:, 0, 1], HEIGHT_PX)
    assert (joints > corners[:, :1]).all()
    assert (joints < corners[:, 1:]).all()


def test_error_is_the_root_mean_square_distance() -> None:
    truth = np.zeros((2, 2, 2))
    assert error_px(truth + np.array([3.0, 4.0]), truth) == pytest.approx(5.0)


def test_tremble_of_white_noise_is_root_six_times_its_deviation() -> None:
    times_s = np.arange(20_000) / 25
    noise = np.random.default_rng(0).normal(0, 1, (len(times_s), 1, 2))
    assert tremble_px(times_s, noise) == pytest.approx(np.sqrt(6 * 2), rel=0.03)


def test_uniform_motion_with_a_gap_has_no_tremble() -> None:
    times_s = np.delete(np.arange(50) / 25, [20, 21])
    assert tremble_px(times_s, np.tile(times_s[:, None, None], (1, 1, 2))) == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize("fps", [5.0, 7.0, 25.0])
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_runner_who_turns_keeps_one_identity(fps: float, seed: int) -> None:
    """The runner turns at 3 m/s as hard as people can: a filter that trusts its velocity too much loses the track."""
    assert {line.ids for line in measured("running", running, fps, seed)} == {1}
