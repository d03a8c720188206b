"""Falls in scripted scenes with known truth: how many are found, and how many events are none.

python -m benchmarks.rules.falls [--seeds 1000-1010] [--tracker]

The scenes come from `benchmarks.skeletons`. The rule was fitted on the seeds 0 to 60: other people, cameras and errors.
"""

from __future__ import annotations

import argparse
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import numpy as np

from benchmarks.scenes.camera import Camera
from benchmarks.skeletons.kinds import FALLS, KINDS
from benchmarks.skeletons.scene import SkeletonScene, scene
from posebus.messages import Event, TrackFrame
from tracking.rules import Rules
from tracking.tracker import PoseTracker

RATES = (5.0, 8.0, 12.0, 15.0, 20.0, 30.0)
HELD_OUT = "1000-1009"
LATE_S, EARLY_S = 3.5, 0.3
"""How long after the end of a fall, and before its start, an event counts as its own."""

RULES = {"floor": {"kind": "fall", "fallen_s": 3.0}}


@dataclass(slots=True)
class Counts:
    """Of one row of the report."""

    scenes: int = 0
    falls: int = 0
    found: int = 0
    false: int = 0
    wrong: list[str] = field(default_factory=list)

    def add(self, fell: bool, found: bool, false: int, name: str) -> None:
        """Add a scene."""
        self.scenes, self.falls, self.found = self.scenes + 1, self.falls + fell, self.found + found
        self.false += false
        if false or found != fell:
            self.wrong.append(name)

    def row(self, label: str) -> str:
        """As a row of a Markdown table."""
        recall = f"{self.found / self.falls:.3f}" if self.falls else ""
        precision = f"{self.found / (self.found + self.false):.3f}" if self.found + self.false else ""
        return f"| {label} | {self.scenes} | {self.falls} | {self.found} | {self.false} | {recall} | {precision} |"


def camera_of(seed: int) -> Camera:
    """A camera 1.0 to 3.4 m above the ground that looks at people about 7 m away."""
    rng = np.random.default_rng([seed, 777])
    height_m = rng.uniform(1.0, 3.4)
    size_px = ((640, 480), (1280, 720), (1920, 1080), (768, 576))[rng.integers(4)]
    tilt = np.arctan2(height_m - rng.uniform(0.4, 1.2), 7.0)
    return Camera(size_px, float(rng.uniform(0.6, 1.05)) * size_px[0], float(height_m), float(tilt))


def events_of(frames: Iterable[TrackFrame], size_px: tuple[int, int]) -> list[Event]:
    """The events of one rule about falls."""
    rules = Rules(RULES, "scene", size_px)
    found = [event for frame in frames for event in rules.update(frame)]
    if rules.problems:
        raise RuntimeError(str(rules.problems))
    return found


def tracked(made: SkeletonScene) -> Iterator[TrackFrame]:
    """The scene through the real tracker."""
    tracker = PoseTracker()
    return (tracker.update(frame) for frame in made.pose_frames())


def judged(made: SkeletonScene, events: Iterable[Event]) -> tuple[bool, bool, int]:
    """Whether the scene has a fall, whether it was found, and the number of other events of a fall."""
    falls = [interval for interval in made.truth if interval.label == "fall"]
    times_s = [event.time_ns / 1e9 for event in events if event.type == "posebus.fall.detected"]
    if not falls:
        return False, False, len(times_s)
    own = [falls[0].start_s - EARLY_S <= time_s <= falls[-1].end_s + LATE_S for time_s in times_s]
    return True, any(own), len(times_s) - any(own)


def main(arguments: list[str] | None = None) -> int:
    """Print the tables; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", default=HELD_OUT, help="first and last seed of each kind")
    parser.add_argument("--kinds", default="", help="kinds of scenes, separated by commas; all by default")
    parser.add_argument("--tracker", action="store_true", help="through the real tracker, instead of perfect tracks")
    chosen = parser.parse_args(arguments)
    first, last = (int(part) for part in chosen.seeds.split("-"))
    by_kind: dict[str, Counts] = defaultdict(Counts)
    by_rate: dict[float, Counts] = defaultdict(Counts)
    total = Counts()
    for kind in chosen.kinds.split(",") if chosen.kinds else KINDS:
        for seed in range(first, last + 1):
            rate = RATES[seed % len(RATES)]
            made = scene(kind, rate, seed, camera=camera_of(seed))
            frames = tracked(made) if chosen.tracker else made.track_frames()
            result = judged(made, events_of(frames, made.size_px))
            for counts in (by_kind[kind], by_rate[rate], total):
                counts.add(*result, f"{kind}/{seed}")
    heading = "scenes | falls | found | false | recall | precision |"
    for title, table in (("kind", by_kind), ("frames a second", by_rate)):
        print(f"| {title} | {heading}\n|---|---|---|---|---|---|---|")
        for label, counts in table.items():
            print(counts.row(str(label)))
        print()
    print(total.row("all"), "\nwrong:", ", ".join(total.wrong))
    false_elsewhere = sum(counts.false for kind, counts in by_kind.items() if kind not in FALLS)
    print(f"false falls in scenes without one: {false_elsewhere}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
