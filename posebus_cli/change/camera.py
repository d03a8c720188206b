"""`posebus camera`: list, add, change, pause and remove the cameras of a deployment, also while it runs."""

from __future__ import annotations

import json
import os
from typing import Annotated

import typer

from posebus_cli.change.discover import discover
from posebus_cli.change.login import PasswordFileOption, UserOption, read_password, read_source, with_login
from posebus_cli.change.options import ChangeOptions, ConfigOption
from posebus_cli.change.sources import refuse_unusable
from posebus_cli.options.grouping import grouped
from posebus_cli.options.groups import JsonOption

camera_app = typer.Typer(
    no_args_is_help=True,
    help="List, add, change, pause and remove cameras, also while a deployment runs.",
)

NameArgument = Annotated[str, typer.Argument(metavar="NAME", help="Name of the camera.")]
NamesArgument = Annotated[list[str], typer.Argument(metavar="NAME", help="Names of cameras.")]


@camera_app.command("list")
def list_cameras(config: ConfigOption = None, as_json: JsonOption = False) -> None:
    """List the cameras of a configuration file and of the deployment that runs with it, with their states."""
    from posebus.changing.camera_lines import camera_lines, settings_of
    from posebus.changing.targets import find_target
    from posebus_cli.change.camera_list import as_dicts, table

    target = find_target(config, os.environ)
    lines = camera_lines(target, settings_of(target.file))
    if as_json:
        print(json.dumps(as_dicts(lines), indent=2))
        return
    for line in table(lines):
        print(line)


@camera_app.command("add")
@grouped
def add(
    name: NameArgument,
    source: Annotated[
        str,
        typer.Argument(metavar="SOURCE", help="Its address, file or device, as in the file; - reads it from stdin."),
    ],
    options: ChangeOptions,
    fields: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="FIELD=VALUE", help="Another field, like max_fps=12.5. May be repeated."),
    ] = None,
    user: UserOption = None,
    password_file: PasswordFileOption = None,
) -> None:
    """Add a camera to the configuration file, and to the deployment that runs with it.

    The others go on undisturbed. Comments in the file stay. With --no-save it is added to the running deployment alone.
    """
    from posebus.changing.camera_changes import added
    from posebus_cli.change.assignments import assignments
    from posebus_cli.change.carrying_out import carry_out

    more = assignments(fields or [], ("cameras", name), may_remove=False)
    address = with_login(read_source(source), user, read_password(user, password_file))
    refuse_unusable({"source": address, **more})
    carry_out(added(name, {"source": address, **more}), options)


@camera_app.command("set")
@grouped
def set_fields(
    name: NameArgument,
    fields: Annotated[
        list[str], typer.Argument(metavar="FIELD=VALUE|FIELD-", help="New values; FIELD- goes back to the default.")
    ],
    options: ChangeOptions,
) -> None:
    """Change fields of one camera, such as max_fps=12.5 or rotate=90. Only this camera starts again.

    With --no-save, FIELD- goes back to what the file says.
    """
    from posebus.changing.camera_changes import fields_set
    from posebus_cli.change.assignments import assignments
    from posebus_cli.change.carrying_out import carry_out

    values = assignments(fields, ("cameras", name), may_remove=True)
    refuse_unusable(values)
    carry_out(fields_set(name, values), options)


@camera_app.command("pause")
@grouped
def pause(names: NamesArgument, options: ChangeOptions) -> None:
    """Stop reading cameras, but keep them in the file."""
    from posebus.changing.camera_changes import paused
    from posebus_cli.change.carrying_out import carry_out

    carry_out(paused(names, is_paused=True), options)


@camera_app.command("resume")
@grouped
def resume(names: NamesArgument, options: ChangeOptions) -> None:
    """Read paused cameras again."""
    from posebus.changing.camera_changes import paused
    from posebus_cli.change.carrying_out import carry_out

    carry_out(paused(names, is_paused=False), options)


@camera_app.command("remove")
@grouped
def remove(names: NamesArgument, options: ChangeOptions) -> None:
    """Take cameras out of the file and of the running deployment.

    What they have published stays as long as other messages do; 'posebus forget' deletes it at once.
    """
    from posebus.changing.camera_changes import removed
    from posebus_cli.change.carrying_out import carry_out

    carry_out(removed(names), options)


camera_app.command("discover")(discover)
