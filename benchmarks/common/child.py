"""The environment of the processes that benchmarks start."""

from __future__ import annotations

import os
from pathlib import Path

from posebus.runtime.python_child import python_environment

ROOT = Path(__file__).resolve().parents[2]


def child_environment(**added: str) -> dict[str, str]:
    """The environment of this process and `added`; children of `python_command` find the benchmarks by it."""
    return {**os.environ, **python_environment(None, ROOT), **added}
