"""What the rules of a camera cost a frame: `python -m benchmarks.rules.cost` (`make bench-rules`).

People walk across the picture; all of them are followed by all rules, and the events are made. Each figure is of the
processor time of `Rules.update` over all frames, in one process, after a first second that warms up. Where other
programs share the processor's caches, the lower tenth is nearer to what a frame costs than the median is.
"""

from __future__ import annotations

import argparse
import math
import platform
import time
from collections.abc import Mapping
from typing import Any

import numpy as np

from posebus.messages import Track, TrackFrame, TrackState
from tracking.rules import Rules

SIZE_PX = (1280, 720)
FPS = 25
HEIGHT_PX = 180.0
LEFT = [[0, 0], [640, 0], [640, 720], [0, 720]]
STAR = [[400, 200], [640, 300], [880, 200], [800, 420], [900, 640], [640, 560], [380, 640], [480, 420]]
_HEIGHTS = (0.08, 0.06, 0.06, 0.07, 0.07, 0.2, 0.2, 0.35, 0.35, 0.48, 0.48, 0.52, 0.52, 0.74, 0.74, 0.95, 0.95)
JOINTS = np.array([(0.4 + 0.2 * (joint % 2), height) for joint, height in enumerate(_HEIGHTS)])
"""Joints of a standing person, as shares of the sides of the box."""

KINDS: Mapping[str, Mapping[str, Any]] = {
    "zone": {"kind": "zone", "points": STAR, "dwell_s": 5, "max_people": 5, "min_people": 1},
    "line": {"kind": "line", "points": [[100, 360], [1180, 400]]},
    "loiter": {"kind": "loiter", "points": LEFT, "after_s": 10},
    "crowd": {"kind": "crowd", "points": STAR, "people": 4},
    "proximity": {"kind": "proximity", "body_heights": 0.6},
    "absence": {"kind": "absence", "points": STAR, "for_s": 5},
    "fall": {"kind": "fall"},
    "running": {"kind": "running"},
    "hands_up": {"kind": "hands_up"},
    "crouch": {"kind": "crouch"},
}
MIX = {"zone": 6, "line": 6, "loiter": 2, "crowd": 2, "proximity": 2, "absence": 2}
"""Twenty rules, as a busy camera would have them."""
BODY_MIX = {
    **{"zone": 5, "line": 5, "loiter": 2, "crowd": 1, "proximity": 1, "absence": 1},
    **{"fall": 2, "running": 1, "hands_up": 1, "crouch": 1},
}
"""Twenty rules, a quarter of them about bodies."""


def frames(people: int, seconds: float) -> list[TrackFrame]:
    """People on ellipses around the middle of the picture, with all joints."""
    rng = np.random.default_rng(0)
    radii, phases = rng.uniform(0.3, 1.0, people), rng.uniform(0, 2 * math.pi, people)
    made = []
    for seq in range(round(seconds * FPS)):
        tracks = []
        for number in range(people):
            angle = phases[number] + 0.3 * seq / FPS
            x = 640 + 500 * radii[number] * math.cos(angle)
            y = 420 + 250 * radii[number] * math.sin(angle)
            box = np.array([x - 36, y - HEIGHT_PX, x + 36, y], np.float32)
            joints = np.concatenate([box[:2] + JOINTS * (72, HEIGHT_PX), np.full((17, 1), 0.9)], axis=1)
            velocity = np.zeros(2, np.float32)
            tracks.append(Track(number, box, 0.9, joints.astype(np.float32), TrackState.CONFIRMED, seq / FPS, velocity))
        made.append(TrackFrame("yard", 1, seq, round(seq / FPS * 1e9), SIZE_PX, tuple(tracks)))
    return made


def costs_us(rules: Mapping[str, Mapping[str, Any]], filmed: list[TrackFrame]) -> tuple[list[float], int]:
    """Lower tenth, median and 99th percentile of microseconds a frame, and the number of events."""
    opened = Rules(rules, "yard", SIZE_PX)
    spent_us, events = [], 0
    for frame in filmed:
        begin_ns = time.thread_time_ns()
        events += len(opened.update(frame))
        spent_us.append((time.thread_time_ns() - begin_ns) / 1e3)
    return np.percentile(spent_us[FPS:], (10, 50, 99)).tolist(), events


def print_row(counts: Mapping[str, int], people: int, filmed: list[TrackFrame]) -> None:
    """Measure so many rules of each kind, and print a row of the table."""
    rules = {f"{kind}-{number}": KINDS[kind] for kind, count in counts.items() for number in range(count)}
    (low, median, high), events = costs_us(rules, filmed)
    named = ", ".join(f"{count} {kind}" for kind, count in counts.items())
    print(f"| {named} | {people} | {low:.0f} | {median:.0f} | {high:.0f} | {events} |", flush=True)


def main() -> None:
    """Print a table: the twenty rules with several numbers of people, then twenty rules of each kind alone."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=60.0, help="of the scene (default: 60)")
    options = parser.parse_args()
    print(f"{platform.machine()}, Python {platform.python_version()}, {options.seconds:g} s at {FPS} frames a second\n")
    print("| rules | people | p10, us a frame | median | p99 | events |\n|---|---|---|---|---|---|")
    for people in (0, 1, 5, 10, 20):
        print_row(MIX, people, frames(people, options.seconds))
    ten = frames(10, options.seconds)
    print_row(BODY_MIX, 10, ten)
    for kind in KINDS:
        print_row({kind: 20}, 10, ten)


if __name__ == "__main__":
    main()
