"""The results of the policies as a table and a plot."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from benchmarks.economy.tracks import KeptTracks

HEAD = (
    "policy",
    "frames inferred",
    "inferences / h",
    "GFLOP / h",
    "CPU s / h",
    "of the reference",
    "CPU s in all",
    "recall",
    "HOTA",
    "IDF1",
    "tracks lost",
    "shortened",
)
QUALITIES = ("recall", "HOTA", "IDF1")
COLOURS = ("#000000", "#7f7f7f", "#0072b2", "#d55e00", "#009e73", "#56b4e9", "#cc79a7", "#c1272d", "#e69f00")
MARKERS = ("s", "D", "o", "^", "v", "<", "P", "*", "X")


@dataclass(frozen=True, slots=True)
class PolicyResult:
    """One policy on one recording. cpu_s, wall_s: of each run. start_cpu_s: of the runs over a few frames.

    quality: None for the reference where its own tracks are the truth. kept: None without a reference.
    """

    title: str
    video_s: float
    frames: int
    inferred: int
    inferences: float
    gflops: float
    cpu_s: tuple[float, ...]
    start_cpu_s: tuple[float, ...]
    wall_s: tuple[float, ...]
    quality: dict[str, float] | None
    kept: KeptTracks | None

    @property
    def per_hour(self) -> float:
        """The factor from figures of this recording to those of a camera-hour."""
        return 3600.0 / self.video_s

    @property
    def cpu_per_hour_s(self) -> float:
        """Processor time of a camera-hour without start-up; medians of the runs."""
        return max(0.0, statistics.median(self.cpu_s) - self.start_s) * self.per_hour

    @property
    def start_s(self) -> float:
        """The median processor time of start-up."""
        return statistics.median(self.start_cpu_s)

    def as_dict(self) -> dict[str, Any]:
        """The result as JSON values."""
        return {**asdict(self), "kept": None if self.kept is None else self.kept._asdict()}


def table(lines: Mapping[str, PolicyResult], reference: str) -> str:
    """The table of one recording in Markdown, with the policies in their order."""
    rows = [f"| {' | '.join(HEAD)} |", "|" + "---|" * len(HEAD)]
    base = lines.get(reference)
    for line in lines.values():
        quality = [f"{line.quality[name]:.3f}" if line.quality else "-" for name in QUALITIES]
        tracks = ["-", "-"]
        if line.kept is not None:
            tracks = [f"{line.kept.lost} of {line.kept.tracks}", str(line.kept.shortened)]
        cells = (
            line.title,
            f"{line.inferred} of {line.frames}",
            f"{line.inferences * line.per_hour:,.0f}",
            f"{line.gflops * line.per_hour:,.0f}",
            f"{line.cpu_per_hour_s:,.0f}",
            _share(line, base),
            f"{statistics.median(line.cpu_s):.1f}",
            *quality,
            *tracks,
        )
        rows.append(f"| {' | '.join(cells)} |")
    return "\n".join(rows)


def _share(line: PolicyResult, base: PolicyResult | None) -> str:
    """Processor time as a part of the reference's."""
    if base is None or base.cpu_per_hour_s <= 0:
        return "-"
    return f"{line.cpu_per_hour_s / base.cpu_per_hour_s:.3f}"


def draw(path: Path, title: str, clips: Mapping[str, Mapping[str, PolicyResult]]) -> None:
    """Write a PNG: for each recording a row of plots, one for each of QUALITIES over GFLOP for a camera-hour (log)."""
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt
    from matplotlib.lines import Line2D

    names = list(dict.fromkeys(line.title for lines in clips.values() for line in lines.values()))
    styles = {name: (COLOURS[i % len(COLOURS)], MARKERS[i % len(MARKERS)]) for i, name in enumerate(names)}
    figure, panels = plt.subplots(
        len(clips), len(QUALITIES), figsize=(13, 3.2 * len(clips) + 1), dpi=130, layout="constrained", squeeze=False
    )
    for row, (clip, lines) in zip(panels, clips.items(), strict=True):
        for panel, quality in zip(row, QUALITIES, strict=True):
            _panel(panel, quality, list(lines.values()), styles)
            panel.set_title(f"{clip}: {quality}", fontsize=10)
        row[0].set_ylabel("of the truth, or of the reference")
    for panel in panels[-1]:
        panel.set_xlabel("GFLOP of the network for a camera-hour")
    marks = [
        Line2D([], [], color=colour, marker=mark, linestyle="", label=name) for name, (colour, mark) in styles.items()
    ]
    figure.legend(handles=marks, loc="outside lower center", ncols=min(5, len(marks)), frameon=False)
    figure.suptitle(title)
    figure.savefig(path)
    plt.close(figure)


def _panel(panel: Any, quality: str, lines: Sequence[PolicyResult], styles: Mapping[str, tuple[str, str]]) -> None:
    for line in lines:
        colour, mark = styles[line.title]
        value = 1.0 if line.quality is None else line.quality[quality]
        panel.plot(max(1.0, line.gflops * line.per_hour), value, marker=mark, color=colour, markersize=8, linestyle="")
    panel.set_xscale("log")
    panel.spines[["top", "right"]].set_visible(False)
    panel.grid(alpha=0.2)
