from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tracking.kalman import Beliefs, Motion, begin, correct, predict
from tracking.motion import MOTION, jitter_px

durations_s = st.floats(0.0, 20.0)
sizes_px = st.floats(5.0, 2000.0)
coordinates_px = st.floats(-5000.0, 5000.0)


def one(position: float, size: float) -> tuple[Beliefs, np.ndarray]:
    size_px = np.array([size])
    return begin(np.full((1, 4), position), size_px, MOTION), size_px


def assert_close(a: Beliefs, b: Beliefs) -> None:
    for name in Beliefs.__slots__:
        np.testing.assert_allclose(getattr(a, name), getattr(b, name), rtol=1e-7, atol=1e-6, err_msg=name)


def assert_valid(beliefs: Beliefs) -> None:
    """Each 2x2 covariance is positive semidefinite (it is symmetric by its form)."""
    assert (beliefs.var_position > 0).all()
    assert (beliefs.var_velocity > 0).all()
    determinant = beliefs.var_position * beliefs.var_velocity - beliefs.covariance**2
    assert (determinant >= -1e-9 * beliefs.var_position * beliefs.var_velocity).all()


@given(durations_s, durations_s, sizes_px, coordinates_px)
def test_two_short_predictions_are_one_long_one(a_s: float, b_s: float, size: float, position: float) -> None:
    beliefs, size_px = one(position, size)
    beliefs = correct(predict(beliefs, 0.1, size_px, MOTION), beliefs.position + 0.2 * size, jitter_px(size_px))
    twice = predict(predict(beliefs, a_s, size_px, MOTION), b_s, size_px, MOTION)
    assert_close(twice, predict(beliefs, a_s + b_s, size_px, MOTION))


@given(sizes_px, st.lists(st.tuples(st.floats(0.0, 5.0), coordinates_px), min_size=1, max_size=30))
def test_covariance_stays_valid(size: float, steps: list[tuple[float, float]]) -> None:
    beliefs, size_px = one(0.0, size)
    for dt_s, measured in steps:
        beliefs = predict(beliefs, dt_s, size_px, MOTION)
        assert_valid(beliefs)
        beliefs = correct(beliefs, np.full((1, 4), measured), jitter_px(size_px))
        assert_valid(beliefs)


@given(durations_s, sizes_px)
def test_predicting_makes_less_sure_and_measuring_makes_surer(dt_s: float, size: float) -> None:
    beliefs, size_px = one(100.0, size)
    later = predict(beliefs, dt_s, size_px, MOTION)
    assert (later.var_position >= beliefs.var_position).all()
    assert (correct(later, later.position, jitter_px(size_px)).var_position < later.var_position).all()


@given(st.floats(0.01, 100.0))
def test_all_is_relative_to_the_body(scale: float) -> None:
    small, size_px = one(10.0, 50.0)
    large, large_px = one(10.0 * scale, 50.0 * scale)
    small = correct(predict(small, 0.3, size_px, MOTION), np.full((1, 4), 14.0), jitter_px(size_px))
    large = correct(predict(large, 0.3, large_px, MOTION), np.full((1, 4), 14.0 * scale), jitter_px(large_px))
    np.testing.assert_allclose(large.position, small.position * scale, rtol=1e-9)
    np.testing.assert_allclose(large.var_velocity, small.var_velocity * scale**2, rtol=1e-9)


def test_the_covariance_of_a_step_is_that_of_the_process() -> None:
    """Against the process itself, simulated in small steps: the closed form is not only consistent, it is right."""
    motion = Motion(speed=(0.5,), persistence_s=(0.8,), jitter=(0.05,), drift=(0.1,))
    rng = np.random.default_rng(0)
    walkers, step_s, until_s = 20_000, 0.002, 0.6
    x = rng.normal(0, 0.05, walkers)
    v = rng.normal(0, 0.5, walkers)
    for _ in range(round(until_s / step_s)):
        x = x + v * step_s + rng.normal(0, 0.1 * step_s**0.5, walkers)
        v = v - v * step_s / 0.8 + rng.normal(0, 0.5 * (2 * step_s / 0.8) ** 0.5, walkers)
    beliefs = predict(begin(np.zeros((1, 1)), np.ones(1), motion), until_s, np.ones(1), motion)
    np.testing.assert_allclose(beliefs.var_position, x.var(), rtol=0.05)
    np.testing.assert_allclose(beliefs.covariance, np.cov(x, v)[0, 1], rtol=0.05)
    np.testing.assert_allclose(beliefs.var_velocity, v.var(), rtol=0.05)


def test_a_steady_walk_is_learnt_whatever_the_frame_rate() -> None:
    for fps in (5, 30, 60):
        size_px = np.array([200.0])
        beliefs = begin(np.array([[0.0, 0.0, 80.0, 200.0]]), size_px, MOTION)
        for frame in range(1, 3 * fps + 1):
            beliefs = predict(beliefs, 1 / fps, size_px, MOTION)
            measured = np.array([[150.0 * frame / fps, 0.0, 80.0, 200.0]])
            beliefs = correct(beliefs, measured, jitter_px(size_px))
        assert abs(beliefs.velocity[0, 0] - 150.0) < 15.0
        assert abs(predict(beliefs, 0.5, size_px, MOTION).position[0, 0] - 525.0) < 20.0


def test_a_body_that_is_not_seen_slows_down() -> None:
    beliefs, size_px = one(0.0, 100.0)
    moving = Beliefs(
        beliefs.position,
        np.full((1, 4), 50.0),
        beliefs.var_position,
        beliefs.covariance,
        beliefs.var_velocity,
    )
    later = predict(moving, 1000.0, size_px, MOTION)
    assert (np.abs(later.velocity) < 1e-6).all()
    np.testing.assert_allclose(later.position[0], 50.0 * np.array(MOTION.persistence_s))
