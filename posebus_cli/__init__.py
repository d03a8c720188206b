"""The command `posebus`: one file for each command. Heavy packages are imported inside the functions that need them."""

from __future__ import annotations

import io
import sys

__all__ = ["main"]


def _check_health(role: str) -> None:
    """Answer `posebus health ROLE` and exit; returns for anything else, like `posebus health --help`.

    Containers ask every few seconds, so nothing else is loaded before: neither typer nor what talks to the broker.
    """
    from posebus.runtime.health import ROLES, run_check

    if role in ROLES:
        sys.exit(run_check(role))


def main() -> None:
    """Runs the command line and exits: 0 fine, 1 something failed, 2 wrong usage, 130 interrupted."""
    from posebus_cli.import_path import leave_current_folder

    leave_current_folder()
    if isinstance(sys.stdout, io.TextIOWrapper):
        # File names may contain bytes that are not text, and terminals may lack letters: neither should be an error.
        sys.stdout.reconfigure(errors="backslashreplace")
    if len(sys.argv) == 3 and sys.argv[1] == "health":
        _check_health(sys.argv[2])
    try:
        from posebus_cli.app import run_app
    except KeyboardInterrupt:
        sys.exit(130)
    except ModuleNotFoundError as error:
        name = (error.name or "").partition(".")[0]
        if name not in {"typer", "rich"}:
            raise
        print(
            f"posebus: the command needs {name}, which is not installed: "
            "pip install '.[cli]' in the checkout of posebus",
            file=sys.stderr,
        )
        sys.exit(1)
    from posebus.runtime.failures import run_and_report

    # Not app() itself, which would replace our exception hook by that of typer.
    sys.exit(run_and_report(run_app))
