"""Scenes of fast people at low and high rates: running alone and among walkers, starting, stopping, turning, riding."""

from __future__ import annotations

from functools import partial

import numpy as np

from benchmarks.moving.actors import Actor, Way, random_actor, stops, straight
from benchmarks.moving.film import World, filmed
from benchmarks.moving.take import Scene, Take

SIZE_PX = (1920, 1080)
RATES = (2.0, 5.0, 8.0, 10.0, 12.5, 15.0, 25.0, 30.0)
SPEEDS_M_S = (3.0, 4.0, 5.0, 6.0, 7.0, 8.0)
SLOWEST_M_S, FASTEST_M_S = 3.0, 8.0
HALF_VIEW = 960.0 / 1152.0
"""Half the width of the ground in the picture, per metre of distance."""

BESIDE_M = 1.0
RUNNER = frozenset({1})


def _across(speed_m_s: float, y_m: float, rng: np.random.Generator) -> tuple[Way, float]:
    """A way across the whole picture, from either side, a little towards or away from the camera; and its seconds."""
    reach = HALF_VIEW * y_m + BESIDE_M
    side = rng.choice([-1.0, 1.0])
    slope = rng.uniform(-0.15, 0.15)
    return straight(-side * reach, y_m, side * speed_m_s, slope * speed_m_s), 2 * reach / speed_m_s


def alone(speed_m_s: float, fps: float, seed: int) -> Take:
    """One runner, who enters on one side and leaves on the other."""
    rng = np.random.default_rng([seed, 11])
    way, seconds = _across(speed_m_s, rng.uniform(8.0, 13.0), rng)
    return _take([random_actor(way, rng)], fps, seconds, seed)


def among_walkers(fps: float, seed: int) -> Take:
    """A runner of 3 to 8 m/s between five people who walk in both directions, nearer and farther than the runner."""
    rng = np.random.default_rng([seed, 12])
    speed_m_s = SLOWEST_M_S + (FASTEST_M_S - SLOWEST_M_S) * ((0.5 + 7 * seed) % 20) / 20
    way, seconds = _across(speed_m_s, rng.uniform(8.0, 12.0), rng)
    people = [random_actor(way, rng)]
    for place in rng.permutation(5).tolist():
        y_m = 7.5 + 1.4 * place + rng.uniform(-0.4, 0.4)
        pace = rng.uniform(0.7, 1.7) * rng.choice([-1.0, 1.0])
        middle = rng.uniform(-0.7, 0.7) * HALF_VIEW * y_m
        people.append(random_actor(straight(middle - pace * seconds / 2, y_m, pace), rng))
    return _take(people, fps, seconds, seed, RUNNER)


def starting(fps: float, seed: int) -> Take:
    """A person stands for a second and then runs out of the picture."""
    rng = np.random.default_rng([seed, 13])
    y_m, speed = rng.uniform(8.0, 12.0), rng.uniform(4.0, 7.0)
    begin = -0.5 * HALF_VIEW * y_m
    return _take(
        [random_actor(stops((0, 1.0, 3.0), (begin, begin, begin + 2 * speed), (y_m,) * 3), rng)], fps, 3.0, seed
    )


def stopping(fps: float, seed: int) -> Take:
    """A runner enters, stops in the middle and stays."""
    rng = np.random.default_rng([seed, 14])
    y_m, speed = rng.uniform(8.0, 12.0), rng.uniform(4.0, 7.0)
    reach = HALF_VIEW * y_m
    arrived_s = reach / speed
    return _take(
        [random_actor(stops((0, arrived_s, arrived_s + 2), (-reach, 0.0, 0.0), (y_m,) * 3), rng)],
        fps,
        arrived_s + 2,
        seed,
    )


def turning_back(fps: float, seed: int) -> Take:
    """A runner enters, turns round in the middle and runs back."""
    rng = np.random.default_rng([seed, 15])
    y_m, speed = rng.uniform(8.0, 12.0), rng.uniform(4.0, 7.0)
    reach = HALF_VIEW * y_m
    half_s = reach / speed
    ends = (-reach, 0.2 * reach, -reach)
    return _take([random_actor(stops((0, 1.2 * half_s, 2.4 * half_s), ends, (y_m,) * 3), rng)], fps, 2.4 * half_s, seed)


def crossing(fps: float, seed: int) -> Take:
    """Two runners who meet in the middle and pass each other."""
    rng = np.random.default_rng([seed, 16])
    y_m = rng.uniform(8.0, 11.0)
    reach = HALF_VIEW * y_m
    ways = [
        straight(-side * reach, y_m + lane, side * rng.uniform(4.0, 7.0)) for side, lane in ((1.0, 0.0), (-1.0, 1.2))
    ]
    return _take([random_actor(way, rng) for way in ways], fps, 2 * reach / 5.5, seed)


def cycling(fps: float, seed: int) -> Take:
    """A cyclist among two walkers: even, upright, and as fast as a runner."""
    rng = np.random.default_rng([seed, 17])
    way, seconds = _across(rng.uniform(4.0, 7.0), rng.uniform(8.0, 11.0), rng)
    rider = Actor(
        way,
        height_m=1.75,
        sit=lambda times_s: 0.35 + 0 * times_s,
        bend=lambda times_s: 0.3 + 0 * times_s,
        up_m=lambda times_s: 0.25 + 0 * times_s,
        gait_m_s=1.2,
    )
    walkers = [random_actor(straight(x, y, pace), rng) for x, y, pace in ((-2.0, 7.5, 1.2), (3.0, 12.0, -1.0))]
    return _take([rider, *walkers], fps, seconds, seed, RUNNER)


def _take(people: list[Actor], fps: float, seconds: float, seed: int, focus: frozenset[int] | None = None) -> Take:
    return Take(filmed(people, World(fps, seconds, SIZE_PX, tilt_deg=6.0), seed), fps, None, focus)


def _alone_scene(speed_m_s: float, fps: float) -> Scene:
    return Scene("runners", f"{speed_m_s:g} m/s alone at {fps:g} fps", partial(alone, speed_m_s, fps))


SCENES = (
    *(_alone_scene(speed_m_s, fps) for fps in RATES for speed_m_s in SPEEDS_M_S),
    *(Scene("runners", f"among five walkers at {fps:g} fps", partial(among_walkers, fps), weight=4) for fps in RATES),
    *(
        Scene("runners", f"{title} at {fps:g} fps", partial(make, fps))
        for title, make in (
            ("starting", starting),
            ("stopping", stopping),
            ("turning back", turning_back),
            ("two crossing", crossing),
            ("cyclist", cycling),
        )
        for fps in (5.0, 10.0, 25.0)
    ),
)
