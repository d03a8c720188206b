"""Scenes in which a posture changes: falls, sitting down, crouching, jumping, bending, standing up."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import numpy as np

from benchmarks.moving.actors import Actor, ramp, stand, stops, toppling
from benchmarks.moving.film import World, filmed
from benchmarks.moving.take import Scene, Take
from posebus.arrays import Float64Array

BEGIN_S, SECONDS = 2.0, 6.0
RATES = (10.0, 25.0)
FALL_S = (0.3, 0.5, 0.8, 1.2)
BESIDE_M = 1.0

Pose = Callable[[Actor, np.random.Generator], Actor]
"""Adds a change of posture to an actor."""


def falling(length_s: float) -> Pose:
    """Falls within length_s: forwards, sideways, or towards the camera."""

    def pose(actor: Actor, rng: np.random.Generator) -> Actor:
        forwards, sideways = actor.look, actor.look + rng.choice([-1.0, 1.0]) * np.pi / 2
        to = (forwards, sideways, -np.pi / 2)[rng.integers(3)]
        return replace(actor, fall=toppling(BEGIN_S, length_s), fall_to=to, bend=ramp(BEGIN_S, length_s, 0.2))

    return pose


def sitting_down(actor: Actor, rng: np.random.Generator) -> Actor:
    """Sits down on a chair within 0.8 s."""
    return replace(actor, sit=ramp(BEGIN_S, 0.8), up_m=ramp(BEGIN_S, 0.8, 0.15))


def crouching(actor: Actor, rng: np.random.Generator) -> Actor:
    """Crouches within 0.4 s, and stands up after 2 s."""
    down, up = ramp(BEGIN_S, 0.4), ramp(BEGIN_S + 2.4, 0.6)
    return replace(actor, sit=lambda times_s: down(times_s) - up(times_s), bend=lambda times_s: 0.5 * down(times_s))


def jumping(actor: Actor, rng: np.random.Generator) -> Actor:
    """Jumps three times, 0.45 m high: 0.6 s in the air."""

    def up_m(times_s: Float64Array) -> Float64Array:
        within = (times_s - BEGIN_S) % 1.0
        flying = (within < 0.6) & (times_s > BEGIN_S) & (times_s < BEGIN_S + 3.0)
        return np.where(flying, 9.81 / 2 * within * (0.6 - within), 0.0)

    return replace(actor, up_m=up_m)


def bending(actor: Actor, rng: np.random.Generator) -> Actor:
    """Bends down within 0.6 s, and stands up after 1.5 s."""
    down, up = ramp(BEGIN_S, 0.6), ramp(BEGIN_S + 2.1, 0.6)
    return replace(actor, bend=lambda times_s: down(times_s) - up(times_s))


def standing_up(actor: Actor, rng: np.random.Generator) -> Actor:
    """Lies on the ground, and stands up within 1.5 s."""
    up = ramp(BEGIN_S, 1.5)
    return replace(
        actor, fall=lambda times_s: np.pi / 2 * (1 - up(times_s)), fall_to=rng.uniform(-np.pi, np.pi), sit=up_and_over
    )


def up_and_over(times_s: Float64Array) -> Float64Array:
    """The knees of a person who stands up: bent halfway."""
    return np.asarray(0.7 * np.sin(np.pi * np.clip((times_s - BEGIN_S) / 1.5, 0, 1)))


def posed(pose: Pose, fps: float, beside: bool, seed: int) -> Take:
    """A person who changes the posture, alone or with another one who walks up and stands 1 m beside."""
    rng = np.random.default_rng([seed, 21])
    x_m, y_m = rng.uniform(-2.0, 2.0), rng.uniform(7.5, 11.0)
    look = rng.uniform(-np.pi, np.pi)
    person = Actor(stand(x_m, y_m), look=look, height_m=rng.uniform(1.6, 1.9), girth=rng.uniform(0.95, 1.3))
    people = [pose(person, rng)]
    if beside:
        side = rng.choice([-1.0, 1.0])
        away = x_m + side * BESIDE_M
        way = stops((0, 1.2, SECONDS), (away + 1.0 * side, away, away), (y_m + 0.3,) * 3)
        people.append(Actor(way, look=rng.uniform(-np.pi, np.pi), height_m=rng.uniform(1.6, 1.9)))
    return Take(filmed(people, World(fps, SECONDS), seed), fps)


def _pose_scene(title: str, pose: Pose, fps: float, beside: bool) -> Scene:
    company = "beside somebody " if beside else ""
    return Scene("postures", f"{title} {company}at {fps:g} fps", partial(posed, pose, fps, beside))


POSES: dict[str, Pose] = {
    **{f"fall in {length_s} s": falling(length_s) for length_s in FALL_S},
    "sit down": sitting_down,
    "crouch": crouching,
    "jump": jumping,
    "bend": bending,
    "stand up": standing_up,
}

SCENES = tuple(
    _pose_scene(title, pose, fps, beside) for beside in (False, True) for title, pose in POSES.items() for fps in RATES
)
