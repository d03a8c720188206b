"""The results of the comparison as tables, for a terminal and in Markdown."""

from __future__ import annotations

import statistics
from collections.abc import Iterable
from dataclasses import dataclass

from benchmarks.common.hota import COUNTS, METRICS
from benchmarks.tracking.scores import Scores
from benchmarks.tracking.smoothness import HEIGHT_PX, Smoothness

NOTHING = "-"


@dataclass(frozen=True, slots=True)
class Table:
    """A title, a header, and rows of formatted cells; the first column is the name of the row."""

    title: str
    header: list[str]
    rows: list[list[str]]

    def text(self) -> str:
        """The table for a terminal: aligned columns with two blanks between them."""
        lines = [self.header, *self.rows]
        widths = [max(len(line[column]) for line in lines) for column in range(len(self.header))]
        return "\n".join([self.title, *("  " + _aligned(line, widths) for line in lines)])

    def markdown(self) -> str:
        """A heading and a Markdown table."""
        rule = ["---", *["---:"] * (len(self.header) - 1)]
        lines = ["| " + " | ".join(cells) + " |" for cells in (self.header, rule, *self.rows)]
        return "\n".join([f"### {self.title}", "", *lines])


def plain_table(title: str, lines: dict[str, Scores]) -> Table:
    """One row per tracker: all METRICS and the microseconds of an update."""
    rows = [
        [name, *(_metric(line, metric) for metric in METRICS), _number(line.get("us_per_frame"), 0)]
        for name, line in lines.items()
    ]
    return Table(title, ["", *METRICS, "us/frame"], rows)


def stress_table(title: str, metric: str, plain: dict[str, Scores], stressed: dict[str, dict[str, Scores]]) -> Table:
    """One row per tracker: `metric` over every frame, and under each stress with its change."""
    rows = []
    for name, line in plain.items():
        cells = [name, _metric(line, metric)]
        for lines in stressed.values():
            under = lines.get(name)
            cells.append(NOTHING if under is None else f"{under[metric]:.3f} {under[metric] - line[metric]:+.3f}")
        rows.append(cells)
    return Table(f"{title}: {metric} under stress, and its change", ["", "every frame", *stressed], rows)


def scenes_table(title: str, scenes: dict[str, dict[str, Scores]], *, timed: bool) -> Table:
    """One row per tracker: HOTA, IDF1 and, if `timed`, microseconds for each of the scenes."""
    names = list(dict.fromkeys(name for lines in scenes.values() for name in lines))
    header = [""]
    for scene in scenes:
        header += [f"{scene}: HOTA", "IDF1", *(["us/frame"] if timed else [])]
    rows = []
    for name in names:
        cells = [name]
        for lines in scenes.values():
            line = lines.get(name, {})
            cells += [_metric(line, "HOTA"), _metric(line, "IDF1")]
            cells += [_number(line.get("us_per_frame"), 0)] if timed else []
        rows.append(cells)
    return Table(title, header, rows)


def smoothness_table(lines: list[Smoothness]) -> Table:
    """Error, tremble and lag of our tracker, compared with those of its detections."""
    rows = [
        [
            f"{line.scene}, {line.points}, {line.fps:g} fps",
            _part(line.raw_error_px),
            _part(line.error_px),
            _part(line.raw_tremble_px),
            _part(line.tremble_px),
            f"{line.lag_ms:.0f}" if line.scene == "running" else NOTHING,
            f"{100 * line.reported:.0f} %",
            str(line.ids),
        ]
        for line in lines
    ]
    header = ["px (% of body height)", "error in", "out", "tremble in", "out", "lag ms", "reported", "ids"]
    return Table(f"smoothness of posebus, body of {HEIGHT_PX:.0f} px", header, rows)


def mean_lines(sequences: Iterable[dict[str, Scores]]) -> dict[str, Scores]:
    """Plain means over sequences for the trackers that all of them have; COUNTS are summed."""
    all_lines = list(sequences)
    means: dict[str, Scores] = {}
    for name in all_lines[0]:
        if all(name in lines for lines in all_lines):
            of_name = [lines[name] for lines in all_lines]
            means[name] = {
                metric: (sum if metric in COUNTS else statistics.fmean)([line[metric] for line in of_name])
                for metric in of_name[0]
            }
    return means


def _aligned(cells: list[str], widths: list[int]) -> str:
    first, *others = [
        cell.rjust(width) if column else cell.ljust(width)
        for column, (cell, width) in enumerate(zip(cells, widths, strict=True))
    ]
    return "  ".join([first, *others]).rstrip()


def _metric(line: Scores, metric: str) -> str:
    return _number(line.get(metric), 0 if metric in COUNTS else 3)


def _number(value: float | None, digits: int) -> str:
    return NOTHING if value is None else f"{value:.{digits}f}"


def _part(value_px: float) -> str:
    return f"{value_px:.2f} ({100 * value_px / HEIGHT_PX:.1f})"
