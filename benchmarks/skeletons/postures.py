"""Postures between which scripts move: joint angles in radians."""

from __future__ import annotations

import numpy as np

from benchmarks.skeletons.pose import posture
from posebus.arrays import Float64Array

STANDING = posture()
SITTING_ON_CHAIR = posture(trunk=0.1, thigh=1.5, knee=1.55, arm=0.5, elbow=0.8)
SITTING_ON_FLOOR = posture(trunk=-0.1, thigh=1.75, knee=0.9, arm=0.3, elbow=0.4)
SQUAT = posture(trunk=0.6, thigh=1.85, knee=2.2, leg_out=0.2, arm=1.2, elbow=0.4)
LOW_CROUCH = posture(trunk=0.9, thigh=2.0, knee=2.4, arm=0.7, elbow=0.5)
KNEELING = posture(trunk=0.9, thigh_l=1.6, knee_l=1.8, thigh_r=0.1, knee_r=1.6, arm=0.7, elbow=0.5)
BENT = posture(trunk=1.5, nod=0.2, thigh=-0.15, knee=0.1, arm=0.2, elbow=0.1)
ON_ALL_FOURS = posture(pitch=1.45, thigh=1.5, knee=1.5, arm=1.5, elbow=0.05)
PUSH_UP_HIGH = posture(pitch=1.3, arm=1.35, elbow=0.05)
PUSH_UP_LOW = posture(pitch=1.5, arm=0.6, elbow=1.6, arm_out=0.5)
HANDS_UP = posture(arm=2.9, arm_out=0.25, elbow=0.3)


def lying(rng: np.random.Generator, direction: str = "any") -> Float64Array:
    """Flat on the ground after going down forward (prone), backward (supine), to the left or right (on that side)."""
    ways = {"forward": (1.5, 0.0), "backward": (-1.5, 0.0), "left": (0.0, -1.5), "right": (0.0, 1.5)}
    way = direction if direction in ways else str(rng.choice(list(ways)))
    pitch, roll = ways[way]
    limbs = {
        "trunk": rng.uniform(-0.1, 0.3),
        "thigh_l": rng.uniform(-0.1, 0.7),
        "thigh_r": rng.uniform(-0.1, 0.7),
        "knee_l": rng.uniform(0.0, 1.0),
        "knee_r": rng.uniform(0.0, 1.0),
        "arm_l": rng.uniform(-0.3, 2.5),
        "arm_r": rng.uniform(-0.3, 2.5),
        "arm_out_l": rng.uniform(0.0, 0.9),
        "arm_out_r": rng.uniform(0.0, 0.9),
        "elbow": rng.uniform(0.0, 1.2),
    }
    if way == "backward":  # the ground is behind the back
        limbs |= {"trunk": rng.uniform(-0.1, 0.1), "arm_l": rng.uniform(0.0, 1.0), "arm_r": rng.uniform(0.0, 1.0)}
    return posture(pitch=pitch + rng.normal(0, 0.08), roll=roll + rng.normal(0, 0.08), **limbs)
