"""The examples of all sources: those to train on, and those to judge by, which nothing is trained on."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.actions.augmented import augmented, augmented_poses
from benchmarks.actions.examples import Examples, joined
from benchmarks.actions.generated import judged, learned
from benchmarks.actions.open_skeletons import Segment, kit_poses, of_kit, of_segments, scene_segments
from benchmarks.actions.training import trained
from posebus.arrays import Float64Array
from tracking.actions.builtin import Network

SEEDS, TEST_SEEDS = range(20), range(1000, 1010)
"""Of generated scenes: to train on, and to judge by."""

SHARES = {"generated": 0.65, "scenes": 0.2, "kit": 0.15}
"""Of the weight of the examples that each source brings."""

COPIES = {"scenes": 2, "kit": 1}
"""Of each recording or pose to train on, changed by `augmented`."""

SCENES_FILES = ("data.csv", "data_under_scene.csv")
GET_KIT = "pip download --no-deps pose-classification-kit==1.1.5"


@dataclass(frozen=True, slots=True)
class Source:
    """Examples of one source: those to train on, those to judge by, and all that are judged where nothing of the source
    is trained on."""

    learned: Examples
    late: Examples
    whole: Examples


def sources_of(data: Path, kit: Path) -> dict[str, Source]:
    """All sources by name. Raises SystemExit with one sentence if a file is missing."""
    for name in SCENES_FILES:
        if not (data / name).is_file():
            raise SystemExit(f"there is no {name} in {data}: name the folder of the skeletons with --data")
    if not kit.is_file():
        raise SystemExit(f"there is no file {kit}: get it with `{GET_KIT}`, and name it with --kit")
    generated = joined(judged(TEST_SEEDS))
    return {
        "generated": Source(joined(learned(SEEDS)), generated, generated),
        "scenes": _scenes(scene_segments(data)),
        "kit": _kit(kit_poses(kit)),
    }


def digests_of(data: Path, kit: Path) -> dict[str, str]:
    """SHA-256 of the files of the sources, by name."""
    files = [*(data / name for name in SCENES_FILES), kit]
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def train_on(sources: dict[str, Source], names: Sequence[str]) -> Network:
    """The network that these sources give."""
    weights = [np.full(len(sources[name].learned), SHARES[name] / len(sources[name].learned)) for name in names]
    return trained(joined([sources[name].learned for name in names]), np.concatenate(weights))


def _scenes(segments: list[Segment]) -> Source:
    early, late = [one for one in segments if not one.late], [one for one in segments if one.late]
    parts = [of_segments(early)]
    for place, one in enumerate(early):
        for copy in range(COPIES["scenes"]):
            rng = np.random.default_rng([6, place, copy])
            frames = augmented(one.frames(), rng, moves=one.action in ("Walking", "Running"))
            parts.append(of_segments([one], [frames]))
    return Source(joined(parts), of_segments(late), of_segments(segments))


def _kit(poses: dict[str, Float64Array]) -> Source:
    rng = np.random.default_rng(8)
    parts = [of_kit(poses, late=False)]
    for _ in range(COPIES["kit"]):
        changed = {
            label: np.array([augmented_poses(one[None], rng)[0] for one in found]) for label, found in poses.items()
        }
        parts.append(of_kit(changed, late=False))
    return Source(joined(parts), of_kit(poses, late=True), of_kit(poses))
