"""Help without types that say nothing to people: a switch is `--json`, not `--json <bool>`."""

from __future__ import annotations

from typing import Any


def with_plain_help(command: Any) -> Any:
    """Return `command`, a command or a group of typer, whose help shows placeholders like FILE and no types of Python.

    It is changed for every option, also for `--help`, which exists only while the help is made.
    """
    for name in getattr(command, "commands", {}):
        with_plain_help(command.commands[name])
    listed = command.get_params

    def get_params(context: Any) -> list[Any]:
        parameters: list[Any] = listed(context)
        for parameter in parameters:
            if getattr(parameter, "is_flag", False) or parameter.param_type_name == "argument":
                parameter.display_type_rich = _nothing
        return parameters

    command.get_params = get_params
    return command


def _nothing(ctx: Any) -> str:
    return ""
