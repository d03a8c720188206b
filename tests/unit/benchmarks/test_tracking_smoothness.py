"""The measures of smoothness, on ways whose delay and tremble are known."""

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
def test_a_known_delay_is_found_under_noise(delay_s: float, fps: int) -> None:
    times_s = np.arange(1, 20, 1 / fps)
    noise = np.random.default_rng(0).normal(0, 2.5, (len(times_s), 17, 2))
    assert lag_s(times_s, running(times_s - delay_s) + noise, running) == pytest.approx(delay_s, abs=0.003)


def test_the_runner_turns_at_full_speed_and_never_jumps() -> None:
    times_s = np.arange(0, 20, 0.001)
    hips_px = running(times_s)[:, 11, 0]
    speed = np.diff(hips_px) / 0.001 / HEIGHT_PX
    assert speed.max() == pytest.approx(SPEED, rel=0.02)
    assert speed.min() == pytest.approx(-SPEED, rel=0.02)
    assert np.abs(np.diff(speed)).max() < 0.02


def test_the_box_has_its_height_and_holds_who_stands() -> None:
    times_s = np.array([0.0, 1.0])
    corners, joints = box_corners(standing)(times_s), standing(times_s)
    np.testing.assert_allclose(corners[:, 1, 1] - corners[:, 0, 1], HEIGHT_PX)
    assert (joints > corners[:, :1]).all()
    assert (joints < corners[:, 1:]).all()


def test_error_is_the_root_mean_square_distance() -> None:
    truth = np.zeros((2, 2, 2))
    assert error_px(truth + np.array([3.0, 4.0]), truth) == pytest.approx(5.0)


def test_white_noise_trembles_by_the_root_of_six_times_its_own_size() -> None:
    times_s = np.arange(20_000) / 25
    noise = np.random.default_rng(0).normal(0, 1, (len(times_s), 1, 2))
    assert tremble_px(times_s, noise) == pytest.approx(np.sqrt(6 * 2), rel=0.03)


def test_even_motion_does_not_tremble_nor_does_a_gap_count() -> None:
    times_s = np.delete(np.arange(50) / 25, [20, 21])
    assert tremble_px(times_s, np.tile(times_s[:, None, None], (1, 1, 2))) == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize("fps", [5.0, 7.0, 25.0])
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_a_runner_who_turns_round_is_one_identity(fps: float, seed: int) -> None:
    """3 m/s to and fro, turning as hard as people can: a filter that is too sure of the course loses the runner."""
    assert {line.ids for line in measured("running", running, fps, seed)} == {1}
