"""The cache of 8-bit engines that were built ahead of time, and the record of each.

A JSON file beside the graph names the current graph and records how it was made. It is replaced last and in one step,
so that a worker finds either the old engine or the new one complete. The previous graph is kept until the next build,
for workers that still use it and may compile it for another frame shape.
"""

from __future__ import annotations

import json
import shlex
import shutil
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from posebus.config.settings import WorkerSettings
from posebus.contract.foreign_json import WRONG_DATA, load_object
from posebus.errors import EngineError, MalformedMessage
from workers.weights.compiled import compiled_folder
from workers.weights.export import exported_path
from workers.weights.weights import Weights, sha256_of

ENDING = "-int8.json"
HASH_LETTERS = 12


@dataclass(frozen=True, slots=True)
class BuiltEngine:
    """A built engine: its graph (an OpenVINO IR) and its record, `facts`, as passed to `install`."""

    graph: Path
    facts: dict[str, Any]

    @property
    def imgsz(self) -> int:
        """The longest side of the inputs with which it was calibrated and measured."""
        return int(self.facts["imgsz"])

    def in_words(self) -> str:
        """Return one line for people: the engine, and its comparison with fp32."""
        facts, report = self.facts, self.facts["report"]
        expected, missed = (report["all"][name] for name in ("people", "missed"))
        words = [f"{expected - missed} of fp32's {expected} people detected"]
        if report["ap"] is not None:
            words.append(f"AP {report['ap']:.3f} (fp32 {report['reference_ap']:.3f})")
        words.append(f"{facts['int8_ms']:.1f} ms per frame (fp32 {facts['fp32_ms']:.1f})")
        return f"{facts['weights']} int8 at {self.imgsz} px, built {facts['built_at']}: {', '.join(words)}"


def facts_path(weights: Weights, cache_dir: Path) -> Path:
    """Return the path of the record of the 8-bit engine of `weights`."""
    return exported_path(weights, cache_dir).with_suffix("").with_name(_stem(weights, cache_dir) + ENDING)


def find_built(weights: Weights, cache_dir: Path) -> BuiltEngine | None:
    """Return the 8-bit engine of `weights`, None where none was built; raises EngineError where it is damaged."""
    path = facts_path(weights, cache_dir)
    return read_built(path) if path.is_file() else None


def read_built(path: Path) -> BuiltEngine:
    """Return the engine whose record is in `path`; raises EngineError where it is damaged."""
    try:
        facts = load_object(path.read_bytes(), path.name)
        built = BuiltEngine(path.with_name(facts["graph"]), facts)
        whole = built.imgsz > 0 and built.graph.is_file() and built.graph.with_suffix(".bin").is_file()
    except (OSError, MalformedMessage, *WRONG_DATA) as error:
        raise EngineError(f"{path} is damaged: build the engine again") from error
    if not whole:
        raise EngineError(f"the files that {path} names are missing: build the engine again")
    return built


def list_built(cache_dir: Path) -> list[Path]:
    """Return the records of all built engines in the cache."""
    return sorted((cache_dir / "engines").glob(f"*{ENDING}"))


def build_command(settings: WorkerSettings) -> str:
    """Return the command that builds an 8-bit engine for these settings."""
    options = ["--precision int8", f"--imgsz {settings.plain_imgsz}"]
    if settings.model != type(settings).model_fields["model"].default:
        options.append(f"--model {shlex.quote(settings.model)}")
    if settings.allow_unknown_weights:
        options.append("--allow-unknown-weights")
    return f"posebus engines build {' '.join(options)} --calibrate VIDEO"


def install(graph: Path, weights: Weights, cache_dir: Path, facts: Mapping[str, Any]) -> BuiltEngine:
    """Move the finished `graph` (with its .bin beside it, on the cache's file system) and its `facts` into the cache.

    Raises OSError.
    """
    target = facts_path(weights, cache_dir)
    before = _graph_named_in(target)
    name = f"{_stem(weights, cache_dir)}-int8-{sha256_of(graph.with_suffix('.bin'))[:HASH_LETTERS]}.xml"
    complete = {**facts, "graph": name}
    moved = target.with_name(name)
    shutil.rmtree(compiled_folder(moved), ignore_errors=True)
    with suppress(FileNotFoundError):
        compiled_folder(graph).replace(compiled_folder(moved))
    # The weights first, so that a process that finds the graph finds them, too.
    for suffix in (".bin", ".xml"):
        graph.with_suffix(suffix).replace(moved.with_suffix(suffix))
    partial = graph.with_suffix(".json")
    partial.write_text(json.dumps(complete, indent=1) + "\n")
    partial.replace(target)
    for old in target.parent.glob(f"{_stem(weights, cache_dir)}-int8-*.xml"):
        if old.name not in (name, before):
            old.unlink()
            for suffix in (".bin", ".lock"):
                old.with_suffix(suffix).unlink(missing_ok=True)
            shutil.rmtree(compiled_folder(old), ignore_errors=True)
    return BuiltEngine(moved, complete)


def _stem(weights: Weights, cache_dir: Path) -> str:
    return exported_path(weights, cache_dir).stem


def _graph_named_in(path: Path) -> str | None:
    try:
        return str(load_object(path.read_bytes(), path.name)["graph"])
    except (OSError, MalformedMessage, *WRONG_DATA):
        return None
