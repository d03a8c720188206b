"""How exactly the motion of a camera is estimated, beside the estimators that BoT-SORT uses in ultralytics.

    python -m benchmarks.camera_motion [--data ../shared/data] [--peers sparseOptFlow orb ecc] [--only PATH]
        [--places NAME …] [--out FILE.md]

A window of 60 % of the width of real pictures (three clips in which people move, and single pictures) is moved along
known paths and drawn in 1280x720. Error: of a corner of the picture, in px, from one frame to the next; of the end:
from the shot's first frame to its last. A false cut is a shot that begins where none does.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np

from benchmarks.camera_motion.obstacles import DAMAGES, Damage, passing
from benchmarks.camera_motion.paths import PATHS
from benchmarks.camera_motion.paths import Path as CameraPath
from benchmarks.camera_motion.pictures import SEEN_PX, Moved, Place, places, seen
from benchmarks.camera_motion.sides import PEERS, SIDES, Side
from benchmarks.common.output import print_and_write
from benchmarks.common.paths import DATA
from posebus.arrays import Float64Array, UInt8Array

HEAD = "| path | estimator | error: median | 95 % | largest | of the end | false cuts | missed | ms: median | 95 % |"
DAMAGED_PATHS = ("still", "shake 10 fps")
TRUCKS = {"a truck hides half the view": 0.5, "a truck hides 80 % of the view": 0.8}


@dataclass
class Figures:
    """Errors in px, times in s, and cuts, of all places together."""

    errors_px: list[float] = field(default_factory=list)
    ends_px: list[float] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    false_cuts: int = 0
    missed_cuts: int = 0

    def row(self, *names: str) -> str:
        """A row of the table."""
        errors, ms = np.array(self.errors_px or [0.0]), 1000 * np.array(self.seconds)
        shown = [f"{np.median(errors):.2f}", f"{np.percentile(errors, 95):.2f}", f"{errors.max():.1f}"]
        shown += [f"{np.median(self.ends_px):.1f}", str(self.false_cuts), str(self.missed_cuts)]
        shown += [f"{np.median(ms):.2f}", f"{np.percentile(ms, 95):.2f}"]
        return f"| {' | '.join((*names, *shown))} |"


def main() -> None:
    """Print the tables, and write them if --out is given."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=DATA, help="folder of the clips")
    parser.add_argument("--peers", nargs="*", default=PEERS, choices=PEERS, help="methods of ultralytics beside ours")
    parser.add_argument("--only", default="", help="only paths whose name contains this")
    parser.add_argument("--places", nargs="*", help="only places of these names, such as TUD-Stadtmitte bus")
    parser.add_argument("--out", type=Path, help="also write the tables to this file")
    options = parser.parse_args()
    cv2.setNumThreads(1)
    looked_at = [place for place in places(options.data) if not options.places or place.name in options.places]
    print_and_write(report(looked_at, options.peers, options.only), options.out)


def report(looked_at: Sequence[Place], peers: Sequence[str], only: str = "") -> Iterator[str]:
    """The tables, line by line."""
    names = ["posebus", *(f"ultralytics {method}" for method in peers)]
    yield f"{HEAD}\n|{'---|' * 10}"
    for path in PATHS:
        if only in path.name:
            for name, figures in measured(path, names, looked_at).items():
                yield figures.row(path.name, name)
    yield f"\n{HEAD.replace('path', 'path, damage')}\n|{'---|' * 10}"
    truck = cv2.resize(looked_at[-1].pictures[0], SEEN_PX)
    damages = {**DAMAGES, **{name: passing(truck, share) for name, share in TRUCKS.items()}}
    for path in PATHS:
        if only in path.name and path.name in DAMAGED_PATHS:
            for damage, damaged in damages.items():
                figures = measured(path, names[:1], looked_at, damaged)[names[0]]
                yield figures.row(f"{path.name}, {damage}", names[0])


def measured(
    path: CameraPath, names: Sequence[str], looked_at: Sequence[Place], damage: Damage | None = None
) -> dict[str, Figures]:
    """The figures of the estimators along `path` at all places."""
    figures = {name: Figures() for name in names}
    for number, here in enumerate(looked_at):
        there = looked_at[(number + 4) % len(looked_at)]
        judges = [Judge(SIDES[name](), figures[name]) for name in names]
        for index, frame in enumerate(seen(here, path, there)):
            picture = frame.picture if damage is None else damage(frame.picture, index)
            for judge in judges:
                judge.judge(frame, picture, round(index * 1e9 / path.fps))
        for judge in judges:
            judge.end()
    return figures


class Judge:
    """Compares one estimator with the truth, from frame to frame of one camera."""

    def __init__(self, side: Side, figures: Figures) -> None:
        self._side = side
        self._figures = figures
        self._first: tuple[Float64Array, Float64Array] | None = None
        self._before: tuple[Float64Array, Float64Array] | None = None

    def judge(self, frame: Moved, picture: UInt8Array, captured_at_ns: int) -> None:
        """Let the estimator follow the `picture` of `frame`."""
        figures = self._figures
        found, begins = self._side.follow(picture, captured_at_ns)
        figures.seconds.append(self._side.seconds)
        figures.false_cuts += begins and not frame.cut
        figures.missed_cuts += frame.cut and not begins
        if self._first is None or frame.cut or begins:
            self._first, self._before = (found, frame.from_whole), None
        since, true = found @ np.linalg.inv(self._first[0]), frame.from_whole @ np.linalg.inv(self._first[1])
        if self._before is not None:
            step, true_step = since @ np.linalg.inv(self._before[0]), true @ np.linalg.inv(self._before[1])
            figures.errors_px.append(_corners_apart_px(step, true_step))
        self._before = since, true

    def end(self) -> None:
        """The last frame has been judged."""
        if self._before is not None:
            self._figures.ends_px.append(_corners_apart_px(*self._before))


def _corners_apart_px(one: Float64Array, other: Float64Array) -> float:
    width, height = SEEN_PX
    corners = np.array(((0, width, width, 0), (0, 0, height, height), (1, 1, 1, 1)), np.float64)
    apart = ((one - other) @ corners)[:2]
    return float(np.hypot(apart[0], apart[1]).max())
