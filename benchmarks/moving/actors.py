"""People who do what a script says: walk, run, ride, stop, turn, fall, sit, crouch and jump, in metres on the ground.

Coordinates are those of `benchmarks.scenes`: x to the right of the camera's axis, y away from the camera.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from benchmarks.scenes.bodies import points_m
from benchmarks.scenes.walkers import People, Walks, stride_hz
from posebus.arrays import Float64Array

Way = Callable[[Float64Array], Float64Array]
"""From times (T,) in seconds to places (T, 2) in metres."""

Course = Callable[[Float64Array], Float64Array]
"""From times (T,) in seconds to values (T,)."""

Values = Sequence[float] | Float64Array

STEP_S = 0.02
"""Speeds are taken over twice this time, so that they do not depend on the frame rate."""

SLOW_M_S = 0.25
"""A person below this speed keeps the heading."""

EASE_S = 0.5
"""Within this time people change their velocity."""

LYING_M = 0.12
"""Height of the axis of a lying body above the ground."""


def never(times_s: Float64Array) -> Float64Array:
    """0 at all times."""
    return np.zeros(len(times_s))


def always(times_s: Float64Array) -> Float64Array:
    """1 at all times."""
    return np.ones(len(times_s))


@dataclass(frozen=True, slots=True)
class Actor:
    """One person of a script.

    way: where it stands. look: radians, where it looks while it stands still. present: above 0.5 while it is there at
    all. sit, bend: 0..1. up_m: height above the ground. fall: radians by which the whole body is turned about its feet,
    towards `fall_to` (radians on the ground; 0 is along x). gait_m_s: the speed that the swing of the legs belongs to,
    where that is not the person's own, as on a bicycle.
    """

    way: Way
    look: float = -np.pi / 2
    height_m: float = 1.75
    girth: float = 1.1
    phase: float = 0.0
    present: Course = always
    sit: Course = never
    bend: Course = never
    up_m: Course = never
    fall: Course = never
    fall_to: float = 0.0
    gait_m_s: float | None = None
    swing: tuple[float, float, float] = field(default=(1.0, 1.0, 1.0))


def stand(x_m: float, y_m: float) -> Way:
    """At one place, with a slow sway of 2 cm, since people never stand perfectly still."""

    def way(times_s: Float64Array) -> Float64Array:
        sway = 0.02 * np.sin(2 * np.pi * 0.3 * times_s + x_m)
        return np.column_stack([x_m + sway, np.full(len(times_s), y_m)])

    return way


def straight(x_m: float, y_m: float, x_m_s: float, y_m_s: float = 0.0) -> Way:
    """An even walk from a place at the time 0."""
    return lambda times_s: np.column_stack([x_m + x_m_s * times_s, y_m + y_m_s * times_s])


def stops(times_s: Values, x_m: Values, y_m: Values) -> Way:
    """Through the given places at the given times; corners and changes of speed take EASE_S."""
    around = np.linspace(-EASE_S / 2, EASE_S / 2, 9)

    def way(at_s: Float64Array) -> Float64Array:
        near = at_s[:, None] + around
        axes = [np.interp(near, times_s, places).mean(axis=1) for places in (x_m, y_m)]
        return np.column_stack(axes)

    return way


def ramp(begin_s: float, length_s: float, to: float = 1.0) -> Course:
    """From 0 before begin_s to `to` after length_s, with a soft start and end."""

    def course(times_s: Float64Array) -> Float64Array:
        part = np.clip((times_s - begin_s) / length_s, 0.0, 1.0)
        return np.asarray(to * part * part * (3 - 2 * part))

    return course


def toppling(begin_s: float, length_s: float) -> Course:
    """The angle of a body that falls to the ground within length_s: slow at first, as an inverted pendulum."""
    return lambda times_s: np.asarray(np.pi / 2 * np.clip((times_s - begin_s) / length_s, 0.0, 1.0) ** 2)


def random_actor(way: Way, rng: np.random.Generator, look: float | None = None) -> Actor:
    """An actor of random height, girth and phase of the steps; `look` is random as well if it is None."""
    actor = Actor(way, height_m=rng.uniform(1.6, 1.9), girth=rng.uniform(0.95, 1.3), phase=rng.uniform(0, 2 * np.pi))
    return replace(actor, look=rng.uniform(-np.pi, np.pi) if look is None else look)


def walks_of(actors: Sequence[Actor], times_s: Float64Array) -> Walks:
    """The actors at the given times (T,), one place each; `person` is the number in the list, -1 where absent."""
    there = np.column_stack([actor.present(times_s) > 0.5 for actor in actors])
    places = np.stack([actor.way(times_s) for actor in actors], axis=1)
    steps = np.stack([actor.way(times_s + STEP_S) - actor.way(times_s - STEP_S) for actor in actors], axis=1)
    velocity = steps / (2 * STEP_S)
    speed = np.hypot(velocity[..., 0], velocity[..., 1])
    heading = np.column_stack([_headings(velocity[:, row], actor.look) for row, actor in enumerate(actors)])
    gait = np.where([actor.gait_m_s is None for actor in actors], speed, [actor.gait_m_s or 0.0 for actor in actors])
    dt_s = np.diff(times_s, prepend=times_s[0])
    phase = 2 * np.pi * np.cumsum(stride_hz(gait) * dt_s[:, None], axis=0) + [actor.phase for actor in actors]
    return Walks(
        person=np.where(there, np.arange(len(actors)), -1),
        x_m=places[..., 0],
        y_m=places[..., 1],
        heading=heading,
        speed_m_s=gait,
        phase=phase,
        bend=np.column_stack([actor.bend(times_s) for actor in actors]),
        sit=np.column_stack([actor.sit(times_s) for actor in actors]),
        people=People(
            height_m=np.array([actor.height_m for actor in actors]),
            girth=np.array([actor.girth for actor in actors]),
            swing=np.array([actor.swing for actor in actors]),
        ),
    )


def posed_m(actors: Sequence[Actor], walks: Walks, times_s: Float64Array, *, steady: bool = False) -> Float64Array:
    """Points (T * S, 25, 3) of the actors' bodies in metres, lifted and fallen as the script says."""
    at = points_m(walks, steady=steady)
    lift = np.column_stack([actor.up_m(times_s) for actor in actors]).ravel()
    angle = np.column_stack([actor.fall(times_s) for actor in actors]).ravel()
    to = np.tile([actor.fall_to for actor in actors], len(times_s))
    feet = np.column_stack([walks.x_m.ravel(), walks.y_m.ravel(), np.zeros(len(at))])
    return toppled(at, feet, angle, to) + lift[:, None, None] * np.array([0.0, 0.0, 1.0])


def toppled(at_m: Float64Array, feet_m: Float64Array, angle: Float64Array, to: Float64Array) -> Float64Array:
    """Points (M, P, 3) turned about the feet (M, 3) by the angles (M,) towards the directions (M,) on the ground."""
    out = at_m - feet_m[:, None]
    ahead = np.column_stack([np.cos(to), np.sin(to), np.zeros(len(to))])
    along = np.einsum("mpc,mc->mp", out, ahead)
    cos, sin = np.cos(angle)[:, None], np.sin(angle)[:, None]
    further = along * cos + out[..., 2] * sin - along
    up = out[..., 2] * cos - along * sin + LYING_M * sin
    moved = out + further[..., None] * ahead[:, None]
    moved[..., 2] = up
    return np.asarray(moved + feet_m[:, None])


def _headings(velocity_m_s: Float64Array, look: float) -> Float64Array:
    """Headings (T,) in radians: along the velocity (T, 2), and while standing still, as before."""
    moving = np.hypot(velocity_m_s[:, 0], velocity_m_s[:, 1]) > SLOW_M_S
    last = np.maximum.accumulate(np.where(moving, np.arange(len(moving)), -1))
    heading = np.arctan2(velocity_m_s[:, 1], velocity_m_s[:, 0])
    return np.where(last >= 0, heading[np.maximum(last, 0)], look)
