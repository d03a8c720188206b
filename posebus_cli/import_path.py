"""Where the command imports from: the same places as the processes that it starts, and never the current folder.

Nothing of ours is imported here: whatever `import posebus` finds has to be found on the cleaned path.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path


def leave_current_folder() -> None:
    """Remove the current folder, and that of the command's script, from the places where this process imports from.

    Processes that libraries start inherit this by PYTHONSAFEPATH.
    """
    if not sys.flags.safe_path:
        script = Path(sys.argv[0]).parent if sys.argv and sys.argv[0] else Path()
        sys.path[:] = safe_path(sys.path, Path.cwd(), script.resolve(), os.environ)
    os.environ["PYTHONSAFEPATH"] = "1"


def safe_path(path: Sequence[str], current: Path, script: Path, environ: Mapping[str, str]) -> list[str]:
    """`path` without what Python put first, and without `current` where only an empty part of PYTHONPATH named it.

    `script` is the folder of the program. The folder of our own packages stays, as in a checkout that is not installed.
    """
    home = Path(__file__).resolve().parents[1]
    kept = list(path)
    if kept and Path(kept[0] or current).resolve() in {current, script} - {home}:
        del kept[0]
    parts = environ.get("PYTHONPATH", "").split(os.pathsep)
    named = {Path(part).resolve() for part in parts if part}
    if len(parts) > 1 and "" in parts and current != home and current not in named and str(current) in kept:
        kept.remove(str(current))
    return kept
