"""The options of `posebus deliver`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import typer

from posebus_cli.options.groups import JsonOption


@dataclass(frozen=True, slots=True)
class SinkOptions:
    """Settings of one sink, over those of the file."""

    option: Annotated[
        list[str] | None,
        typer.Option("--option", "-o", metavar="KEY=VALUE", help="An option of the sink itself; may be repeated."),
    ] = None
    camera: Annotated[
        list[str] | None,
        typer.Option("--camera", metavar="NAME", help="Only messages of this camera; may be repeated."),
    ] = None
    event_type: Annotated[
        list[str] | None,
        typer.Option(
            "--type", metavar="TYPE", help="Only events of this type, or of those before a *; may be repeated."
        ),
    ] = None
    rule: Annotated[
        list[str] | None,
        typer.Option("--rule", metavar="NAME", help="Only events of this rule; may be repeated."),
    ] = None
    after: Annotated[
        str | None,
        typer.Option(
            "--after", metavar="WHEN", help="Where a sink begins that never ran: now or start. (default: now)"
        ),
    ] = None
    consumer: Annotated[
        str | None,
        typer.Option(
            "--consumer",
            metavar="NAME",
            help="Name of this process, if several run a sink that writes and share its messages. (default: this "
            "host's name)",
        ),
    ] = None

    def changes(self) -> dict[str, object]:
        """The fields of the settings of a sink that are given."""
        given = {
            "options": self.option,
            "cameras": self.camera,
            "types": self.event_type,
            "rules": self.rule,
            "after": self.after,
        }
        return {name: value for name, value in given.items() if value}


@dataclass(frozen=True, slots=True)
class LetterOptions:
    """What to do with events that were given up, instead of running sinks."""

    list_undelivered: Annotated[
        bool, typer.Option("--list-undelivered", help="List the events that sinks have given up, and end.")
    ] = False
    replay: Annotated[
        bool, typer.Option("--replay", help="Send the events that the sink NAME has given up once more, and end.")
    ] = False
    event_id: Annotated[
        str | None, typer.Option("--id", metavar="ID", help="With --replay: only the event with this id.")
    ] = None
    as_json: JsonOption = False
