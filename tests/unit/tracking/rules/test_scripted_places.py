"""Scripted walks through zones and over lines, of which the truth is known from the script: exact at every rate.

Feet are noisy (2 pixels), and in half of the scenes ankles are hidden for most of the time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pytest
from unit.tracking.rules.walks import Walker, along, events_of, filmed, kinds, rules_of

GATE = {"kind": "line", "points": [[100, 300], [500, 300]]}
"""Side a is above, and side b below."""
POST = {"kind": "line", "points": [[320, 430], [320, 200]]}
"""Up the picture: side a is on the left, side b on the right."""
SLOPE = {"kind": "line", "points": [[200, 200], [440, 400]]}
EDGE = {"kind": "line", "points": [[40, 470], [600, 470]]}
LEFT_EDGE = {"kind": "line", "points": [[12, 460], [12, 60]]}
FLOOR = {"kind": "zone", "points": [[200, 200], [440, 200], [440, 400], [200, 400]]}
HORSESHOE = {
    "kind": "zone",
    "points": [[150, 150], [250, 150], [250, 350], [390, 350], [390, 150], [490, 150], [490, 450], [150, 450]],
}
TILL = {**FLOOR, "dwell_s": 4}
FULL = {**FLOOR, "max_people": 1}
STAFFED = {**FLOOR, "min_people": 1}

A_TO_B, B_TO_A = "a_to_b", "b_to_a"
IN, OUT, DWELL = "zone.entered", "zone.left", "zone.dwelled"


@dataclass(frozen=True)
class Scene:
    """What is filmed, and what is true: directions or types with the number of the person, in their order."""

    rule: Mapping[str, Any]
    walkers: Sequence[Walker]
    truth: Sequence[tuple[str, int | None]]
    seconds: float = 12.0


def path(*points: tuple[float, float, float], **fields: Any) -> Walker:
    return Walker(along(*points), **fields)


DOWN, UP = path((1, 300, 220), (7, 300, 400)), path((1, 300, 400), (7, 300, 220))
LINES = {
    "walks over it": Scene(GATE, [DOWN], [(A_TO_B, 1)]),
    "walks back over it": Scene(GATE, [UP], [(B_TO_A, 1)]),
    "walks there and back": Scene(
        GATE, [path((1, 300, 240), (4, 300, 370), (6, 300, 370), (9, 300, 240))], [(A_TO_B, 1), (B_TO_A, 1)]
    ),
    "walks beside it": Scene(GATE, [path((0, 80, 270), (10, 560, 270))], []),
    "walks on the other side": Scene(GATE, [path((0, 560, 330), (10, 80, 330))], []),
    "walks around its end": Scene(GATE, [path((1, 560, 240), (6, 560, 380))], []),
    "walks around its end and back over it": Scene(
        GATE, [path((0, 560, 240), (4, 560, 360), (8, 300, 360), (11, 300, 240))], [(B_TO_A, 1)]
    ),
    "comes close and turns around": Scene(GATE, [path((1, 300, 220), (4, 300, 280), (7, 300, 220))], []),
    "stands on it, and walks on": Scene(
        GATE, [path((1, 300, 240), (3, 300, 300), (8, 300, 300), (10, 300, 370))], [(A_TO_B, 1)]
    ),
    "stands on it, and goes back": Scene(GATE, [path((1, 300, 240), (3, 300, 300), (8, 300, 300), (10, 300, 240))], []),
    "stops close behind it": Scene(GATE, [path((1, 300, 240), (4, 300, 306))], [(A_TO_B, 1)]),
    "two people meet on it": Scene(
        GATE, [path((1, 280, 240), (5, 280, 360)), path((1, 330, 370), (5.5, 330, 240))], [(A_TO_B, 1), (B_TO_A, 2)]
    ),
    "walks slowly": Scene(GATE, [path((0, 300, 270), (10, 300, 340))], [(A_TO_B, 1)]),
    "runs": Scene(GATE, [path((1, 300, 100), (1.9, 300, 420))], [(A_TO_B, 1)]),
    "walks over it slantwise": Scene(GATE, [path((1, 120, 240), (7, 480, 370))], [(A_TO_B, 1)]),
    "from left to right over a line up the picture": Scene(POST, [path((1, 200, 350), (6, 450, 350))], [(A_TO_B, 1)]),
    "from right to left over it": Scene(POST, [path((1, 450, 350), (6, 200, 350))], [(B_TO_A, 1)]),
    "over a slope from its right, which is below": Scene(SLOPE, [path((1, 260, 380), (6, 400, 260))], [(B_TO_A, 1)]),
    "lost for a moment while crossing": Scene(GATE, [replace(DOWN, hidden=[(3.2, 3.9)])], [(A_TO_B, 1)]),
    "lost for long, and found far away": Scene(
        GATE, [path((0, 150, 200), (3, 150, 200), (3.1, 450, 420), (9, 450, 420), hidden=[(2, 6)])], []
    ),
    "lost for long close to it, and found just behind": Scene(
        GATE, [path((0, 300, 260), (2, 300, 275), (5, 300, 340), (9, 300, 400), hidden=[(2, 5)])], [(A_TO_B, 1)]
    ),
    "walks out of the picture over a line at its border": Scene(
        EDGE, [path((0, 300, 330), (3, 300, 480), end_s=2.95)], [(A_TO_B, 1)]
    ),
    "walks into the picture over it": Scene(EDGE, [path((1, 300, 480), (4, 300, 330), begin_s=1)], [(B_TO_A, 1)]),
    "walks along it": Scene(EDGE, [path((0, 60, 450), (8, 590, 450))], []),
    "walks out at the side": Scene(LEFT_EDGE, [path((0, 200, 300), (2.5, 5, 300), end_s=2.5)], [(B_TO_A, 1)]),
    "is not seen any more on this side": Scene(GATE, [path((0, 300, 200), (4, 300, 280), end_s=4)], []),
    "is not seen any more right behind it": Scene(GATE, [path((2, 300, 220), (4, 300, 320), end_s=3.9)], [(A_TO_B, 1)]),
    "ten people, one after the other": Scene(
        GATE,
        [path((n, 150 + 30 * n, 230), (n + 4, 150 + 30 * n, 380)) for n in range(10)],
        [(A_TO_B, n + 1) for n in range(10)],
        16.0,
    ),
}
ZONES = {
    "walks through": Scene(FLOOR, [path((0, 100, 300), (8, 560, 300))], [(IN, 1), (OUT, 1)]),
    "walks past": Scene(FLOOR, [path((0, 100, 440), (8, 560, 440))], []),
    "walks close past its side": Scene(FLOOR, [path((0, 100, 412), (8, 560, 412))], []),
    "is in it from the start": Scene(FLOOR, [path((3, 300, 300), (6, 300, 460))], [(IN, 1), (OUT, 1)]),
    "is in it to the end": Scene(FLOOR, [path((1, 100, 300), (4, 300, 300))], [(IN, 1)]),
    "is not seen any more in it": Scene(FLOOR, [path((0, 300, 300), end_s=5)], [(IN, 1), (OUT, 1)]),
    "enters twice": Scene(
        FLOOR,
        [path((0, 100, 300), (2, 300, 300), (4, 300, 300), (6, 100, 300), (7, 100, 300), (9, 300, 300))],
        [(IN, 1), (OUT, 1), (IN, 1)],
    ),
    "walks through the opening of a horseshoe": Scene(
        HORSESHOE, [path((0, 320, 120), (4, 320, 320), (8, 320, 120))], []
    ),
    "walks through both arms of it": Scene(
        HORSESHOE, [path((0, 100, 250), (11, 540, 250))], [(IN, 1), (OUT, 1), (IN, 1), (OUT, 1)], 14.0
    ),
    "stays long enough": Scene(
        TILL, [path((0, 100, 300), (2, 300, 300), (8, 300, 300), (10, 540, 300))], [(IN, 1), (DWELL, 1), (OUT, 1)]
    ),
    "does not stay long enough": Scene(
        TILL, [path((0, 100, 300), (2, 300, 300), (3, 300, 300), (5, 540, 300))], [(IN, 1), (OUT, 1)]
    ),
    "is lost while staying": Scene(TILL, [path((0, 300, 300), hidden=[(2, 7)])], [(IN, 1), (DWELL, 1)]),
    "is lost while staying, and never found": Scene(
        TILL, [path((0, 300, 300), hidden=[(2, 9)], end_s=9)], [(IN, 1), (OUT, 1)]
    ),
    "stands on its border, seen on both sides": Scene(
        TILL, [path((0, 300, 300), (2, 300, 396), (6, 300, 396), (8, 300, 300))], [(IN, 1), (DWELL, 1)]
    ),
    "two people stay": Scene(
        TILL,
        [path((1, 100, 250), (3, 300, 250)), path((2, 540, 350), (4, 360, 350))],
        [(IN, 1), (IN, 2), (DWELL, 1), (DWELL, 2)],
    ),
    "too many people": Scene(
        FULL,
        [path((0, 260, 300)), path((2, 100, 350), (4, 300, 350), (6, 300, 350), (8, 100, 350))],
        [(IN, 1), (IN, 2), ("zone.occupied", None), (OUT, 2), ("zone.cleared", None)],
    ),
    "one person is lost for a moment among too many": Scene(
        FULL,
        [path((0, 260, 300)), path((0, 350, 350), hidden=[(4, 4.8)])],
        [(IN, 1), (IN, 2), ("zone.occupied", None)],
    ),
    "too few people": Scene(
        STAFFED,
        [path((3, 100, 300), (5, 300, 300), (8, 300, 300), (10, 100, 300))],
        [("zone.occupied", None), (IN, 1), ("zone.cleared", None), (OUT, 1), ("zone.occupied", None)],
        13.0,
    ),
}
RATES = (5, 10, 15, 30)


def without_ankles(time_s: float) -> Sequence[int]:
    """Ankles are seen in every fourth second only; knees are seen."""
    return () if int(time_s) % 4 == 0 else (15, 16)


def played(scene: Scene, fps: float, seed: int, *, ankles: bool) -> list[tuple[str, int | None]]:
    walkers = scene.walkers if ankles else [replace(one, missing=without_ankles) for one in scene.walkers]
    frames = filmed(walkers, scene.seconds, fps, sigma_px=2.0, seed=seed)
    events = events_of(rules_of(rule=scene.rule), frames)
    if scene.rule["kind"] == "line":
        return [(event.data["direction"], event.data["track_id"]) for event in events]
    return kinds(events)


@pytest.mark.parametrize("name", [*LINES, *ZONES])
def test_events_are_those_of_the_script(name: str, thorough: bool) -> None:
    scene = LINES.get(name) or ZONES[name]
    for seed in range(10 if thorough else 1):
        for fps in RATES:
            for ankles in (True, False):
                found = played(scene, fps, seed, ankles=ankles)
                assert found == list(scene.truth), f"at {fps} frames a second, seed {seed}, ankles {ankles}"


def test_there_are_enough_scenes() -> None:
    assert (len(LINES) + len(ZONES)) * len(RATES) * 2 >= 300
