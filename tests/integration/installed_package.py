"""A package of a test, installed as users install one, but without the network and in a folder of its own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path


def install(project: Path, site: Path) -> Path:
    """Build and install the package in the folder `project` into `site`, and return `site`, for PYTHONPATH."""
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]
    offline = ["--no-build-isolation", "--no-index", "--target", str(site), str(project)]
    done = subprocess.run([*pip, *offline], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return site
