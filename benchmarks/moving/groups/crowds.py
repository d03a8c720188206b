"""Scenes of people who meet in one line of sight, and then pass each other or turn back."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Literal

import numpy as np

from benchmarks.moving.actors import Way, random_actor, stops
from benchmarks.moving.film import World, filmed
from benchmarks.moving.pictures import with_colours
from benchmarks.moving.take import Scene, Take

FPS = 10.0
APPROACH_S = 2.5
LANE_M = 0.9
"""Distance between those who meet, along the line of sight: the nearer one hides the other."""

Ending = Literal["pass", "turn back", "either"]


def meeting(people: int, wait_s: float, ending: Ending, seed: int) -> Take:
    """People from both sides meet in the middle, stay there for wait_s hidden behind each other, and part again."""
    rng = np.random.default_rng([seed, 61])
    seconds = 2 * APPROACH_S + wait_s
    actors = []
    for place in range(people):
        side = -1.0 if place % 2 else 1.0
        passes = {"pass": True, "turn back": False, "either": bool(rng.random() < 0.5)}[ending]
        y_m = 8.0 + LANE_M * place + rng.uniform(-0.15, 0.15)
        middle = rng.uniform(-0.12, 0.12) + (place // 2) * rng.uniform(-1.0, 1.0)
        begin = side * rng.uniform(2.2, 3.2)
        end = (-begin if passes else begin) * rng.uniform(0.9, 1.1)
        late_s = rng.uniform(-0.2, 0.2)
        actors.append(random_actor(_way(begin, middle, end, y_m, wait_s + late_s), rng, look=-np.pi / 2))
    return Take(filmed(actors, World(FPS, seconds, (1280, 720)), seed), FPS)


def _way(begin: float, middle: float, end: float, y_m: float, wait_s: float) -> Way:
    times_s = (0.0, APPROACH_S, APPROACH_S + wait_s, 2 * APPROACH_S + wait_s)
    return stops(times_s, (begin, middle, middle, end), (y_m,) * 4)


def coloured(people: int, wait_s: float, ending: Ending, seed: int) -> Take:
    """The same in clothes whose colours the worker reads."""
    return with_colours(replace(meeting(people, wait_s, ending, seed), wardrobe=seed))


MEETINGS: tuple[tuple[int, float, Ending], ...] = (
    (2, 0.5, "pass"),
    (2, 0.5, "turn back"),
    (2, 1.5, "pass"),
    (2, 1.5, "turn back"),
    (4, 1.0, "either"),
    (8, 1.0, "either"),
)
HOW: dict[Ending, str] = {"pass": "pass", "turn back": "turn back", "either": "pass or turn back"}

SCENES = tuple(
    Scene(group, f"{people} meet for {wait_s:g} s and {HOW[ending]}", partial(make, people, wait_s, ending))
    for group, make in (("crowds", meeting), ("colours", coloured))
    for people, wait_s, ending in MEETINGS
)
