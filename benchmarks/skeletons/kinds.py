"""The catalogue of scripts: everyday activities, falls, and what looks like a fall and is none."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np

from benchmarks.skeletons.pose import ANGLES, COLUMN, posture
from benchmarks.skeletons.postures import (
    BENT,
    HANDS_UP,
    KNEELING,
    LOW_CROUCH,
    ON_ALL_FOURS,
    PUSH_UP_HIGH,
    PUSH_UP_LOW,
    SITTING_ON_CHAIR,
    SITTING_ON_FLOOR,
    SQUAT,
    STANDING,
    lying,
)
from benchmarks.skeletons.script import Part, Script
from posebus.arrays import Float64Array

Rng = np.random.Generator
Maker = Callable[[Rng], Script]

TOWARDS_CAMERA = -np.pi / 2


def _before(rng: Rng) -> list[Part]:
    """What a person does before: stands, or comes walking and stops."""
    if rng.random() < 0.5:
        return [Part("standing", rng.uniform(2.0, 5.0))]
    return [Part("walk", rng.uniform(2.0, 4.0), speed_m_s=rng.uniform(0.8, 1.5)), Part("standing", rng.uniform(1, 2.5))]


def _up_again(rng: Rng, flat: Float64Array) -> list[Part]:
    """A person on the ground stands up within some seconds: over sitting from the back, on all fours otherwise.

    Joint angles between lying on the back and all fours would lift the whole body upright on the way.
    """
    supine = flat[COLUMN["pitch"]] < -1.0
    return [
        Part("stand_up", rng.uniform(0.8, 1.5), SITTING_ON_FLOOR if supine else ON_ALL_FOURS),
        Part("stand_up", rng.uniform(0.8, 1.5), LOW_CROUCH),
        Part("stand_up", rng.uniform(0.7, 1.2)),
        Part("standing", rng.uniform(2, 4)),
    ]


def _stand(rng: Rng) -> Script:
    parts = [Part("standing", rng.uniform(3, 6), posture(arm=rng.uniform(-0.2, 0.9), elbow=rng.uniform(0.1, 1.8)))]
    return Script((*parts, Part("standing", rng.uniform(3, 6), posture(trunk=rng.uniform(-0.05, 0.15)))))


def _walk(rng: Rng) -> Script:
    busy = posture(arm=rng.uniform(-0.1, 0.5), elbow=rng.uniform(0.2, 1.2)) if rng.random() < 0.3 else STANDING
    return Script((Part("walk", rng.uniform(6, 9), busy, speed_m_s=rng.uniform(0.7, 1.8)),), first=busy)


def _run(rng: Rng) -> Script:
    return Script((Part("run", rng.uniform(3, 5), speed_m_s=rng.uniform(2.6, 4.5)),))


def _sit(rng: Rng, seat: Float64Array, height_m: float) -> Script:
    parts = [
        *_before(rng),
        Part("sit_down", rng.uniform(0.8, 2.0), seat, seat_m=height_m),
        Part("sitting", rng.uniform(4, 9), seat + posture(trunk=rng.uniform(-0.3, 0.3)) - STANDING, seat_m=height_m),
        Part("stand_up", rng.uniform(0.8, 2.0)),
        Part("standing", rng.uniform(1, 3)),
    ]
    return Script(tuple(parts))


def _sit_floor(rng: Rng) -> Script:
    down = [
        Part("sit_down", rng.uniform(0.7, 1.3), LOW_CROUCH),
        Part("sit_down", rng.uniform(0.7, 1.3), SITTING_ON_FLOOR),
    ]
    up = [Part("stand_up", rng.uniform(0.7, 1.3), LOW_CROUCH), Part("stand_up", rng.uniform(0.7, 1.3))]
    return Script((*_before(rng), *down, Part("sitting", rng.uniform(4, 9), SITTING_ON_FLOOR), *up))


def _squat(rng: Rng) -> Script:
    deep = SQUAT + posture(trunk=rng.uniform(-0.1, 0.3)) - STANDING
    if rng.random() < 0.4:  # exercise
        return Script((*_before(rng), Part("squatting", rng.uniform(6, 10), deep, repeat=int(rng.integers(3, 6)))))
    hold = Part("squatting", rng.uniform(3, 7), deep)
    up = Part("stand_up", rng.uniform(0.6, 1.4))
    return Script((*_before(rng), Part("squat_down", rng.uniform(0.6, 1.4), deep), hold, up, Part("standing", 2.0)))


def _bend(rng: Rng) -> Script:
    low = BENT + posture(trunk=rng.uniform(-0.3, 0.3)) - STANDING
    down, up = (Part("bend", rng.uniform(0.4, 1.2), to) for to in (low, STANDING))
    return Script(
        (*_before(rng), down, Part("bend", rng.uniform(0.5, 4), low), up, Part("standing", rng.uniform(2, 4)))
    )


def _tie_shoes(rng: Rng) -> Script:
    low = KNEELING if rng.random() < 0.5 else LOW_CROUCH
    label = "kneeling" if low is KNEELING else "squatting"
    down = "kneel_down" if low is KNEELING else "squat_down"
    parts = [Part(down, rng.uniform(0.7, 1.4), low), Part(label, rng.uniform(3, 9), low)]
    return Script((*_before(rng), *parts, Part("stand_up", rng.uniform(0.5, 1.3)), Part("standing", rng.uniform(2, 4))))


def _lie_down(rng: Rng, seat: Float64Array, height_m: float) -> Script:
    flat = lying(rng, "backward")  # as people do: other ways would lift the body on its legs on the way
    first = Part("lie_down", rng.uniform(1.0, 2.0), seat, seat_m=height_m)
    way = [first, Part("lie_down", rng.uniform(1.5, 3.0), flat, seat_m=height_m)]
    rest = Part("lying", rng.uniform(5, 12), flat, seat_m=height_m)
    up = [] if height_m or rng.random() < 0.5 else _up_again(rng, flat)
    return Script((*_before(rng), *way, rest, *up))


def _push_ups(rng: Rng) -> Script:
    down = [
        Part("kneel_down", rng.uniform(0.7, 1.3), LOW_CROUCH),
        Part("kneel_down", rng.uniform(0.7, 1.3), ON_ALL_FOURS),
        Part("push_up", rng.uniform(0.6, 1.2), PUSH_UP_HIGH),
    ]
    work = Part("push_up", rng.uniform(5, 10), PUSH_UP_LOW, repeat=int(rng.integers(3, 8)))
    return Script((*_before(rng), *down, work, *_up_again(rng, PUSH_UP_HIGH)))


def _hands_up(rng: Rng) -> Script:
    up = HANDS_UP + posture(elbow=rng.uniform(-0.3, 0.3)) - STANDING
    down = Part("standing", rng.uniform(0.4, 1.0))
    return Script(
        (*_before(rng), Part("standing", rng.uniform(0.3, 0.9), up), Part("hands_up", rng.uniform(3, 6), up), down)
    )


def _wave(rng: Rng) -> Script:
    raised = posture(arm_r=2.6, elbow_r=0.9, arm_out_r=0.5)
    waving = Part("other", rng.uniform(3, 6), posture(arm_r=2.6, elbow_r=0.2, arm_out_r=0.2), repeat=6)
    return Script((*_before(rng), Part("standing", 0.6, raised), waving, Part("standing", rng.uniform(1, 3))))


def _leave(rng: Rng) -> Script:
    """Walks out of the picture, at a side or below the camera."""
    side = rng.random() < 0.5
    heading = float(rng.choice([0.0, np.pi])) if side else TOWARDS_CAMERA
    return Script((Part("walk", 12.0, speed_m_s=rng.uniform(1.0, 1.8)),), heading, None if side else (0.0, 7.0))


def _behind_counter(rng: Rng) -> Script:
    parts = [Part("standing", rng.uniform(3, 5)), Part("walk", rng.uniform(1, 2), speed_m_s=0.8)]
    lean = Part("standing", rng.uniform(3, 5), posture(trunk=rng.uniform(0.1, 0.4), arm=0.6, elbow=0.8))
    return Script((*parts, lean), hidden_below_m=rng.uniform(0.8, 1.1))


def _fall(rng: Rng, direction: str, heading: float | None = None) -> Script:
    """From standing or walking to the ground within a second, and there for some time."""
    flat = lying(rng, direction)
    walks = rng.random() < 0.5
    pace_m_s = rng.uniform(0.8, 1.6) if walks else 0.0
    first = Part("walk" if walks else "standing", rng.uniform(2, 5), speed_m_s=pace_m_s)
    fall = [Part("fall", rng.uniform(0.5, 1.0), flat, power=2, speed_m_s=pace_m_s / 2)]
    if direction == "collapse":
        half = SQUAT + posture(trunk=rng.uniform(0, 0.4)) - STANDING
        fall = [Part("fall", rng.uniform(0.4, 0.8), half, power=2), Part("fall", rng.uniform(0.4, 0.8), flat)]
    down = Part("fallen", rng.uniform(5, 14), flat + posture(knee=rng.uniform(0, 0.4)) - STANDING)
    return Script((first, *fall, down, *(_up_again(rng, flat) if rng.random() < 0.4 else [])), heading)


def _fall_from_chair(rng: Rng) -> Script:
    flat = lying(rng, str(rng.choice(["forward", "left", "right"])))
    before = [Part("sitting", rng.uniform(3, 7), SITTING_ON_CHAIR)]
    fall = Part("fall", rng.uniform(0.6, 1.0), flat, power=2)
    return Script((*before, fall, Part("fallen", rng.uniform(5, 12), flat)), first=SITTING_ON_CHAIR)


FALLS: dict[str, Maker] = {
    "fall_forward": partial(_fall, direction="forward"),
    "fall_backward": partial(_fall, direction="backward"),
    "fall_left": partial(_fall, direction="left"),
    "fall_right": partial(_fall, direction="right"),
    "fall_towards_camera": partial(_fall, direction="forward", heading=TOWARDS_CAMERA),
    "fall_away_from_camera": partial(_fall, direction="backward", heading=TOWARDS_CAMERA),
    "fall_collapse": partial(_fall, direction="collapse"),
    "fall_from_chair": _fall_from_chair,
}

NOT_FALLS: dict[str, Maker] = {
    "stand": _stand,
    "walk": _walk,
    "run": _run,
    "sit_chair": partial(_sit, seat=SITTING_ON_CHAIR, height_m=0.0),
    "sit_floor": _sit_floor,
    "squat": _squat,
    "bend": _bend,
    "tie_shoes": _tie_shoes,
    "lie_down": partial(_lie_down, seat=SITTING_ON_FLOOR, height_m=0.0),
    "lie_on_bed": partial(_lie_down, seat=SITTING_ON_CHAIR, height_m=0.4),
    "push_ups": _push_ups,
    "hands_up": _hands_up,
    "wave": _wave,
    "leave": _leave,
    "behind_counter": _behind_counter,
}

KINDS: dict[str, Maker] = FALLS | NOT_FALLS
"""By name; a maker draws one script of its kind."""


def _varied_squat(rng: Rng) -> Script:
    """Squats of any depth, with the trunk upright or forward, and knees together or apart."""
    depth = rng.uniform(0.55, 1.0)
    out = rng.uniform(0.0, 0.6)
    low = posture(
        trunk=rng.uniform(0.0, 0.9), thigh=1.9 * depth, knee=2.2 * depth, leg_out=out, arm=rng.uniform(0.2, 1.6)
    )
    hold = Part("squatting", rng.uniform(3, 7), low)
    return Script((*_before(rng), Part("squat_down", rng.uniform(0.6, 1.4), low), hold, Part("standing", 2.0)))


def _varied_seat(rng: Rng) -> Script:
    """Sitting on chairs and benches of several heights, leaning back or forward, legs bent or stretched."""
    knee = rng.uniform(0.7, 1.8)
    seat = posture(
        trunk=rng.uniform(-0.4, 0.6),
        thigh=rng.uniform(1.2, 1.7),
        knee=knee,
        leg_out=rng.uniform(0, 0.3),
        arm=rng.uniform(0, 1.2),
        elbow=rng.uniform(0.2, 1.8),
    )
    return Script((Part("sitting", rng.uniform(4, 9), seat),), first=seat)


def _propped_up(rng: Rng) -> Script:
    """After a fall a person half sits on the ground, leaning back on the arms, and moves a little."""

    def propped() -> Float64Array:
        return posture(
            trunk=rng.uniform(-0.9, -0.3),
            nod=rng.uniform(0.0, 0.6),
            thigh_l=rng.uniform(1.5, 2.3),
            thigh_r=rng.uniform(1.5, 2.3),
            knee_l=rng.uniform(0.1, 1.6),
            knee_r=rng.uniform(0.1, 1.6),
            arm=rng.uniform(-0.9, -0.3),
            elbow=rng.uniform(0.0, 0.3),
            arm_out=rng.uniform(0.1, 0.5),
        )

    first = propped()
    rest = (Part("fallen", rng.uniform(2, 5), propped()) for _ in range(3))
    return Script((*_before(rng), Part("fall", rng.uniform(0.5, 1.0), first, power=2), *rest))


def _arms(rng: Rng) -> Script:
    """Standing with the arms in all positions."""

    def arms() -> Float64Array:
        angles = posture(trunk=rng.uniform(-0.1, 0.5))
        angles[ANGLES.index("arm_l") :] = rng.uniform(-0.4, 3.1), rng.uniform(-0.4, 3.1), *rng.uniform(0, 1.7, 4)
        return angles

    return Script(tuple(Part("standing", rng.uniform(1.0, 2.0), arms()) for _ in range(5)))


def _about(rng: Rng, label: str, slowest_m_s: float, fastest_m_s: float) -> Script:
    """Back and forth in a room."""
    parts = []
    for _ in range(int(rng.integers(3, 6))):
        speed_m_s = rng.uniform(slowest_m_s, fastest_m_s)
        parts.append(Part(label, rng.uniform(1.5, 4.0) / speed_m_s, speed_m_s=speed_m_s))
        turn = rng.choice([-1, 1]) * rng.uniform(2.4, 3.2)
        parts.append(Part(label, rng.uniform(0.25, 0.7), speed_m_s=0.5 * speed_m_s, turn=turn))
    return Script(tuple(parts))


VARIANTS: dict[str, Maker] = {
    "walk_about": partial(_about, label="walk", slowest_m_s=0.5, fastest_m_s=1.5),
    "run_about": partial(_about, label="run", slowest_m_s=1.9, fastest_m_s=3.5),
    "varied_squat": _varied_squat,
    "varied_seat": _varied_seat,
    "propped_up": _propped_up,
    "arms": _arms,
}
"""More of what classifiers have to learn; rules of falls are not held against these."""
