"""Text that a benchmark prints and optionally also writes to a file."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path


def print_and_write(lines: Iterable[str], path: Path | None) -> None:
    """Print each line as soon as it is computed, and write all of them to `path` unless it is None."""
    printed = []
    for line in lines:
        print(line, flush=True)
        printed.append(line)
    if path is not None:
        path.write_text("\n".join(printed) + "\n")
