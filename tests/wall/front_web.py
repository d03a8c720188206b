"""The sources of the wall's pages with the packages that build and test them, installed once for all tests."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from tests.conftest import ROOT, missing
from tests.once import made_once

INSTALL = ("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund")
INSTALL_LIMIT_S = 240


def web_folder(run_folder: Path) -> Path:
    """A copy of wall/web with its packages from npm; the checkout stays as it is."""
    for program in ("node", "npm"):
        if shutil.which(program) is None:
            missing(f"{program} is not installed (on Debian: apt install nodejs npm)")

    def install(folder: Path) -> None:
        copy = folder / "web"
        shutil.copytree(ROOT / "wall" / "web", copy, ignore=shutil.ignore_patterns("node_modules"))
        done = subprocess.run(INSTALL, cwd=copy, capture_output=True, text=True, check=False, timeout=INSTALL_LIMIT_S)
        if done.returncode != 0:
            missing(f"npm could not install the packages of wall/web: {done.stderr[-300:]}")

    return made_once(run_folder / "wall-web", install) / "web"
