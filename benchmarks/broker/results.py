"""The measurements of `benchmarks.broker`, and the file that keeps them for `--plan`."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks.broker.capacity import PollCosts, Step

NEAR_SHARE = 0.9


class ServerRun:
    """The ramp, the search for the knee and the costs of one server, as far as they were measured."""

    def __init__(self, server: str) -> None:
        self.server = server
        self.ramp: list[Step] = []
        self.search: list[Step] = []
        self.costs: PollCosts | None = None

    @property
    def knee(self) -> Step | None:
        """The step with the most cameras among those within NEAR_SHARE of the highest rate that was carried."""
        good = [step for step in [*self.ramp, *self.search] if not step.faults()]
        most_fps = max((step.offered_fps for step in good), default=0.0)
        near = [step for step in good if step.offered_fps >= NEAR_SHARE * most_fps]
        return max(near, key=lambda step: (step.cameras, step.offered_fps), default=None)

    def to_json(self) -> dict[str, Any]:
        return {
            "server": self.server,
            "ramp": [step.to_json() for step in self.ramp],
            "search": [step.to_json() for step in self.search],
            "costs": asdict(self.costs) if self.costs else None,
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> ServerRun:
        run = cls(data["server"])
        run.ramp = [Step.from_json(step) for step in data["ramp"]]
        run.search = [Step.from_json(step) for step in data["search"]]
        run.costs = PollCosts.from_json(data["costs"]) if data["costs"] else None
        return run


def write(path: Path, runs: Sequence[ServerRun], machine: dict[str, Any]) -> None:
    """Write `runs` to `path` as JSON."""
    data = {"machine": machine, "runs": [run.to_json() for run in runs]}
    path.write_text(json.dumps(data, separators=(",", ":")) + "\n")


def read(path: Path) -> tuple[list[ServerRun], dict[str, Any]]:
    """The runs and the machine of a file. Raises SystemExit if `write` did not make it."""
    try:
        data = json.loads(path.read_text())
        return [ServerRun.from_json(run) for run in data["runs"]], dict(data["machine"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise SystemExit(f"{path} holds no measurements of benchmarks.broker --json: {error!r}") from error
