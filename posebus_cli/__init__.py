"""The command `posebus`: one file for each command. Heavy packages are imported inside the functions that need them."""

from __future__ import annotations

import io
import sys

__all__ = ["main"]


def main() -> None:
    """Runs the command line and exits: 0 fine, 1 something failed, 2 wrong usage, 130 interrupted."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        # File names may contain bytes that are not text, and terminals may lack letters: neither should be an error.
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        from posebus_cli.app import command
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
    sys.exit(run_and_report(command()))
