"""The results of all groups so far, written as JSON, as Markdown and as a plot."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.moving.contenders import OWN
from benchmarks.moving.plot import draw
from benchmarks.moving.table import (
    Outcome,
    as_json,
    before_table,
    common,
    group_table,
    names_in,
    perfect_table,
    scene_table,
)
from benchmarks.tracking.report import machine
from benchmarks.tracking.table import Table

PLOT = "moving.png"


@dataclass(slots=True)
class MovingReport:
    """The outcomes so far, in the order of the groups and trackers; `before`: rows of an earlier results.json."""

    outcomes: list[Outcome] = field(default_factory=list)
    before: list[dict[str, Any]] = field(default_factory=list)

    def tables_of(self, group: str, *, details: bool) -> list[Table]:
        """The table of one group over the takes that all trackers ran; ours over all takes, if those are more; and with
        `details` that of all scenes."""
        found = [each for each in self.outcomes if each.group == group]
        compared = common(found)
        tables = [group_table(group, compared)]
        if len({each.seed for each in found}) > len({each.seed for each in compared}):
            tables.append(group_table(f"{group}, ours", [each for each in found if each.tracker in OWN]))
        return [*tables, *([scene_table(group, found)] if details else [])]

    def write(self, folder: Path) -> None:
        """Write results.json, results.md and the plot into a folder."""
        folder.mkdir(parents=True, exist_ok=True)
        rows = [json.dumps(row) for row in as_json(self.outcomes)]
        lines = ",\n".join(rows)
        (folder / "results.json").write_text(f'{{"machine": {json.dumps(machine())},\n"scenes": [\n{lines}\n]}}\n')
        compared = common(self.outcomes)
        draw(folder / PLOT, compared)
        tables = [perfect_table(compared)]
        if self.before:
            tables.append(before_table(self.before, as_json(self.outcomes)))
        for group in names_in(self.outcomes, "group"):
            tables += self.tables_of(group, details=False)
        head = f"# Identities when the world moves\n\n![takes in which everybody kept one number]({PLOT})"
        (folder / "results.md").write_text("\n\n".join([head, *(table.markdown() for table in tables)]) + "\n")


def scenes_in(path: Path) -> list[dict[str, Any]]:
    """The rows of a results.json. Raises SystemExit for another file."""
    try:
        return list(json.loads(path.read_text())["scenes"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise SystemExit(f"{path} is no results.json of this benchmark: {error}") from error
