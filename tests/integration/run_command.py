"""The command as a user runs it, as a separate process: its output and how it ends."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

TIMEOUT_S = 600.0


def environment(cache: Path) -> dict[str, str]:
    """The environment of this process, without a developer's own settings, and with the cache of exported networks."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("POSEBUS_")}
    return {**kept, "POSEBUS_CACHE_DIR": str(cache)}


def start(cache: Path, *arguments: str | Path, log: Path | None = None) -> subprocess.Popen[str]:
    """Start `posebus ARGUMENTS…`; its output goes to pipes, or all of it into the file `log`."""
    command = [sys.executable, "-m", "posebus_cli", *map(str, arguments)]
    if log is not None:
        with log.open("w") as file:
            return subprocess.Popen(command, env=environment(cache), stdout=file, stderr=file, text=True)
    pipe = subprocess.PIPE
    return subprocess.Popen(command, env=environment(cache), stdout=pipe, stderr=pipe, text=True)


def finish(process: subprocess.Popen[str]) -> subprocess.CompletedProcess[str]:
    """Wait for the end of `process`; no output of the command ever holds a traceback."""
    try:
        output, errors = process.communicate(timeout=TIMEOUT_S)
    finally:
        process.kill()
    assert "Traceback" not in errors, errors
    return subprocess.CompletedProcess(process.args, process.returncode, output, errors)


def posebus(cache: Path, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run `posebus ARGUMENTS…` to its end."""
    return finish(start(cache, *arguments))


def children(pid: int) -> set[int]:
    """Process ids of all descendants of `pid` that are alive."""
    found: set[int] = set()
    new = {pid}
    while new:
        new = {child for parent in new for child in _children_of(parent)} - found
        found |= new
    return found


def alive(pids: Iterable[int]) -> set[int]:
    """Those of `pids` that are still running."""
    return {pid for pid in pids if Path(f"/proc/{pid}").exists()}


def _children_of(pid: int) -> list[int]:
    found: list[int] = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            found += [int(word) for word in task.read_text().split()]
        except OSError:
            continue
    return found
