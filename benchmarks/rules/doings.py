"""Running, raised hands and crouching in scenes of stick figures: what is found, and what is not so, by frame rate.

python -m benchmarks.rules.doings [--seeds 0-19] [--kinds run_lateral,walk_lateral]
"""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np

from benchmarks.rules.figures import LASTS_S, PERSON_M, Body, FigureScene, Person, Place, Stands, between, gait, still
from tracking.rules import Rules

RATES = (5.0, 10.0, 15.0, 30.0)
SIZES = ((1280, 720), (1920, 1080), (640, 480))
RULES = {
    "running": {"kind": "running"},
    "hands_up": {"kind": "hands_up", "for_s": 1.0},
    "crouch": {"kind": "crouch", "for_s": 1.0},
}
Rng = np.random.Generator

UP = Body(arms=(2.9, 2.9), elbows=(0.1, 0.1))
ONE_UP = Body(arms=(2.9, 0.05), elbows=(0.1, 0.1))
SCRATCHES = Body(arms=(1.6, 0.05), elbows=(1.9, 0.1))
SQUAT = Body((1.75, 1.75), (2.35, 2.35), (0.9, 0.9), (0.5, 0.5), 0.45, 0.33)
CHAIR = Body((1.45, 1.45), (1.45, 1.45), (0.4, 0.4), (1.0, 1.0), 0.1, 0.255)
BENT = Body((-0.1, -0.1), (0.05, 0.05), (0.2, 0.2), (0.1, 0.1), 1.5, 0.0)


def _at(rng: Rng, size_px: tuple[int, int]) -> tuple[float, float, float]:
    """A place within the picture, and a height of 60 to 400 pixels that fits in."""
    height = math.exp(rng.uniform(math.log(60.0), math.log(min(400.0, 0.75 * size_px[1]))))
    return rng.uniform(0.25, 0.75) * size_px[0], rng.uniform(height * 1.1, size_px[1] - 12.0), height


def _across(rng: Rng, size_px: tuple[int, int], speed_m_s: float, to_right: bool) -> Stands:
    """Straight across the picture, from its border."""
    _, y, height = _at(rng, size_px)
    start = -0.2 * height if to_right else size_px[0] + 0.2 * height
    pace = speed_m_s / PERSON_M * height * (1.0 if to_right else -1.0)
    return lambda at_s: (start + pace * at_s, y, height)


def _towards(rng: Rng, size_px: tuple[int, int], speed_m_s: float, ends_m: float) -> Stands:
    """Towards a camera 2.5 m above the ground, until `ends_m` metres away at the end of the scene."""
    focal_px, aside_m = rng.uniform(0.8, 1.05) * size_px[0], rng.uniform(-1.0, 1.0)

    def place(at_s: float) -> Place:
        away_m = ends_m + speed_m_s * (LASTS_S - at_s)
        scale = focal_px / away_m
        return size_px[0] / 2 + aside_m * scale, 0.3 * size_px[1] + 2.5 * scale, PERSON_M * scale

    return place


def _alone(name: str, seed: int, move: Callable[[Rng, tuple[int, int]], tuple[Person, float]]) -> FigureScene:
    rng = np.random.default_rng([seed, len(name), sum(name.encode())])
    size_px = SIZES[int(rng.integers(len(SIZES)))]
    person, speed_m_s = move(rng, size_px)
    return FigureScene(name, size_px, [person], seed, {1: speed_m_s})


def lateral(name: str, seed: int, low: float, high: float) -> FigureScene:
    """A person crosses the picture at a speed between two, metres a second."""

    def move(rng: Rng, size_px: tuple[int, int]) -> tuple[Person, float]:
        speed, right = rng.uniform(low, high), bool(rng.integers(2))
        place = _across(rng, size_px, speed, right)
        return Person(1, gait(speed, rng.uniform(0, 6)), place, 0.0 if right else math.pi), speed

    return _alone(name, seed, move)


def towards(name: str, seed: int, low: float, high: float) -> FigureScene:
    """A person comes towards the camera."""

    def move(rng: Rng, size_px: tuple[int, int]) -> tuple[Person, float]:
        speed = rng.uniform(low, high)
        place = _towards(rng, size_px, speed, rng.uniform(4.5, 7.0))
        return Person(1, gait(speed, rng.uniform(0, 6)), place, math.pi / 2), speed

    return _alone(name, seed, move)


def standing(name: str, seed: int) -> FigureScene:
    """Three people stand; the second one's track goes on at another place twice, as when numbers are exchanged."""
    rng = np.random.default_rng([seed, 3])
    size_px = SIZES[int(rng.integers(len(SIZES)))]
    places = [_at(rng, size_px) for _ in range(3)]
    x, y, height = places[1]
    aside = rng.uniform(0.5, 3.0) * height

    def jumps(at_s: float) -> Place:
        return (x + aside if 2.0 <= at_s < 4.0 else x), y, height

    stands = [lambda _, one=place: one for place in places]
    stands[1] = jumps
    turned = [rng.uniform(0, 2 * math.pi) for _ in range(3)]
    people = [Person(row + 1, still(Body()), stands[row], turned[row]) for row in range(3)]
    return FigureScene(name, size_px, people, seed, dict.fromkeys((1, 2, 3), 0.0))


def panned(name: str, seed: int, *, one_runs: bool) -> FigureScene:
    """The camera turns by 0.2 to 0.5 widths of the picture a second; people stand, and one may run, which the camera
    follows in part."""
    rng = np.random.default_rng([seed, 4])
    size_px = SIZES[int(rng.integers(len(SIZES)))]
    turn = rng.uniform(0.2, 0.5) * size_px[0] * (1.0 if rng.integers(2) else -1.0)
    people, speeds = [], {}
    for number in range(1, 5):
        x, y, height = _at(rng, size_px)
        speed = rng.uniform(2.8, 4.5) if one_runs and number == 1 else 0.0
        own = speed / PERSON_M * height * (-1.0 if turn > 0 else 1.0)
        does = gait(speed, 0.0) if speed else still(Body())

        def place(at_s: float, x: float = x, y: float = y, height: float = height, own: float = own) -> Place:
            return x + own * (at_s - 3.0) + turn * (at_s - 3.0), y, height

        people.append(Person(number, does, place, math.pi if turn > 0 else 0.0))
        speeds[number] = speed
    return FigureScene(name, size_px, people, seed, speeds)


def posture(name: str, seed: int, doing: Body, *, lasts_s: float, hidden: tuple[int, ...] = ()) -> FigureScene:
    """A person who stands takes another posture after 1.5 s, for a time."""

    def move(rng: Rng, size_px: tuple[int, int]) -> tuple[Person, float]:
        place = _at(rng, size_px)
        does = between(Body(), doing, 1.5, 1.5 + 0.4 + lasts_s)
        return Person(1, does, lambda _: place, rng.uniform(0, 2 * math.pi), hidden=hidden), 0.0

    return _alone(name, seed, move)


RIGHT_ARM, LEFT_HAND = (8, 10), (9,)
KINDS: Mapping[str, tuple[str, bool, Callable[[str, int], FigureScene]]] = MappingProxyType(
    {
        "run_lateral": ("running", True, lambda name, seed: lateral(name, seed, 2.5, 5.0)),
        "run_towards": ("running", True, lambda name, seed: towards(name, seed, 2.5, 5.0)),
        "run_panned": ("running", True, lambda name, seed: panned(name, seed, one_runs=True)),
        "walk_lateral": ("running", False, lambda name, seed: lateral(name, seed, 0.8, 2.0)),
        "walk_towards": ("running", False, lambda name, seed: towards(name, seed, 0.8, 2.0)),
        "stand_switch": ("running", False, standing),
        "stand_panned": ("running", False, lambda name, seed: panned(name, seed, one_runs=False)),
        "hands_up": ("hands_up", True, lambda name, seed: posture(name, seed, UP, lasts_s=2.0)),
        "hands_up_one_hidden": (
            "hands_up",
            True,
            lambda name, seed: posture(name, seed, UP, lasts_s=2.0, hidden=LEFT_HAND),
        ),
        "hands_up_arm_hidden": (
            "hands_up",
            False,
            lambda name, seed: posture(name, seed, UP, lasts_s=2.0, hidden=RIGHT_ARM),
        ),
        "one_hand_up": ("hands_up", False, lambda name, seed: posture(name, seed, ONE_UP, lasts_s=2.0)),
        "scratch_head": ("hands_up", False, lambda name, seed: posture(name, seed, SCRATCHES, lasts_s=0.8)),
        "crouch": ("crouch", True, lambda name, seed: posture(name, seed, SQUAT, lasts_s=2.5)),
        "sit_chair": ("crouch", False, lambda name, seed: posture(name, seed, CHAIR, lasts_s=2.5)),
        "bend": ("crouch", False, lambda name, seed: posture(name, seed, BENT, lasts_s=2.5)),
    }
)
"""Scenes: rule they are about, whether person 1 does it, and how to make one from its name and seed."""


def scene_of(kind: str, seed: int) -> FigureScene:
    """A scene; every fourth one is without keypoints, unless only legs can show what is so."""
    made = KINDS[kind][2](kind, seed)
    made.keypoints = "lateral" not in kind or seed % 4 != 3
    return made


def found_in(made: FigureScene, fps: float) -> list[tuple[str, int, str]]:
    """The events of all rules: rule, track and phase."""
    rules = Rules(RULES, "figures", made.size_px)
    events = [event for frame in made.frames(fps) for event in rules.update(frame)]
    if rules.problems:
        raise RuntimeError(str(rules.problems))
    return [(event.data["rule"], event.data["track_id"], event.data["phase"]) for event in events]


def judged(kind: str, seed: int, fps: float) -> tuple[int, int, int]:
    """Of one scene: what should be found, what was found of it once or more often, and other starts of any rule."""
    rule, does, _ = KINDS[kind]
    starts = [(name, track) for name, track, phase in found_in(scene_of(kind, seed), fps) if phase == "start"]
    own = does and (rule, 1) in starts
    return int(does), int(own), len(starts) - int(own)


def main(arguments: list[str] | None = None) -> int:
    """Print the tables; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", default="0-19", help="first and last seed of each kind")
    parser.add_argument("--kinds", default=",".join(KINDS), help="kinds of scenes, separated by commas")
    parser.add_argument("--wrong", action="store_true", help="also print the seeds that are wrong")
    chosen = parser.parse_args(arguments)
    first, last = (int(part) for part in chosen.seeds.split("-"))
    rates = " | ".join(f"{rate:g} fps" for rate in RATES)
    print(f"| scene | {rates} |\n|---|{'---|' * len(RATES)}")
    for kind in chosen.kinds.split(","):
        cells, wrong = [], []
        for fps in RATES:
            results = [(seed, judged(kind, seed, fps)) for seed in range(first, last + 1)]
            wanted, found, others = (sum(result[column] for _, result in results) for column in range(3))
            cells.append(f"{found} of {wanted}, {others} false" if wanted else f"{others} false")
            wrong += [f"{seed}@{fps:g}" for seed, (want, got, other) in results if got != want or other]
        print(f"| {kind} | {' | '.join(cells)} |", flush=True)
        if chosen.wrong and wrong:
            print("  wrong:", " ".join(wrong))
    return 0


if __name__ == "__main__":
    sys.exit(main())
