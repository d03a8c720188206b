"""The cache of what OpenVINO compiled from a network: one file for each frame shape and number of threads."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

FILES_KEPT = 64
"""Each is as large as the network's weights. A camera with `imgsz: auto` needs about five."""


def compiled_folder(graph: Path) -> Path:
    """Return the folder of what was compiled from `graph`."""
    return graph.with_suffix(".compiled")


def drop_oldest_compiled(folder: Path, kept: int = FILES_KEPT) -> None:
    """Remove all files of the folder but the `kept` newest ones; a folder that cannot be read is left as it is."""
    with suppress(OSError):
        files = sorted(folder.glob("*.blob"), key=lambda file: file.stat().st_mtime)
        for file in files[: max(0, len(files) - kept)]:
            file.unlink(missing_ok=True)
