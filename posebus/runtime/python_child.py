"""The command line and the environment of every child process that runs Python.

Children never import from the current folder. It belongs to the user, who may keep a `redis.py` or `tracking.py` in it,
and `python -m` and `python -c` would otherwise look there first.
"""

from __future__ import annotations

import os
import site
import sys
from collections.abc import Mapping
from pathlib import Path

SAFE_PATH = "PYTHONSAFEPATH"
SEARCH_PATH = "PYTHONPATH"


def python_command(*arguments: str) -> list[str]:
    """The command line of a child that runs `python ARGUMENTS`; start it with `python_environment`."""
    return [sys.executable, "-P", *arguments]


def python_environment(environ: Mapping[str, str] | None = None, *folders: Path) -> dict[str, str]:
    """Variables to add to the environment of such a child; `environ` (default: of this process) is what it inherits.

    What the child starts in turn, such as the helpers of multiprocessing, gets the same path. The folders of the
    inherited PYTHONPATH stay, but its empty parts go: Python takes them for the current folder. `folders` are added
    after them, and so is the folder of our packages where nothing else leads a child to it, as in a checkout that is
    not installed.
    """
    inherited = (os.environ if environ is None else environ).get(SEARCH_PATH, "")
    parts = [part for part in inherited.split(os.pathsep) if part]
    home = Path(__file__).parents[2]
    added = [*folders] if _is_installed(home) else [*folders, home]
    parts += [str(folder) for folder in added if str(folder) not in parts]
    # An empty variable is as good as none.
    return {SAFE_PATH: "1", SEARCH_PATH: os.pathsep.join(parts)}


def _is_installed(home: Path) -> bool:
    """Whether Python finds the packages in `home` by itself: among installed packages, or by an editable install."""
    installed = {Path(folder).resolve() for folder in (*site.getsitepackages(), site.getusersitepackages())}
    if home.resolve() in installed:
        return True
    # The finder of an editable install is a class of its own, which does not look at sys.path.
    others = (finder for finder in sys.meta_path if "__editable__" in getattr(finder, "__module__", ""))
    return any(finder.find_spec("posebus", None) is not None for finder in others)
