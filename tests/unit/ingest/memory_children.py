"""Processes of cameras in memory, as `ingest.supervision.CameraChildren`: they end when a test says so."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import yaml

from posebus.config.settings import CameraSettings, Settings
from posebus.runtime.processes import EXIT_DONE, ChildSpec


class MemoryChildren:
    """`alive` holds what was in the settings file of each process at its start, `started` the names of all starts."""

    def __init__(self) -> None:
        self.started: list[str] = []
        self.alive: dict[str, str] = {}
        self.going: list[str] = []
        self.ended: list[tuple[str, int]] = []

    def start(self, specs: Iterable[ChildSpec]) -> None:
        for spec in specs:
            assert spec.name not in self.alive, f"{spec.name} was started twice"
            config = Path(spec.argv[spec.argv.index("--config") + 1])
            self.alive[spec.name] = config.read_text()
            self.started.append(spec.name)

    def running(self) -> set[str]:
        return set(self.alive)

    def leaving(self) -> set[str]:
        return set(self.going)

    def dismiss(self, name: str, now_s: float) -> None:
        del self.alive[name]
        self.going.append(name)

    def tend(self, now_s: float) -> list[tuple[str, int]]:
        ended, self.ended = self.ended, []
        for name, _ in ended:
            del self.alive[name]
        return ended

    def settings(self, name: str) -> CameraSettings:
        """The settings by which the process of a camera runs."""
        return Settings.model_validate(yaml.safe_load(self.alive[name])).cameras[name]

    def end(self, name: str, exit_code: int = EXIT_DONE) -> None:
        """The process ends by itself; the next `tend` reports it."""
        self.ended.append((name, exit_code))
