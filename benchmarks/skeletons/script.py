"""Scripts of one person: postures one after the other with their labels, and what the body does between them.

Labels are those of OmniFall (walk, fall, fallen, sit_down, sitting, lie_down, lying, stand_up, standing, kneel_down,
kneeling, squat_down, squatting, other), and `run`, `bend`, `hands_up`, `push_up` and `away` (not in the picture), which
OmniFall does not tell apart from `other`.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from benchmarks.skeletons.gait import add_gait, phases
from benchmarks.skeletons.pose import ANGLES, joints, posture
from posebus.arrays import Float64Array

STEP_S = 0.01
"""Scripts are computed at this step and read at the times of frames, so that they do not depend on the frame rate."""

STANDING = posture()


@dataclass(frozen=True, slots=True)
class Interval:
    """What a person does from `start_s` to `end_s`, seconds since the first frame."""

    label: str
    start_s: float
    end_s: float


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a script: the body reaches `posture` at its end.

    label: the truth of this part. speed_m_s: along the heading. power: 1 for an even transition with a soft start and
    end; 2 for one that starts slowly and becomes faster until it stops, as a fall does. seat_m: the height of the
    surface on which the body is at its end. repeat: the posture is reached and left this often within the part. turn:
    radians to the left by which the heading changes.
    """

    label: str
    length_s: float
    posture: Float64Array = field(default_factory=lambda: STANDING)
    speed_m_s: float = 0.0
    power: int = 1
    seat_m: float = 0.0
    repeat: int = 0
    turn: float = 0.0


@dataclass(frozen=True, slots=True)
class Script:
    """The parts of one person.

    heading: radians on the ground, None for any. place_m: where it begins, x to the right of the camera's axis and y
    away from it, None for any. first: the posture at the beginning. hidden_below_m: hides joints lower than this, as a
    counter in front of the person does; 0 hides none.
    """

    parts: tuple[Part, ...]
    heading: float | None = None
    place_m: tuple[float, float] | None = None
    first: Float64Array = field(default_factory=lambda: STANDING)
    hidden_below_m: float = 0.0

    @property
    def length_s(self) -> float:
        return sum(part.length_s for part in self.parts)

    @property
    def truth(self) -> tuple[Interval, ...]:
        ends = np.cumsum([part.length_s for part in self.parts])
        return tuple(
            Interval(part.label, float(end - part.length_s), float(end))
            for part, end in zip(self.parts, ends, strict=True)
        )


def played(script: Script, rng: np.random.Generator, height_m: float) -> tuple[Float64Array, Float64Array]:
    """Times (S,) and joints (S, 17, 3) in metres of a person of `height_m`; it begins at the origin along x."""
    times_s = np.arange(0.0, script.length_s + STEP_S, STEP_S)
    angles, speed_m_s, seat_m = _courses(script, times_s)
    angles = angles + _restlessness(times_s, rng)
    walking = np.clip(speed_m_s / 0.3, 0.0, 1.0)
    pace = speed_m_s * rng.uniform(0.95, 1.05)
    add_gait(angles, pace, phases(pace, STEP_S, rng.uniform(0, 2 * np.pi)), rng.uniform(0.6, 1.3))
    body_m = joints(angles) * height_m
    # The feet of a person who does not walk stay where they are; the hips of one who walks follow the way.
    feet_m = body_m[:, 15:17].mean(axis=1)
    body_m[..., :2] -= ((1.0 - walking)[:, None] * feet_m[:, :2])[:, None]
    body_m = _on_the_way(body_m, speed_m_s, _headings(script, times_s))
    flight = np.clip(speed_m_s - 2.0, 0.0, 1.0) * 0.04 * height_m
    body_m[..., 2] += (seat_m + flight * np.abs(np.sin(phases(pace, STEP_S, 0.5))))[:, None]
    return times_s, body_m


def _courses(script: Script, times_s: Float64Array) -> tuple[Float64Array, Float64Array, Float64Array]:
    angles = np.empty((len(times_s), len(ANGLES)))
    speed, seat = np.zeros(len(times_s)), np.zeros(len(times_s))
    before, before_seat, start_s = script.first, 0.0, 0.0
    for part in script.parts:
        rows = times_s >= start_s
        share = np.clip((times_s[rows] - start_s) / part.length_s, 0.0, 1.0)
        if part.repeat:
            eased = (1 - np.cos(2 * np.pi * part.repeat * share)) / 2
        else:
            eased = share**2 if part.power == 2 else share * share * (3 - 2 * share)
        angles[rows] = before + eased[:, None] * (part.posture - before)
        seat[rows] = before_seat + eased * (part.seat_m - before_seat)
        speed[rows] = part.speed_m_s
        if not part.repeat:
            before, before_seat = part.posture, part.seat_m
        start_s += part.length_s
    return angles, _smooth(speed, 0.5), seat


def _headings(script: Script, times_s: Float64Array) -> Float64Array:
    """Headings (S,) relative to the first one."""
    ends = np.cumsum([0.0, *(part.length_s for part in script.parts)])
    return np.interp(times_s, ends, np.cumsum([0.0, *(part.turn for part in script.parts)]))


def _on_the_way(body_m: Float64Array, speed_m_s: Float64Array, heading: Float64Array) -> Float64Array:
    """The body (S, 17, 3) turned to its headings and moved along its way."""
    cos, sin = np.cos(heading), np.sin(heading)
    x, y = body_m[..., 0], body_m[..., 1]
    moved = body_m.copy()
    moved[..., 0] = x * cos[:, None] - y * sin[:, None] + (np.cumsum(speed_m_s * cos) * STEP_S)[:, None]
    moved[..., 1] = x * sin[:, None] + y * cos[:, None] + (np.cumsum(speed_m_s * sin) * STEP_S)[:, None]
    return moved


def _smooth(values: Float64Array, length_s: float) -> Float64Array:
    """Values averaged over `length_s`, since people do not start to walk at once."""
    count = int(length_s / STEP_S)
    padded = np.pad(values, (count // 2, count - count // 2 - 1), mode="edge")
    return np.convolve(padded, np.full(count, 1.0 / count), mode="valid")


def _restlessness(times_s: Float64Array, rng: np.random.Generator) -> Float64Array:
    """Small slow motions (S, 16) in radians, since people never hold a posture exactly, and each in their own way."""
    out = np.zeros((len(times_s), len(ANGLES)))
    sway = np.full(len(ANGLES), 0.02)
    sway[ANGLES.index("arm_l") :] = 0.08
    for frequency in rng.uniform(0.1, 1.2, 3):
        out += np.sin(2 * np.pi * frequency * times_s[:, None] + rng.uniform(0, 2 * np.pi, len(ANGLES))) * sway
    habit = rng.normal(0.0, 1.0, len(ANGLES)) * sway
    return out + habit
