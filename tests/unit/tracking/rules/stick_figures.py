"""Stick figures that fall, lie down, sit, exercise and leave: what they do, with known truth.

They share nothing with `benchmarks.skeletons`: no joint angles of people, no perspective, no lasting errors. A figure
has a forward, a lateral and an upright axis, in body heights; a far camera looks down on it a bit.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

Rng = np.random.Generator


def figure(
    hip: float = 0.53,
    trunk: float = 0.0,
    thigh: float = 0.0,
    shank: float = 0.0,
    arm: float = 0.0,
    *,
    forward: float = 0.0,
    apart: float = 0.0,
) -> np.ndarray:
    """Joints (17, 3): forward, to the left, up. Angles in degrees: 0 as of someone who stands, positive to the front.

    apart: how far thighs and shanks differ between left and right, as of someone who walks.
    """
    radians = np.radians
    out = np.zeros((17, 3))
    hips = np.array([forward, 0.0, hip])
    along = np.array([np.sin(radians(trunk)), 0.0, np.cos(radians(trunk))])
    ahead = np.array([np.cos(radians(trunk)), 0.0, -np.sin(radians(trunk))])
    aside = np.array([0.0, 1.0, 0.0])
    shoulders = hips + 0.288 * along
    out[0] = shoulders + 0.11 * along + 0.06 * ahead
    for side, sign in enumerate((1.0, -1.0)):
        out[1 + side] = shoulders + 0.13 * along + 0.05 * ahead + sign * 0.02 * aside
        out[3 + side] = shoulders + 0.12 * along + sign * 0.045 * aside
        out[5 + side] = shoulders + sign * 0.12 * aside
        down = -(np.cos(radians(arm + sign * apart)) * along - np.sin(radians(arm + sign * apart)) * ahead)
        out[7 + side] = out[5 + side] + 0.186 * down + sign * 0.01 * aside
        out[9 + side] = out[7 + side] + 0.16 * down
        out[11 + side] = hips + sign * 0.08 * aside
        up, low = radians(thigh + sign * apart), radians(shank + sign * apart)
        out[13 + side] = out[11 + side] + 0.245 * np.array([np.sin(up), 0.0, -np.cos(up)])
        out[15 + side] = out[13 + side] + 0.246 * np.array([np.sin(low), 0.0, -np.cos(low)])
    return out


STANDING = figure()
PRONE = figure(0.07, 88, -88, -88, 20)
SUPINE = figure(0.07, -88, 88, 88, -10)
CHAIR = figure(0.29, 5, 88, 0, 30, forward=-0.2)
FLOOR_SITTING = figure(0.06, -8, 85, 88, 20, forward=-0.1)
CROUCH = figure(0.2, 35, 120, -55, 60)
KNEEL = figure(0.3, 15, 0, -85, 40)
BENT = figure(0.53, 95, -5, 5, 80)
PLANK_HIGH = figure(0.2, 78, -75, -80, 80)
PLANK_LOW = figure(0.09, 87, -85, -88, 50)


def turned(joints: np.ndarray, degrees: float, axis: str) -> np.ndarray:
    """The joints turned as a stiff body around the feet: to the front (`pitch`) or to the left (`roll`)."""
    along = {"pitch": 0, "roll": 1}[axis]
    cos, sin = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    out = joints.copy()
    out[:, along] = joints[:, along] * cos + joints[:, 2] * sin
    out[:, 2] = np.maximum(joints[:, 2] * cos - joints[:, along] * sin, 0.03)
    return out


Course = Callable[[float], np.ndarray]
"""Joints (17, 3) at a time in seconds."""


@dataclass
class Story:
    """What a figure does: parts one after the other, and when it falls."""

    parts: list[tuple[float, Course]]
    fall_s: tuple[float, float] | None = None
    view: float | None = None

    def at(self, time_s: float) -> np.ndarray:
        for length_s, course in self.parts[:-1]:
            if time_s < length_s:
                return course(time_s)
            time_s -= length_s
        return self.parts[-1][1](time_s)

    @property
    def length_s(self) -> float:
        return sum(length_s for length_s, _ in self.parts)


def still(joints: np.ndarray) -> Course:
    return lambda time_s: joints


def eased(rng: Rng, fast: bool) -> Callable[[float], float]:
    """A share of a way by a share of the time: even, soft, or as bodies fall."""
    choice = int(rng.integers(3 if fast else 2))
    return (lambda x: x, lambda x: x * x * (3 - 2 * x), lambda x: x * x)[choice]


def blended(first: np.ndarray, last: np.ndarray, length_s: float, ease: Callable[[float], float]) -> Course:
    def course(time_s: float) -> np.ndarray:
        share = ease(float(np.clip(time_s / length_s, 0.0, 1.0)))
        return first + share * (last - first)

    return course


def walking(rng: Rng, offset: float = 0.0) -> Course:
    swing, pace = rng.uniform(15, 30), rng.uniform(0.3, 0.8)
    return lambda time_s: figure(apart=swing * np.sin(5.5 * time_s), forward=offset + pace * time_s)


def _before(rng: Rng) -> list[tuple[float, Course]]:
    length_s = rng.uniform(1.0, 3.0)
    if rng.random() < 0.5:
        return [(length_s, still(figure(arm=rng.uniform(-10, 60))))]
    course = walking(rng)
    end = course(length_s)[:, 0].mean()
    return [(length_s, lambda time_s: course(time_s) - np.array([end, 0.0, 0.0]))]


def _to_the_ground(rng: Rng, length_s: float, fast: bool) -> tuple[list[tuple[float, Course]], np.ndarray]:
    """A way from standing to lying within `length_s`, and how the figure lies then."""
    ease, way = eased(rng, fast), rng.choice(["pitch", "roll", "blend", "collapse"])
    if way in ("pitch", "roll"):
        last = float(rng.choice([-1, 1]) * rng.uniform(80, 90))
        course: Course = lambda time_s: turned(  # noqa: E731 - as the other ways
            STANDING, last * ease(min(time_s / length_s, 1.0)), str(way)
        )
        return [(length_s, course)], turned(STANDING, last, str(way))
    lying = (PRONE, SUPINE)[rng.integers(2)] + np.array([rng.uniform(-0.4, 0.4), 0.0, 0.0])
    if way == "blend":
        return [(length_s, blended(STANDING, lying, length_s, ease))], lying
    half = rng.uniform(0.4, 0.6) * length_s
    parts = [(half, blended(STANDING, CROUCH, half, ease))]
    return [*parts, (length_s - half, blended(CROUCH, lying, length_s - half, lambda x: x))], lying


def fall(rng: Rng, length_s: tuple[float, float] = (0.3, 1.0)) -> Story:
    before = _before(rng)
    start_s, takes_s = before[0][0], float(rng.uniform(*length_s))
    way, lying = _to_the_ground(rng, takes_s, fast=True)
    return Story([*before, *way, (rng.uniform(3, 8), still(lying))], (start_s, start_s + takes_s))


def fall_towards_camera(rng: Rng) -> Story:
    story = fall(rng)
    story.view = float(rng.choice([90.0, -90.0]) + rng.uniform(-15, 15))
    return story


def lie_down(rng: Rng, length_s: tuple[float, float] = (2.0, 5.0)) -> Story:
    way, lying = _to_the_ground(rng, float(rng.uniform(*length_s)), fast=False)
    return Story([*_before(rng), *way, (rng.uniform(4, 8), still(lying))])


def _down_and_up(rng: Rng, low: np.ndarray, takes_s: tuple[float, float], stays_s: tuple[float, float]) -> Story:
    down_s, up_s = rng.uniform(*takes_s), rng.uniform(*takes_s)
    down = blended(STANDING, low, down_s, eased(rng, fast=False))
    up = blended(low, STANDING, up_s, eased(rng, fast=False))
    stays = (rng.uniform(*stays_s), still(low))
    return Story([*_before(rng), (down_s, down), stays, (up_s, up), (1.5, still(STANDING))])


def sit_on_chair(rng: Rng) -> Story:
    return _down_and_up(rng, CHAIR, (0.6, 1.5), (2, 6))


def sit_on_floor(rng: Rng) -> Story:
    return _down_and_up(rng, FLOOR_SITTING, (0.9, 2.0), (3, 6))


def bend(rng: Rng) -> Story:
    return _down_and_up(rng, BENT if rng.random() < 0.6 else figure(0.5, 70, 10, -15, 70), (0.4, 1.0), (0.3, 3))


def crouch(rng: Rng) -> Story:
    return _down_and_up(rng, CROUCH, (0.5, 1.2), (0.5, 5))


def tie_shoes(rng: Rng) -> Story:
    low = (CROUCH, KNEEL, figure(0.28, 60, 40, -80, 70))[rng.integers(3)]
    return _down_and_up(rng, low, (0.6, 1.4), (3, 6))


def push_ups(rng: Rng) -> Story:
    period_s = rng.uniform(0.8, 2.0)

    def exercise(time_s: float) -> np.ndarray:
        return PLANK_HIGH + (1 - np.cos(2 * np.pi * time_s / period_s)) / 2 * (PLANK_LOW - PLANK_HIGH)

    work = (rng.uniform(5, 8), exercise)
    if rng.random() < 0.35:
        return Story([work])
    down_s = rng.uniform(0.6, 1.2)
    if rng.random() < 0.5:
        way = [(down_s, blended(STANDING, CROUCH, down_s, lambda x: x))]
        return Story([*_before(rng), *way, (down_s, blended(CROUCH, PLANK_HIGH, down_s, lambda x: x)), work])
    return Story(
        [*_before(rng), (2 * down_s + 0.6, blended(STANDING, PLANK_HIGH, 2 * down_s + 0.6, lambda x: x)), work]
    )


def jump(rng: Rng) -> Story:
    high, period_s = rng.uniform(0.1, 0.3), rng.uniform(0.5, 0.9)
    hop: Course = lambda time_s: STANDING + np.array([0, 0, high * abs(np.sin(np.pi * time_s / period_s))])  # noqa: E731
    return Story([*_before(rng), (rng.uniform(2, 4), hop), (1.0, still(STANDING))])


def lies_already(rng: Rng) -> Story:
    return Story([(rng.uniform(5, 8), still((PRONE, SUPINE)[rng.integers(2)]))])


def walk(rng: Rng) -> Story:
    return Story([(rng.uniform(4, 7), walking(rng))])


def drop_out(rng: Rng) -> Story:
    """Goes out of the picture at its lower border, within 0.5 to 3 seconds."""
    takes_s = rng.uniform(0.5, 3.0)
    way: Course = lambda time_s: STANDING - np.array([0.0, 0.0, 1.5 * min(time_s / takes_s, 1.0)])  # noqa: E731
    return Story([*_before(rng), (takes_s, way)], view=float(rng.uniform(0, 360)))


FALLS: dict[str, Callable[[Rng], Story]] = {"fall": fall, "fall_towards_camera": fall_towards_camera}
OTHERS: dict[str, Callable[[Rng], Story]] = {
    "lie_down": lie_down,
    "sit_on_chair": sit_on_chair,
    "sit_on_floor": sit_on_floor,
    "bend": bend,
    "crouch": crouch,
    "tie_shoes": tie_shoes,
    "push_ups": push_ups,
    "jump": jump,
    "lies_already": lies_already,
    "walk": walk,
    "drop_out": drop_out,
}
