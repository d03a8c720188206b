"""`posebus config check`: find the problems of a configuration file."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Annotated

import typer

from posebus.plain_text import plain
from posebus_cli.options.groups import JsonOption

config_app = typer.Typer(no_args_is_help=True, help="Check a configuration file.")


@config_app.command("check")
def check(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Configuration file in YAML.")],
    as_json: JsonOption = False,
) -> None:
    """Check a configuration file and report every mistake with its line and field.

    POSEBUS_… environment variables are checked, too, because a run reads them. Exits with 1 if there is a mistake.
    """
    from posebus.config.loading import check_settings
    from posebus.config.redaction import redact_text

    checked = check_settings(file, os.environ, {})
    cameras = list(checked.settings.cameras) if checked.settings else []
    if as_json:
        mistakes = [problem.as_dict() for problem in checked.problems]
        answer = {"file": redact_text(str(file)), "ok": not mistakes, "cameras": cameras, "mistakes": mistakes}
        print(json.dumps(answer, indent=2))
    elif checked.settings:
        print(f"{plain(redact_text(str(file)))}: fine, {_counted(len(cameras), 'camera')}")
    else:
        for problem in checked.problems:
            print(plain(str(problem)))
        typer.echo(f"{plain(redact_text(str(file)))}: {_counted(len(checked.problems), 'mistake')}", err=True)
    if checked.problems:
        raise typer.Exit(1)


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
