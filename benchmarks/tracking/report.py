"""The results of the comparison, written as JSON, as Markdown and as plots."""

from __future__ import annotations

import json
import os
import platform
from dataclasses import asdict, dataclass, field
from importlib import metadata
from pathlib import Path
from typing import Any

from benchmarks.tracking.plot import draw
from benchmarks.tracking.scores import Scores
from benchmarks.tracking.smoothness import Smoothness
from benchmarks.tracking.table import (
    Table,
    mean_lines,
    plain_table,
    scenes_table,
    smoothness_table,
    stress_table,
)

LIBRARIES = ("ultralytics", "trackers", "supervision", "boxmot", "norfair", "trackeval", "numpy", "opencv-python")


@dataclass(frozen=True, slots=True)
class SequenceResult:
    """One clip with ground truth: its poses, then scores by tracker, and by stress and tracker."""

    name: str
    frames: int
    fps: float
    model: str
    imgsz: int
    plain: dict[str, Scores]
    stressed: dict[str, dict[str, Scores]] = field(default_factory=dict)

    def tables(self) -> list[Table]:
        """The table over every frame, and, where there were stresses, HOTA and IDF1 under them."""
        title = f"{self.name}: {self.frames} frames, {self.fps:g} a second, {self.model} at {self.imgsz}"
        under_stress = [stress_table(self.name, metric, self.plain, self.stressed) for metric in ("HOTA", "IDF1")]
        return [plain_table(title, self.plain), *(under_stress if self.stressed else [])]


@dataclass(slots=True)
class ComparisonReport:
    """All results so far; scenes: scores by kind of synthetic scene; crowds: by people a frame."""

    sequences: list[SequenceResult] = field(default_factory=list)
    scenes: dict[str, dict[str, Scores]] = field(default_factory=dict)
    crowds: dict[int, dict[str, Scores]] = field(default_factory=dict)
    smoothness: list[Smoothness] = field(default_factory=list)

    def tables(self) -> list[Table]:
        """All tables, in the order in which they are printed."""
        tables = [table for sequence in self.sequences for table in sequence.tables()]
        if len(self.sequences) > 1:
            tables.append(self.mean_table())
        if self.scenes:
            tables.append(self.scenes_table())
        if self.crowds:
            tables.append(self.crowds_table())
        if self.smoothness:
            tables.append(smoothness_table(self.smoothness))
        return tables

    def mean_table(self) -> Table:
        """Plain means over the sequences."""
        title = f"mean of {len(self.sequences)} sequences (IDSW and Frag: sums)"
        return plain_table(title, mean_lines(sequence.plain for sequence in self.sequences))

    def scenes_table(self) -> Table:
        """HOTA and IDF1 on each kind of synthetic scene."""
        return scenes_table("synthetic scenes", self.scenes, timed=False)

    def crowds_table(self) -> Table:
        """HOTA, IDF1 and microseconds in crowds."""
        crowds = {str(people): lines for people, lines in self.crowds.items()}
        return scenes_table("synthetic crowds, people a frame", crowds, timed=True)

    def write(self, folder: Path) -> None:
        """Write results.json, results.md, and NAME.png for each sequence and crowd."""
        folder.mkdir(parents=True, exist_ok=True)
        here = {**machine(), "load_1min": round(os.getloadavg()[0], 1)}
        found = {
            "machine": here,
            "sequences": [asdict(sequence) for sequence in self.sequences],
            "scenes": self.scenes,
            "crowds": {str(people): lines for people, lines in self.crowds.items()},
            "smoothness": [asdict(line) for line in self.smoothness],
        }
        (folder / "results.json").write_text(json.dumps(found, indent=1) + "\n")
        pictures = self._draw(folder)
        head = f"# Trackers on the same detections\n\n{_sentence(here)}"
        shown = [f"![{path.stem}]({path.name})" for path in pictures]
        text = "\n\n".join([head, *shown, *(table.markdown() for table in self.tables())])
        (folder / "results.md").write_text(text + "\n")

    def _draw(self, folder: Path) -> list[Path]:
        plots = {
            sequence.name: (f"{sequence.name}, {sequence.frames} frames", sequence.plain) for sequence in self.sequences
        }
        plots |= {f"crowd-{n}": (f"synthetic crowd, {n} people a frame", lines) for n, lines in self.crowds.items()}
        paths = []
        for name, (title, lines) in plots.items():
            if any("us_per_frame" in line for line in lines.values()):
                paths.append(folder / f"{name}.png")
                draw(paths[-1], title, lines)
        return paths


def machine() -> dict[str, Any]:
    """The machine and the software on it."""
    return {
        "processor": platform.processor() or platform.machine(),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "versions": versions(),
    }


def versions() -> dict[str, str]:
    """Installed versions of the compared libraries and of those that compute the scores."""
    found = {}
    for name in LIBRARIES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


def _sentence(here: dict[str, Any]) -> str:
    libraries = ", ".join(f"{name} {version}" for name, version in here["versions"].items())
    return (
        f"{here['processor']}, {here['cores']} cores, load {here['load_1min']} at the end, "
        f"Python {here['python']}; {libraries}. The machine was otherwise idle, and the times "
        "are valid, only where the load is about 1."
    )
