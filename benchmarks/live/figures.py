"""The figures of one load, computed from the frames whose tracks were published. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True)
class Sample:
    """One frame: `age_ms` from capture to the publication of its tracks, `inference_ms` of that in the engine."""

    camera: str
    seq: int
    age_ms: float
    inference_ms: float


@dataclass(frozen=True, slots=True)
class LoadFigures:
    """`rate_spread`: (highest - lowest) / mean of the cameras' rates. `*_ms`: (median, 95 %, 99 %)."""

    offered_fps: float
    done_fps: float
    rate_spread: float
    age_ms: tuple[float, float, float]
    inference_ms: tuple[float, float, float]
    beside_ms: tuple[float, float, float]
    skipped: Mapping[str, int]
    memory_mb: tuple[float, float]


def figures(
    samples: Sequence[Sample],
    cameras: Sequence[str],
    seconds: float,
    fps: float,
    skipped: Mapping[str, int],
    memory_mb: tuple[float, float],
) -> LoadFigures:
    """The figures of `samples` within `seconds`, where each of `cameras` offered `fps`."""
    counts = Counter(sample.camera for sample in samples)
    rates = np.array([counts[camera] / seconds for camera in cameras])
    ages = np.array([sample.age_ms for sample in samples])
    inference = np.array([sample.inference_ms for sample in samples])
    return LoadFigures(
        offered_fps=fps * len(cameras),
        done_fps=len(samples) / seconds,
        rate_spread=float((rates.max() - rates.min()) / max(rates.mean(), 1e-9)),
        age_ms=quantiles(ages),
        inference_ms=quantiles(inference),
        beside_ms=quantiles(ages - inference),
        skipped=skipped,
        memory_mb=memory_mb,
    )


def quantiles(values: np.ndarray[tuple[int], np.dtype[np.float64]]) -> tuple[float, float, float]:
    """Median, 95 % and 99 %; NaN without values."""
    if not len(values):
        return (float("nan"),) * 3
    low, middle, high = np.percentile(values, (50, 95, 99))
    return round(float(low), 1), round(float(middle), 1), round(float(high), 1)


def table(loads: Sequence[float], found: Sequence[LoadFigures], capacity_fps: float, cameras: int, workers: int) -> str:
    """The table in Markdown."""
    lines = [
        f"{cameras} cameras, workers: {workers}, capacity {capacity_fps:.1f} fps\n",
        "| load | offered fps | done fps | spread of rates | age ms 50 / 95 / 99 % | engine ms 50 / 99 % "
        "| outside the engine ms 50 / 95 / 99 % | skipped | memory of workers and tracker MB |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for load, one in zip(loads, found, strict=True):
        skips = ", ".join(f"{count} {reason}" for reason, count in sorted(one.skipped.items())) or "none"
        lines.append(
            f"| {load:.0%} | {one.offered_fps:.1f} | {one.done_fps:.1f} | {one.rate_spread:.1%} "
            f"| {_slashed(one.age_ms)} | {one.inference_ms[0]:.1f} / {one.inference_ms[2]:.1f} "
            f"| {_slashed(one.beside_ms)} | {skips} | {one.memory_mb[0]:.0f} → {one.memory_mb[1]:.0f} |"
        )
    return "\n".join(lines)


def _slashed(values: Sequence[float]) -> str:
    return " / ".join(f"{value:.1f}" for value in values)
