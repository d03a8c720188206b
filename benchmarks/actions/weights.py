"""The file with the weights of the built-in classifier, which also says from what they were made."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.actions import augmented, generated, sources, training, variants
from benchmarks.actions.examples import LABELS, Examples
from tracking.actions.builtin import WEIGHTS, Network
from tracking.actions.features import NAMES


def settings() -> dict[str, Any]:
    """All numbers of the script that the weights depend on, as they are in the file."""
    found = {
        "seeds": [sources.SEEDS.start, sources.SEEDS.stop],
        "shares": sources.SHARES,
        "copies": {"generated": generated.COPIES, **sources.COPIES},
        "room_seeds": generated.ROOM_SEEDS,
        "more_seeds": generated.MORE_SEEDS,
        "more": sorted(variants.MORE),
        "exercises": generated.EXERCISES,
        "fps": generated.FPS,
        "hidden": augmented.HIDDEN,
    }
    for module, names in (
        (training, ("HIDDEN", "MEMBERS", "STEPS", "BATCH", "RATE", "DECAY", "EVENNESS", "NOISE", "DECIMALS")),
        (augmented, ("STRETCHED", "PROPORTION", "MISPLACED", "HIDDEN_CHANCE", "FOLLOWED_CHANCE")),
        (generated, ("SETTLED_S", "SNAPSHOTS")),
        (variants, ("NEAREST_M", "FARTHEST_M", "LOWEST_M", "HIGHEST_M")),
    ):
        prefix = module.__name__.rpartition(".")[2]
        found |= {f"{prefix}_{name.lower()}": getattr(module, name) for name in names}
    return dict(json.loads(json.dumps(found)))


def probe() -> dict[str, Any]:
    """How many examples some scenes to train on give, and the mean of each feature over them.

    With them a test notices that scenes or features are no longer those that the weights were trained on.
    """
    scenes = generated.catalogue_scene("fall_left", 0), generated.room_scene("squats", 0)
    parts = [one for scene in scenes for one in generated.of_scene(*scene, place=0)]
    values = np.concatenate([one.values for one in parts])
    return {"examples": len(values), "means": np.round(values.mean(axis=0), 4).tolist()}


def digest_of(network: Network) -> str:
    """SHA-256 of the weights as they are stored."""
    return hashlib.sha256("".join(_stored(values) for values in network).encode()).hexdigest()


def made_from(network: Network, files: Mapping[str, str], trained_on: Mapping[str, sources.Source]) -> dict[str, Any]:
    """What the file says about where the weights come from; files: SHA-256 by name."""
    return {
        "settings": settings(),
        "files": dict(files),
        "examples": {name: _per_label(source.learned) for name, source in trained_on.items()},
        "probe": probe(),
        "numpy": np.__version__,
        "weights": digest_of(network),
    }


def write(network: Network, source: Mapping[str, Any], path: Path = WEIGHTS) -> None:
    """Write the weights in the form that the tracker reads."""
    lines = [f"{json.dumps('made_from')}: {json.dumps(source)}"]
    lines += [f"{json.dumps(name)}: {json.dumps(names)}" for name, names in (("labels", LABELS), ("features", NAMES))]
    lines += [f"{json.dumps(name)}: {_stored(values)}" for name, values in zip(Network._fields, network, strict=True)]
    path.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")


def read(path: Path = WEIGHTS) -> Network:
    """The weights of a file."""
    data = json.loads(path.read_text(encoding="utf-8"))
    return Network(*(np.array(data[name]) for name in Network._fields))


def differing(one: Network, other: Network) -> tuple[int, float]:
    """How many weights of two networks differ, and by how much at most; all of them if their shapes do."""
    count, largest = 0, 0.0
    for mine, theirs in zip(one, other, strict=True):
        if mine.shape != theirs.shape:
            return sum(values.size for values in one), float("inf")
        count += int((mine != theirs).sum())
        largest = max(largest, float(np.abs(mine - theirs).max()))
    return count, largest


def _per_label(examples: Examples) -> list[int]:
    return [int(count) for count in np.bincount(examples.labels, minlength=len(LABELS))]


def _stored(values: np.ndarray) -> str:
    return json.dumps(values.tolist(), separators=(",", ":"))
