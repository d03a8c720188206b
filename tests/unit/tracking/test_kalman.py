from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tracking.body_model import MOTION, KalmanParameters
from tracking.motion.kalman import (
    COVARIANCE,
    PLANES,
    POSITION,
    VAR_POSITION,
    VAR_VELOCITY,
    VELOCITY,
    initiate,
    predict,
    update,
)

durations_s = st.floats(0.0, 20.0)
sizes_px = st.floats(5.0, 2000.0)
coordinates_px = st.floats(-5000.0, 5000.0)

patient = settings(deadline=None)
"""The first call compiles."""

MEASUREMENT_STD = np.array(MOTION.measurement_std)

MOTION_X = KalmanParameters(
    velocity_std=(0.6,), persistence_s=(4.0,), measurement_std=(0.04,), drift=(0.03,), error_memory_s=(0.0,)
)


def one(position: float, size: float) -> tuple[np.ndarray, np.ndarray]:
    body_px = np.array([size])
    return initiate(np.full((1, 4), position), body_px, MOTION), body_px


def measured(states: np.ndarray, measured_px: np.ndarray, std_px: np.ndarray) -> np.ndarray:
    """The states after measurements (T, C) with standard deviations (T, C), or (C,) of every body."""
    after = states.copy()
    for body, (place, spread) in enumerate(zip(measured_px, np.broadcast_to(std_px, measured_px.shape), strict=True)):
        update(after, body, place, np.array(spread))
    return after


def assert_valid(states: np.ndarray) -> None:
    """Each 2x2 covariance is positive semidefinite (it is symmetric by its form)."""
    assert (states[VAR_POSITION] > 0).all()
    assert (states[VAR_VELOCITY] > 0).all()
    product = states[VAR_POSITION] * states[VAR_VELOCITY]
    assert (product - states[COVARIANCE] ** 2 >= -1e-9 * product).all()


@patient
@given(durations_s, durations_s, sizes_px, coordinates_px)
def test_two_short_predictions_equal_one_long_one(a_s: float, b_s: float, size: float, position: float) -> None:
    states, body_px = one(position, size)
    states = measured(predict(states, 0.1, body_px, MOTION), states[POSITION] + 0.2 * size, MEASUREMENT_STD * body_px)
    twice = predict(predict(states, a_s, body_px, MOTION), b_s, body_px, MOTION)
    once = predict(states, a_s + b_s, body_px, MOTION)
    for plane in range(PLANES):
        np.testing.assert_allclose(twice[plane], once[plane], rtol=1e-7, atol=1e-6, err_msg=str(plane))


@patient
@given(sizes_px, st.lists(st.tuples(st.floats(0.0, 5.0), coordinates_px), min_size=1, max_size=30))
def test_covariance_stays_valid(size: float, steps: list[tuple[float, float]]) -> None:
    states, body_px = one(0.0, size)
    for dt_s, place in steps:
        states = predict(states, dt_s, body_px, MOTION)
        assert_valid(states)
        states = measured(states, np.full((1, 4), place), MEASUREMENT_STD * body_px)
        assert_valid(states)


@patient
@given(durations_s, sizes_px)
def test_variance_grows_with_prediction_and_shrinks_with_measurement(dt_s: float, size: float) -> None:
    states, body_px = one(100.0, size)
    later = predict(states, dt_s, body_px, MOTION)
    assert (later[VAR_POSITION] >= states[VAR_POSITION]).all()
    assert (measured(later, later[POSITION], MEASUREMENT_STD * body_px)[VAR_POSITION] < later[VAR_POSITION]).all()


@patient
@given(st.floats(0.01, 100.0))
def test_states_scale_with_the_body(scale: float) -> None:
    small, body_px = one(10.0, 50.0)
    large, large_px = one(10.0 * scale, 50.0 * scale)
    small = measured(predict(small, 0.3, body_px, MOTION), np.full((1, 4), 14.0), MEASUREMENT_STD * body_px)
    large = measured(predict(large, 0.3, large_px, MOTION), np.full((1, 4), 14.0 * scale), MEASUREMENT_STD * large_px)
    for plane, power in ((POSITION, 1), (VELOCITY, 1), (VAR_POSITION, 2), (COVARIANCE, 2), (VAR_VELOCITY, 2)):
        np.testing.assert_allclose(large[plane], small[plane] * scale**power, rtol=1e-9, err_msg=str(plane))


def test_covariance_of_a_step_is_that_of_the_simulated_process() -> None:
    """The closed form against the process itself, simulated in small steps."""
    motion = KalmanParameters(
        velocity_std=(0.5,), persistence_s=(0.8,), measurement_std=(0.05,), drift=(0.1,), error_memory_s=(0.0,)
    )
    rng = np.random.default_rng(0)
    walkers, step_s, until_s = 20_000, 0.002, 0.6
    x = rng.normal(0, 0.05, walkers)
    v = rng.normal(0, 0.5, walkers)
    for _ in range(round(until_s / step_s)):
        x = x + v * step_s + rng.normal(0, 0.1 * step_s**0.5, walkers)
        v = v - v * step_s / 0.8 + rng.normal(0, 0.5 * (2 * step_s / 0.8) ** 0.5, walkers)
    states = predict(initiate(np.zeros((1, 1)), np.ones(1), motion), until_s, np.ones(1), motion)
    np.testing.assert_allclose(states[VAR_POSITION], x.var(), rtol=0.05)
    np.testing.assert_allclose(states[COVARIANCE], np.cov(x, v)[0, 1], rtol=0.05)
    np.testing.assert_allclose(states[VAR_VELOCITY], v.var(), rtol=0.05)


def test_update_equals_the_textbook_matrices() -> None:
    """x + K y and P - K H P with K = P H' / (H P H' + R)."""
    states = predict(initiate(np.zeros((1, 1)), np.array([100.0]), MOTION_X), 0.2, np.array([100.0]), MOTION_X)
    state = np.array([states[POSITION, 0, 0], states[VELOCITY, 0, 0]])
    covariance = np.array(
        [
            [states[VAR_POSITION, 0, 0], states[COVARIANCE, 0, 0]],
            [states[COVARIANCE, 0, 0], states[VAR_VELOCITY, 0, 0]],
        ]
    )
    gain = covariance[:, 0] / (covariance[0, 0] + 5.0**2)
    state, covariance = state + gain * (7.0 - state[0]), covariance - np.outer(gain, covariance[0])
    after = measured(states, np.array([[7.0]]), np.array([[5.0]]))[:, 0, 0]
    np.testing.assert_allclose(after, [*state, covariance[0, 0], covariance[0, 1], covariance[1, 1]])


def test_each_body_is_filtered_independently() -> None:
    """Filtering many bodies at once gives the states of filtering each alone."""
    rng = np.random.default_rng(0)
    first, body_px = rng.uniform(0, 500, (6, 4)), rng.uniform(20, 300, 6)
    again, noise = first + rng.normal(0, 10, (6, 4)), rng.uniform(1, 20, (6, 4))

    def states_of(rows: slice) -> np.ndarray:
        states = predict(initiate(first[rows], body_px[rows], MOTION), 0.3, body_px[rows], MOTION)
        return measured(states, again[rows], noise[rows])

    together = states_of(slice(None))
    assert together.shape == (PLANES, 6, 4)
    for row in range(6):
        np.testing.assert_allclose(states_of(slice(row, row + 1)), together[:, row : row + 1], rtol=1e-12)


def test_update_changes_one_body_only_and_predict_leaves_its_input() -> None:
    body_px = np.array([100.0, 50.0, 70.0])
    states = initiate(np.full((3, 4), 10.0), body_px, MOTION)
    before = states.copy()
    predict(states, 0.5, body_px, MOTION)
    np.testing.assert_array_equal(states, before)
    update(states, 1, np.full(4, 20.0), np.full(4, 3.0))
    np.testing.assert_array_equal(states[:, [0, 2]], before[:, [0, 2]])
    assert (states[POSITION, 1] > 10.0).all()


@pytest.mark.parametrize("fps", [5, 30, 60])
def test_velocity_of_a_steady_walk_is_learnt_at_any_frame_rate(fps: int) -> None:
    body_px = np.array([200.0])
    states = initiate(np.array([[0.0, 0.0, 80.0, 200.0]]), body_px, MOTION)
    for frame in range(1, 3 * fps + 1):
        states = predict(states, 1 / fps, body_px, MOTION)
        box = np.array([[150.0 * frame / fps, 0.0, 80.0, 200.0]])
        states = measured(states, box, MEASUREMENT_STD * body_px)
    assert abs(states[VELOCITY, 0, 0] - 150.0) < 15.0
    assert abs(predict(states, 0.5, body_px, MOTION)[POSITION, 0, 0] - 525.0) < 20.0


def test_body_without_measurements_slows_down() -> None:
    moving, body_px = one(0.0, 100.0)
    moving[VELOCITY] = 50.0
    later = predict(moving, 1000.0, body_px, MOTION)
    assert (np.abs(later[VELOCITY]) < 1e-6).all()
    np.testing.assert_allclose(later[POSITION, 0], 50.0 * np.array(MOTION.persistence_s))
