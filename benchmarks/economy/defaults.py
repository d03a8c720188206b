"""`posebus run` without options beside fixed sizes: people found, processor time, and HOTA where there is a truth.

    python -m benchmarks.economy.defaults vtest.avi TUD-Stadtmitte.mp4 --truth TUD-Stadtmitte.gt.txt --runs 3

The runs of the three sides alternate. Processor time is that of all processes from start to end; figures are medians.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks.common.hota import score_mot
from benchmarks.common.mot import read_mot
from benchmarks.economy.policies import Policy
from benchmarks.economy.run import PolicyRun, run
from posebus.views import View

SIDES = {
    "defaults": Policy("defaults", (), View(640)),
    "640": Policy("640", ("--imgsz", "640"), View(640)),
    "1280": Policy("1280", ("--imgsz", "1280"), View(1280)),
}


@dataclass(frozen=True, slots=True)
class SideResult:
    """One run: processor seconds, confirmed people a frame, and HOTA (None without a ground truth)."""

    cpu_s: float
    people: float
    hota: float | None


def main() -> None:
    """Print a table for each clip."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("videos", type=Path, nargs="+", help="clips to run over")
    parser.add_argument("--truth", type=Path, nargs="*", default=(), help="MOTChallenge files named like their clips")
    parser.add_argument("--sides", nargs="+", choices=SIDES, default=list(SIDES), help="what to compare")
    parser.add_argument("--runs", type=int, default=3, help="number of alternating runs")
    arguments = parser.parse_args()
    truths = {path.name.partition(".")[0]: path for path in arguments.truth}
    for video in arguments.videos:
        found: dict[str, list[SideResult]] = {side: [] for side in arguments.sides}
        for _ in range(arguments.runs):
            for side in arguments.sides:
                found[side].append(_measure(video.resolve(), SIDES[side], truths.get(video.stem)))
        print("\n".join(_table(video.name, found)), flush=True)


def _measure(video: Path, policy: Policy, truth: Path | None) -> SideResult:
    with tempfile.TemporaryDirectory() as name:
        result: PolicyRun = run(video, Path(name) / "out", policy)
        people = sum(map(len, read_mot(result.mot).values())) / result.frames
        hota = None if truth is None else score_mot(truth, result.mot)["HOTA"]
    return SideResult(result.cpu_s, people, hota)


def _table(name: str, found: dict[str, list[SideResult]]) -> Iterator[str]:
    yield f"\n{name}\n\n| side | people a frame | HOTA | processor seconds |\n|---|---|---|---|"
    for side, results in found.items():
        hotas = [one.hota for one in results if one.hota is not None]
        hota = f"{statistics.median(hotas):.4f}" if hotas else "-"
        people = statistics.median(one.people for one in results)
        yield f"| {side} | {people:.3f} | {hota} | {statistics.median(one.cpu_s for one in results):.2f} |"


if __name__ == "__main__":
    main()
