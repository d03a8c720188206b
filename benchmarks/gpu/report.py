"""The measurements of `benchmarks.gpu`, as tables in Markdown and as JSON."""

from __future__ import annotations

import json
import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

CAMERA_FPS = 15.0
TARGET_RATIO = 0.9
HELD_BATCHES = 4
"""Batches that a worker has in flight: three in the engine and one that is being collected
(workers/inference/pipeline.py)."""


@dataclass(frozen=True, slots=True)
class BareRun:
    """One run of the engine alone, kept full with prepared pictures."""

    run: int
    batch: int
    fps: float


@dataclass(frozen=True, slots=True)
class PipelineRun:
    """One run of the pipeline: `workers` processes that together answer `fps` frames a second.

    gpu_percent, gpu_memory_mb: nvidia-smi's means, None without it. waiting: the median number of frames in the broker;
    if it is smaller than the number in flight, the workers were not fed fast enough.
    """

    run: int
    batch: int
    workers: int
    fps: float
    waiting: float
    gpu_percent: float | None = None
    gpu_memory_mb: float | None = None


@dataclass(frozen=True, slots=True)
class PeerRun:
    """One run of ultralytics' `model.track`."""

    run: int
    fps: float


@dataclass
class Measurements:
    """All runs, in the order in which they were made, and a description of the machine."""

    machine: dict[str, Any]
    bare: list[BareRun] = field(default_factory=list)
    ours: list[PipelineRun] = field(default_factory=list)
    theirs: list[PeerRun] = field(default_factory=list)

    def write(self, path: Path) -> None:
        """Write the measurements as JSON."""
        path.write_text(json.dumps(asdict(self), indent=1) + "\n")


def ratios(measured: Measurements, batch: int, workers: int) -> list[float]:
    """Pipeline compared with the bare engine of the same batch and run, because only neighbours in time are
    comparable."""
    bare = {one.run: one.fps for one in measured.bare if one.batch == batch}
    return [
        one.fps / bare[one.run]
        for one in measured.ours
        if one.batch == batch and one.workers == workers and one.run in bare
    ]


def report(measured: Measurements) -> str:
    """The report in Markdown."""
    parts = [", ".join(f"{name} {value}" for name, value in measured.machine.items())]
    if measured.bare:
        parts.append("| batch | bare engine, frames/s |\n|---|---|\n" + "\n".join(_bare_rows(measured)))
    if measured.ours:
        head = (
            "| batch | workers | frames/s | of bare | cameras at 15 fps | GPU busy | GPU memory | in broker |\n"
            "|---|---|---|---|---|---|---|---|\n"
        )
        parts.append(head + "\n".join(_our_rows(measured)))
        parts.append(_verdict(measured))
    if measured.theirs:
        parts.append(f"ultralytics `model.track`, one stream: {_spread([one.fps for one in measured.theirs])} frames/s")
    return "\n\n".join(parts)


def _bare_rows(measured: Measurements) -> list[str]:
    batches = sorted({one.batch for one in measured.bare})
    return [f"| {batch} | {_spread([b.fps for b in measured.bare if b.batch == batch])} |" for batch in batches]


def _our_rows(measured: Measurements) -> list[str]:
    rows = []
    for batch, workers in _setups(measured):
        runs = [one for one in measured.ours if (one.batch, one.workers) == (batch, workers)]
        found = ratios(measured, batch, workers)
        rows.append(
            f"| {batch} | {workers} | {_spread([one.fps for one in runs])} "
            f"| {f'{statistics.median(found):.2f}' if found else '-'} "
            f"| {int(statistics.median(one.fps for one in runs) / CAMERA_FPS)} "
            f"| {_mean([one.gpu_percent for one in runs], ' %')} | {_mean([one.gpu_memory_mb for one in runs], ' MB')} "
            f"| {_waiting(statistics.median(one.waiting for one in runs), batch, workers)} |"
        )
    return rows


def held_frames(batch: int, workers: int) -> int:
    """Frames that `workers` workers have in flight."""
    return HELD_BATCHES * batch * workers


def _waiting(frames: float, batch: int, workers: int) -> str:
    return f"{frames:.0f}" if frames >= held_frames(batch, workers) else f"{frames:.0f} (too few)"


def _verdict(measured: Measurements) -> str:
    best = {setup: statistics.median(found) for setup in _setups(measured) if (found := ratios(measured, *setup))}
    if not best:
        return "No pipeline was measured together with its bare engine."
    (batch, workers), ratio = max(best.items(), key=lambda item: item[1])
    verdict = "reached" if ratio >= TARGET_RATIO else "missed"
    return (
        f"Target of {TARGET_RATIO} of the bare engine: {verdict} ({ratio:.2f} at batch {batch} with {workers} workers)."
    )


def _setups(measured: Measurements) -> list[tuple[int, int]]:
    return sorted({(one.batch, one.workers) for one in measured.ours})


def _spread(values: Sequence[float]) -> str:
    middle = f"{statistics.median(values):.1f}"
    return middle if len(values) == 1 else f"{middle} ({min(values):.1f} to {max(values):.1f})"


def _mean(values: Sequence[float | None], unit: str) -> str:
    known = [value for value in values if value is not None]
    return f"{statistics.mean(known):.0f}{unit}" if known else "-"
