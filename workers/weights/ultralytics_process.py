"""Run ultralytics in a child process, so that a worker neither imports torch nor inherits side effects.

Importing ultralytics takes seconds, looks up hosts, writes settings into the home folder and may install packages. The
child (`ultralytics_child.py`) runs in a scratch folder with all of that switched off or redirected there.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

from posebus.errors import EngineError, WeightsError
from posebus.runtime.python_child import python_command, python_environment

CHILD = Path(__file__).with_name("ultralytics_child.py")
OF_ANOTHER_TASK = 3
"""The child's exit status for valid weights of another task."""


def quiet_environment(folder: Path, *, online: bool) -> dict[str, str]:
    """Return environment variables that keep ultralytics inside `folder` and, unless `online`, off the network."""
    return {
        "YOLO_CONFIG_DIR": str(folder),
        "YOLO_AUTOINSTALL": "false",
        "YOLO_VERBOSE": "false",
        **({} if online else {"YOLO_OFFLINE": "true"}),
    }


def run_child(arguments: Sequence[str], folder: Path, *, online: bool, timeout_s: float) -> None:
    """Run one command of `ultralytics_child.py` with `folder` as its working and settings folder.

    Raises WeightsError for a model of another task, EngineError for every other failure.
    """
    command = python_command(str(CHILD), *arguments)
    # ONNX Runtime, which simplifies the exported graph, writes an identifier of the machine to the cache folder.
    quiet = quiet_environment(folder, online=online)
    variables = {**os.environ, **python_environment(), **quiet, "XDG_CACHE_HOME": str(folder)}
    try:
        done = subprocess.run(
            command, cwd=folder, env=variables, timeout=timeout_s, capture_output=True, text=True, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise EngineError(
            f"ultralytics did not {arguments[0]} {Path(arguments[1]).name} within {timeout_s:.0f} s: "
            "try again when this machine is less busy"
        ) from error
    if done.returncode == OF_ANOTHER_TASK:
        raise WeightsError(done.stderr.strip().splitlines()[-1])
    if done.returncode != 0:
        last = (done.stderr.strip() or done.stdout.strip() or f"exit status {done.returncode}").splitlines()[-1]
        raise EngineError(f"ultralytics could not {arguments[0]} {Path(arguments[1]).name}: {last}")
