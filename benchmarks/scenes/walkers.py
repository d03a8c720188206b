"""Where people walk on the ground: desired velocities, mutual avoidance, groups, stops and changes of direction.

Model: D. Helbing and P. Molnar, "Social force model for pedestrian dynamics", Physical Review E 51, 1995. Ground
coordinates are in metres: x to the right of the camera's axis, y away from the camera.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from benchmarks.scenes.camera import Camera
from benchmarks.scenes.ground import Ground, ground_of
from benchmarks.scenes.kinds import SceneKind
from posebus.arrays import BoolArray, Float64Array

Indices = npt.NDArray[np.intp]

STEP_S = 0.04
WARM_UP_S = 12.0
RELAXATION_S = 0.5
AHEAD_S = 0.4
"""People avoid the places where others will be this much later."""

PERSONAL_M, REACH_M, PUSH_M_S2 = 0.55, 0.22, 2.5
"""Two bodies repel each other by PUSH_M_S2 at the distance PERSONAL_M, and e times less with every REACH_M more."""

STEP_ASIDE = 0.4
"""The part of the repulsion that acts to the right, so that two people who meet head-on pass instead of stopping."""

PILLAR_M_S2, WALL_M_S2, MOST_M_S2 = 6.0, 5.0, 6.0
BESIDE_M = 0.65
"""Distance between neighbours of a group."""

GROUP_SIZES = (2, 2, 2, 3, 3, 4)
SHOULDERS_M = 0.8
ARRIVED_M = 0.7
FOR_EVER_S = 1e9
UPRIGHT, BENT, CROUCHED = range(3)


@dataclass(frozen=True, slots=True)
class People:
    """P people.

    height_m: (P,). girth: (P,) factor of the radii of a slim body. swing: (P, 3) factors around 1 of the swing of legs
    and arms, and of the bend of the elbows.
    """

    height_m: Float64Array
    girth: Float64Array
    swing: Float64Array


@dataclass(frozen=True, slots=True)
class Walks:
    """All people over time: arrays (T, S) for T frames and S places, each held by one person after another.

    person: index into `people` of the person who holds the place, -1 if it is empty. heading: radians, 0 along x.
    phase: of the gait, in radians. bend, sit: 0..1.
    """

    person: Indices
    x_m: Float64Array
    y_m: Float64Array
    heading: Float64Array
    speed_m_s: Float64Array
    phase: Float64Array
    bend: Float64Array
    sit: Float64Array
    people: People


def stride_hz(speed_m_s: Float64Array) -> Float64Array:
    """Strides (two steps) per second: the cadence grows with the root of the speed, 1 Hz at 1.3 m/s."""
    return np.asarray(np.sqrt(np.maximum(speed_m_s, 0.0) / 1.3))


def walk(scene: SceneKind, camera: Camera, rng: np.random.Generator) -> Walks:
    """The scene's people in each of its frames; where they walk does not depend on its frame rate."""
    crowd = _Crowd(scene, ground_of(scene, camera), rng)
    times_s = WARM_UP_S + np.arange(max(1, round(scene.seconds * scene.fps))) / scene.fps
    first = int(WARM_UP_S / STEP_S) - 1
    states, people = [], []
    for step in range(int(np.ceil((WARM_UP_S + scene.seconds) / STEP_S)) + 2):
        crowd.step()
        if step >= first:
            states.append(crowd.state())
            people.append(np.where(crowd.gone, -1, crowd.person))
    track, person = np.array(states), np.array(people)
    place = times_s / STEP_S - first - 1
    before = np.clip(place.astype(int), 0, len(track) - 2)
    part = (place - before)[:, None, None]
    stays = (person[before] == person[before + 1])[:, None]
    mixed = np.where(stays, track[before] * (1 - part) + track[before + 1] * part, track[before])
    x, y, heading, speed, phase, bend, sit = np.moveaxis(mixed, 1, 0)
    return Walks(
        person=person[before],
        x_m=x,
        y_m=y,
        heading=heading,
        speed_m_s=speed,
        phase=phase,
        bend=bend,
        sit=sit,
        people=_random_people(crowd.born, rng),
    )


def _random_people(count: int, rng: np.random.Generator) -> People:
    return People(
        height_m=rng.uniform(1.55, 1.95, count),
        girth=rng.uniform(0.95, 1.3, count),
        swing=rng.normal(1.0, (0.06, 0.35, 0.5), (count, 3)).clip(0.1, 2.0),
    )


class _Crowd:
    """The state of the simulation, one row per place; the people of a group enter, turn, stop and leave together."""

    def __init__(self, scene: SceneKind, ground: Ground, rng: np.random.Generator) -> None:
        self.scene, self.ground, self.rng = scene, ground, rng
        count = max(2, round(scene.people / ground.share_in_view()))
        self.groups = _groups(count, scene.grouped, rng)
        self.group = np.repeat(np.arange(len(self.groups)), [len(members) for members in self.groups])
        self.born = count
        self.person = np.arange(count)
        self.position, self.goal, self.velocity = (np.zeros((count, 2)) for _ in range(3))
        self.pace, self.heading, self.look, self.wander = (np.zeros(count) for _ in range(4))
        self.phase = rng.uniform(0, 2 * np.pi, count)
        self.stop_left_s, self.bend, self.sit = (np.zeros(count) for _ in range(3))
        self.posture = np.zeros(count, int)
        self.leaving, self.gone = np.ones(count, bool), np.zeros(count, bool)
        for members in self.groups:
            self._enter(members, part_of_way=rng.random())
        inside = np.abs(self.position[:, 0]) < ground.half_view_m(self.position[:, 1]) - 0.5
        self.stop_left_s[(rng.random(count) < scene.standing) & inside] = FOR_EVER_S

    def state(self) -> Float64Array:
        """(7, S): the rows of `Walks` after the person."""
        speed = np.hypot(*self.velocity.T)
        return np.array([*self.position.T, self.heading, speed, self.phase, self.bend, self.sit])

    def step(self) -> None:
        """Advance the simulation by STEP_S."""
        for members in self.groups:
            self._change_mind(members)
        stopped = self.stop_left_s > 0
        self.stop_left_s -= STEP_S
        self.posture[~stopped] = UPRIGHT
        force = self._drive(stopped) + np.clip(self._push(), -MOST_M_S2, MOST_M_S2) + self._cohesion(stopped)
        self.velocity += force * STEP_S
        speed = np.hypot(self.velocity[:, 0], self.velocity[:, 1])
        self.velocity *= (np.minimum(speed, 1.3 * self.pace) / np.maximum(speed, 1e-9))[:, None]
        self.velocity[self.stop_left_s > FOR_EVER_S / 2] = 0.0
        self.position += self.velocity * STEP_S
        self._turn(stopped)
        for posture, amount in ((BENT, self.bend), (CROUCHED, self.sit)):
            amount += np.clip((self.posture == posture) - amount, -STEP_S / 0.8, STEP_S / 0.8)
        arrived = np.hypot(*(self.goal - self.position).T) < ARRIVED_M
        self.gone |= self.ground.is_outside(self.position) | (self.leaving & arrived)
        for members in self.groups:
            if self.gone[members].all():
                self.person[members] = np.arange(self.born, self.born + len(members))
                self.born += len(members)
                self._enter(members)
            elif (arrived & ~self.leaving)[members].any():
                self._head_for(members, self.ground.border_m(self.ground.way_through(self.rng)[1], self.rng))
                self.leaving[members] = True

    def _enter(self, members: Indices, part_of_way: float = 0.0) -> None:
        rng = self.rng
        start, goal = (self.ground.border_m(side, rng) for side in self.ground.way_through(rng))
        way = (goal - start) / max(float(np.hypot(*(goal - start))), 1e-6)
        self.position[members] = start + part_of_way * (goal - start) + _side_by_side(len(members), way)
        self._head_for(members, goal)
        slow, fast = self.scene.speed_m_s
        pace = np.clip(rng.normal((slow + fast) / 2, (fast - slow) / 4), slow, fast)
        self.pace[members] = pace * rng.normal(1.0, 0.02, len(members))
        self.velocity[members] = way * self.pace[members, None]
        self.heading[members] = np.arctan2(way[1], way[0])
        self.gone[members], self.leaving[members] = False, True
        self.stop_left_s[members], self.posture[members] = 0.0, UPRIGHT

    def _head_for(self, members: Indices, goal: Float64Array) -> None:
        way = goal - self.position[members].mean(axis=0)
        self.goal[members] = goal + _side_by_side(len(members), way / max(float(np.hypot(*way)), 1e-6))

    def _change_mind(self, members: Indices) -> None:
        """Choose another way or a stop for a whole group, at the rates of the scene."""
        scene, rng = self.scene, self.rng
        turns, stops = rng.random(2) < np.array([scene.turns_per_s, scene.stops_per_s]) * STEP_S
        if not (turns or stops) or (self.stop_left_s[members] > 0).any():
            return
        if turns:
            leaves = bool(rng.random() < 0.5)
            side = self.ground.way_through(rng)[1]
            self._head_for(members, self.ground.border_m(side, rng) if leaves else self.ground.inner_m(rng))
            self.leaving[members] = leaves
        if stops:
            self.stop_left_s[members] = rng.lognormal(1.0, 0.7) * rng.uniform(0.8, 1.2, len(members))
            self.look[members] = rng.uniform(-np.pi, np.pi, len(members))
            lowered = rng.random(len(members)) < scene.bends
            self.posture[members] = np.where(lowered, rng.integers(BENT, CROUCHED + 1, len(members)), UPRIGHT)

    def _drive(self, stopped: BoolArray) -> Float64Array:
        """The force towards the goal at each person's own pace, on a slightly wandering course."""
        self.wander += -self.wander * STEP_S / 2.0 + self.rng.normal(0, 0.12 * np.sqrt(STEP_S), len(self.wander))
        way = self.goal - self.position
        direction = np.arctan2(way[:, 1], way[:, 0]) + self.wander
        wanted = np.where(stopped, 0.0, self.pace) * np.array([np.cos(direction), np.sin(direction)])
        return np.asarray((wanted.T - self.velocity) / RELAXATION_S)

    def _push(self) -> Float64Array:
        """The force away from each other, from pillars and from walls."""
        ahead = self.position + AHEAD_S * self.velocity
        gap = ahead[:, None] - ahead[None]
        away = np.maximum(np.hypot(gap[..., 0], gap[..., 1]), 0.05)
        strength = _repulsion(away, PUSH_M_S2)
        strength[(away > 2.0) | self.gone[None] | self.gone[:, None]] = 0.0
        np.fill_diagonal(strength, 0.0)
        x, y = (strength * gap[..., 0]).sum(axis=1), (strength * gap[..., 1]).sum(axis=1)
        force = np.column_stack([x - STEP_ASIDE * y, y + STEP_ASIDE * x])
        for pillar in self.scene.pillars:
            half = pillar.width_m / 2
            gap_x = ahead[:, 0] - np.clip(ahead[:, 0], pillar.x_m - half, pillar.x_m + half)
            gap_y = ahead[:, 1] - pillar.y_m
            push = _repulsion(np.maximum(np.hypot(gap_x, gap_y), 0.05), PILLAR_M_S2)
            along = np.where(self.goal[:, 0] >= ahead[:, 0], 0.5, -0.5) * np.abs(gap_y)
            force += np.column_stack([push * (gap_x + along), push * gap_y])
        if self.scene.half_width_m is not None:
            wall = self.scene.half_width_m + 0.2
            force[:, 0] += WALL_M_S2 * (np.exp((-wall - ahead[:, 0]) / 0.15) - np.exp((ahead[:, 0] - wall) / 0.15))
        return np.asarray(force)

    def _cohesion(self, stopped: BoolArray) -> Float64Array:
        """The force that keeps members of a group near its middle."""
        count = np.bincount(self.group)
        middle = np.column_stack([np.bincount(self.group, at) / count for at in self.position.T])[self.group]
        back = middle - self.position
        length = np.maximum(np.hypot(back[:, 0], back[:, 1]), 1e-6)
        pull = np.where((length > SHOULDERS_M) & ~stopped, np.minimum(length - SHOULDERS_M, 1.0), 0.0)
        return np.asarray(back * (pull / length)[:, None])

    def _turn(self, stopped: BoolArray) -> None:
        speed = np.hypot(self.velocity[:, 0], self.velocity[:, 1])
        moving = speed > 0.25
        towards = np.where(moving, np.arctan2(self.velocity[:, 1], self.velocity[:, 0]), self.heading)
        towards = np.where(stopped & ~moving, self.look, towards)
        gap = (towards - self.heading + np.pi) % (2 * np.pi) - np.pi
        self.heading += np.clip(gap * STEP_S / 0.4, -2.5 * STEP_S, 2.5 * STEP_S)
        self.phase += 2 * np.pi * stride_hz(speed) * STEP_S


def _groups(count: int, grouped: float, rng: np.random.Generator) -> list[Indices]:
    """Places 0 to count, split into groups; `grouped` of all people are in a group of two or more."""
    mean = float(np.mean(GROUP_SIZES))
    chance = grouped / (mean - grouped * (mean - 1.0))
    ends = [0]
    while ends[-1] < count:
        ends.append(ends[-1] + (int(rng.choice(GROUP_SIZES)) if rng.random() < chance else 1))
    return [np.arange(begin, min(end, count)) for begin, end in pairwise(ends)]


def _side_by_side(count: int, way: Float64Array) -> Float64Array:
    """Offsets (count, 2) across the direction `way` (2,)."""
    return np.asarray((np.arange(count) - (count - 1) / 2)[:, None] * np.array([-way[1], way[0]]) * BESIDE_M)


def _repulsion(away_m: Float64Array, push_m_s2: float) -> Float64Array:
    """Repulsion per metre of the gap at that distance."""
    return np.asarray(push_m_s2 * np.exp(np.minimum((PERSONAL_M - away_m) / REACH_M, 1.5)) / away_m)
