"""The folders that benchmarks read from and write to."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
"""The root of the repository."""
DATA = ROOT.parent / "shared" / "data"
"""The default folder of clips and their ground truth, beside the repository."""


def poses_cache() -> Path:
    """The default folder in which the poses of whole clips are cached."""
    return Path.home() / ".cache" / "posebus" / "poses"
