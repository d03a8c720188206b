"""Stick figures drawn straight into tracks: people who run, walk, stand, raise hands, crouch, and a camera that turns.

Lengths are in body heights, in which each person is 1 tall; x is to the front of the body, y to its left, z up. The
scenes share nothing with `benchmarks.skeletons`: no network, no tracker and no camera model is between truth and rules.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np

from posebus.arrays import Float64Array
from posebus.messages import Track, TrackFrame

PERSON_M = 1.72
LASTS_S = 6.0
HIP, SHOULDER, HEAD = 0.53, 0.82, 0.94
THIGH, SHANK, ARM, FOREARM = 0.245, 0.246, 0.19, 0.16

Place = tuple[float, float, float]
"""x of the middle, y of the feet, and body height, in pixels."""


@dataclass(slots=True)
class Body:
    """Angles of a body in one moment, in radians: legs forward, knees bent, arms forward and up, trunk forward.

    down: how far the hips are below their standing height.
    """

    legs: tuple[float, float] = (0.0, 0.0)
    knees: tuple[float, float] = (0.0, 0.0)
    arms: tuple[float, float] = (0.05, 0.05)
    elbows: tuple[float, float] = (0.1, 0.1)
    trunk: float = 0.02
    down: float = 0.0

    def joints(self) -> Float64Array:
        """The 17 joints in the order of COCO, (17, 3)."""
        found = np.zeros((17, 3))
        hip, up = HIP - self.down, np.array([math.sin(self.trunk), 0.0, math.cos(self.trunk)])
        found[0:5] = np.array([0, 0, hip]) + (HEAD - HIP) * up
        found[0:5] += [[0.06, 0, -0.01], [0.05, 0.02, 0.01], [0.05, -0.02, 0.01], [0.0, 0.04, 0.0], [0.0, -0.04, 0.0]]
        for side, sign in enumerate((1.0, -1.0)):
            shoulder = np.array([0, 0.11 * sign, hip]) + (SHOULDER - HIP) * up
            arm, fore = self.arms[side] + self.trunk, self.arms[side] + self.elbows[side] + self.trunk
            elbow = shoulder + ARM * np.array([math.sin(arm), 0.15 * sign, -math.cos(arm)])
            found[5 + side], found[7 + side] = shoulder, elbow
            found[9 + side] = elbow + FOREARM * np.array([math.sin(fore), 0.0, -math.cos(fore)])
            leg, shank = self.legs[side], self.legs[side] - self.knees[side]
            start = np.array([0, 0.06 * sign, hip])
            knee = start + THIGH * np.array([math.sin(leg), 0.0, -math.cos(leg)])
            found[11 + side], found[13 + side] = start, knee
            found[15 + side] = knee + SHANK * np.array([math.sin(shank), 0.0, -math.cos(shank)])
        return found


Does = Callable[[float], Body]
Stands = Callable[[float], Place]


@dataclass(slots=True)
class Person:
    """One track: what its body does, where it is, and how it is turned: 0 to the right, pi/2 towards the camera."""

    id: int
    does: Does
    place: Stands
    turned: float = 0.0
    from_s: float = 0.0
    until_s: float = LASTS_S
    hidden: tuple[int, ...] = ()
    """Joints that are never seen."""


@dataclass(slots=True)
class FigureScene:
    """People, and how they are seen. speeds: how fast each person is, metres a second; doing: names by track id."""

    name: str
    size_px: tuple[int, int]
    people: list[Person]
    seed: int
    speeds: dict[int, float] = field(default_factory=dict)
    keypoints: bool = True
    noise_px: float = 2.5
    missing: float = 0.15

    def frames(self, fps: float) -> Iterator[TrackFrame]:
        """The scene at a frame rate; the errors depend on the seed only."""
        rng = np.random.default_rng([self.seed, round(fps)])
        for seq in range(round(LASTS_S * fps)):
            at_s = seq / fps
            tracks = [self._track(one, at_s, rng) for one in self.people if one.from_s <= at_s < one.until_s]
            seen = tuple(one for one in tracks if one is not None)
            yield TrackFrame("figures", 1, seq, 1_000_000_000 + round(at_s * 1e9), self.size_px, seen)

    def _track(self, one: Person, at_s: float, rng: np.random.Generator) -> Track | None:
        x, y, height = one.place(at_s)
        joints = one.does(at_s).joints()
        turned_x = joints[:, 0] * math.cos(one.turned) + joints[:, 1] * math.sin(one.turned)
        px = np.stack([x + height * turned_x, y - height * joints[:, 2]], axis=1)
        flesh = np.array([0.04, 0.05]) * height
        low, high = px.min(axis=0) - flesh, px.max(axis=0) + flesh
        box = np.concatenate([low, high]) + rng.normal(0.0, self.noise_px, 4)
        width_px, height_px = self.size_px
        box[0::2], box[1::2] = np.clip(box[0::2], 0, width_px), np.clip(box[1::2], 0, height_px)
        box[2:] = np.maximum(box[2:], box[:2] + 1.0)
        if not (0.0 <= x <= width_px and box[3] - box[1] >= 0.3 * height):
            return None
        px += rng.normal(0.0, self.noise_px, px.shape)
        seen = rng.random(17) >= self.missing
        seen &= (px >= 0).all(axis=1) & (px <= self.size_px).all(axis=1)
        seen[list(one.hidden)] = False
        confidence = np.where(seen, rng.uniform(0.6, 0.95, 17), rng.uniform(0.0, 0.2, 17))
        # A network places what it does not see somewhere on the body.
        px[~seen] = rng.uniform(box[:2], box[2:], (17, 2))[~seen]
        points = np.column_stack([px, confidence]).astype(np.float32) if self.keypoints else None
        return Track(one.id, box.astype(np.float32), 0.9, points, "confirmed", at_s - one.from_s)


def still(body: Body) -> Does:
    """A body that keeps its posture."""
    return lambda _: body


def gait(speed_m_s: float, phase: float) -> Does:
    """Walking, and from 2.3 m/s on running: 1.6 to 2.2, and 2.6 to 3.2 steps a second."""
    runs = speed_m_s > 2.3
    steps_s = 2.6 + 0.2 * (speed_m_s - 2.3) if runs else 1.6 + 0.3 * speed_m_s
    swing = min(0.25 + 0.18 * speed_m_s, 0.75)

    def does(at_s: float) -> Body:
        angle = math.pi * steps_s * at_s + phase
        left, right = swing * math.sin(angle), -swing * math.sin(angle)
        bend = 1.4 if runs else 0.7
        knees = (0.1 + bend * max(math.cos(angle), 0.0), 0.1 + bend * max(-math.cos(angle), 0.0))
        bounce = 0.03 * math.cos(2 * angle) if runs else 0.01 * math.cos(2 * angle)
        elbows = (1.5, 1.5) if runs else (0.3, 0.3)
        return Body((left, right), knees, (0.8 * right, 0.8 * left), elbows, 0.15 if runs else 0.05, 0.01 + bounce)

    return does


def between(rest: Body, doing: Body, from_s: float, until_s: float, moves_s: float = 0.4) -> Does:
    """From one posture to another and back, each within `moves_s`."""

    def does(at_s: float) -> Body:
        share = min(max(min((at_s - from_s) / moves_s, (until_s - at_s) / moves_s + 1.0), 0.0), 1.0)

        def mixed(name: str) -> tuple[float, float]:
            (a, b), (c, d) = getattr(rest, name), getattr(doing, name)
            return a + share * (c - a), b + share * (d - b)

        return Body(
            mixed("legs"),
            mixed("knees"),
            mixed("arms"),
            mixed("elbows"),
            rest.trunk + share * (doing.trunk - rest.trunk),
            rest.down + share * (doing.down - rest.down),
        )

    return does
