"""Scenes at very low rates, a frame every half second to every ten seconds: people who sit, and people who walk."""

from __future__ import annotations

from functools import partial

import numpy as np

from benchmarks.moving.actors import Actor, always, stops
from benchmarks.moving.film import World, filmed
from benchmarks.moving.take import Scene, Take

RATES = (0.1, 0.2, 0.5, 1.0, 2.0)
FRAMES = 24


def sitting(fps: float, seed: int) -> Take:
    """Three people who sit 1.2 to 2 m apart, shift in their chairs, and never leave."""
    rng = np.random.default_rng([seed, 51])
    seconds = FRAMES / fps
    x_m = np.cumsum(rng.uniform(1.2, 2.0, 3)) - 4.0
    times_s = np.arange(0.0, seconds + 20.0, 15.0)
    people = [
        Actor(
            stops(
                times_s, x + rng.normal(0, 0.08, len(times_s)), rng.uniform(7, 9) + rng.normal(0, 0.05, len(times_s))
            ),
            look=rng.uniform(-np.pi, 0),
            height_m=rng.uniform(1.6, 1.9),
            sit=always,
            up_m=lambda at_s: 0.15 * always(at_s),
        )
        for x in x_m
    ]
    return Take(filmed(people, World(fps, seconds), seed), fps)


def walking(fps: float, seed: int) -> Take:
    """A person who walks to and fro within 5 m, with random turns; another one sits far away."""
    rng = np.random.default_rng([seed, 52])
    seconds = FRAMES / fps
    ends = np.cumsum(rng.uniform(2.0, 5.0, int(seconds / 2.0) + 20))
    x_m = np.where(np.arange(len(ends)) % 2, 1.0, -1.0) * rng.uniform(0.8, 2.0, len(ends))
    walker = Actor(stops(ends, x_m - 1.0, 9.0 + rng.normal(0, 0.5, len(ends))), height_m=1.75)
    sitter = Actor(lambda at_s: np.tile([4.0, 9.0], (len(at_s), 1)), sit=always, up_m=lambda at_s: 0.15 * always(at_s))
    return Take(filmed([walker, sitter], World(fps, seconds), seed), fps)


SCENES = tuple(
    Scene("rates", f"{title} at {fps:g} fps", partial(make, fps))
    for title, make in (("sitting", sitting), ("walking", walking))
    for fps in RATES
)
