"""`posebus config check`: find the problems of a configuration file."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from posebus.plain_text import plain
from posebus_cli.options.groups import JsonOption

if TYPE_CHECKING:
    from posebus.config.loading import Checked
    from posebus.config.problems import Problem

config_app = typer.Typer(no_args_is_help=True, help="Check a configuration file.")


@config_app.command("check")
def check(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Configuration file in YAML.")],
    elsewhere: Annotated[
        bool,
        typer.Option(
            "--elsewhere", help="The file is for another machine: look for no files, devices, weights, engines."
        ),
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Check a configuration file and report every mistake with its line and field.

    That includes what 'posebus up' could not use on this machine: files, devices, addresses, weights, and engines.
    POSEBUS_… environment variables are checked, too, because a run reads them. Exits with 1 if there is a mistake.
    """
    from posebus.config.loading import check_settings
    from posebus.config.redaction import redact_text

    checked = check_settings(file, os.environ, {})
    shown = redact_text(str(file))
    problems, notes = checked.problems, _notes(checked)
    if checked.settings is not None and not elsewhere:
        problems = _problems_here(checked)
    cameras = list(checked.settings.cameras) if checked.settings else []
    if as_json:
        mistakes, remarks = ([one.as_dict() for one in some] for some in (problems, notes))
        answer = {"file": shown, "ok": not problems, "cameras": cameras, "mistakes": mistakes, "notes": remarks}
        print(json.dumps(answer, indent=2))
    else:
        for problem in (*problems, *notes):
            print(plain(str(problem)))
        if problems:
            typer.echo(f"{plain(shown)}: {_counted(len(problems), 'mistake')}", err=True)
        else:
            print(f"{plain(shown)}: fine, {_counted(len(cameras), 'camera')}")
    if problems:
        raise typer.Exit(1)


def _problems_here(checked: Checked) -> tuple[Problem, ...]:
    """What of valid settings cannot work on this machine, in the order of the file."""
    from posebus.config.loading import in_order
    from posebus.config.problems import Problem
    from posebus.config.wall.serving import refusal_to_serve
    from posebus_cli.operate.deployment_check import obstacles

    if checked.settings is None:
        return ()
    found = [(one.path, one.problem) for one in obstacles(checked.settings)]
    refusal = refusal_to_serve(checked.settings.wall)
    if refusal is not None:
        found.append((("wall", "host"), refusal))
    return in_order(Problem(checked.locate(path), problem) for path, problem in found)


def _notes(checked: Checked) -> tuple[Problem, ...]:
    from posebus.config.loading import in_order
    from posebus.config.low_rates import low_rates
    from posebus.config.problems import Problem
    from posebus_cli.operate.deployment_check import idle_filters, same_sources

    if checked.settings is None:
        return ()
    found = (*same_sources(checked.settings), *low_rates(checked.settings), *idle_filters(checked.settings))
    return in_order(Problem(checked.locate(path), problem) for path, problem in found)


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
