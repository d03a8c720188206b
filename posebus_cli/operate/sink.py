"""`posebus sink`: one sink that gets the messages of a deployment."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from posebus.runtime.stage_main import run_stage_process
from posebus_cli.options.grouping import grouped
from posebus_cli.options.groups import ConfigFirst
from posebus_cli.options.settings import followed_at_broker
from posebus_cli.options.yaml_values import yaml_value

if TYPE_CHECKING:
    from posebus.config.settings import Settings
    from posebus.config.sinks import SinkSettings


@grouped
def sink(
    name: Annotated[
        str,
        typer.Argument(metavar="NAME", help="A name under 'sinks:' in the file, or jsonl, or of an installed package."),
    ],
    *,
    deployment: ConfigFirst,
    option: Annotated[
        list[str] | None,
        typer.Option("--option", "-o", metavar="KEY=VALUE", help="An option of the sink itself; may be repeated."),
    ] = None,
    camera: Annotated[
        list[str] | None,
        typer.Option("--camera", metavar="NAME", help="Only messages of this camera; may be repeated."),
    ] = None,
    after: Annotated[
        str | None,
        typer.Option(
            "--after", metavar="WHEN", help="Where a sink begins that never ran: now or start. (default: now)"
        ),
    ] = None,
    consumer: Annotated[
        str | None,
        typer.Option(
            "--consumer",
            metavar="NAME",
            help="Name of this process, if several run the sink and share its messages. (default: this host's name)",
        ),
    ] = None,
) -> None:
    """Run one sink, which gets each track and event of the deployment at least once.

    The broker remembers by the name of the sink what it has handled, so that it goes on where it was after a restart.
    A message with which it fails is given again until it succeeds. 'posebus up' runs the sinks of its file itself.
    """
    changes = {"options": _options(option), "cameras": camera or None, "after": after}
    followed = followed_at_broker(deployment)
    sinks = _changed(followed.settings, name, {key: one for key, one in changes.items() if one})
    followed.pin(sinks=sinks)
    run_stage_process("posebus sink", followed, lambda settings, _: _run(settings, name, consumer), follow=False)


def _options(pairs: list[str] | None) -> dict[str, Any]:
    """Return the options of the command line; values are read as YAML, as in the file. Raises ConfigError."""
    from posebus.errors import ConfigError

    found: dict[str, Any] = {}
    for pair in pairs or ():
        key, equals, value = pair.partition("=")
        if not key or not equals:
            raise ConfigError(
                "an option of a sink is its name and its value with = between them, such as --option path=tracks.jsonl"
            )
        found[key] = yaml_value(value)
    return found


def _changed(settings: Settings, name: str, changes: dict[str, Any]) -> dict[str, SinkSettings]:
    """Return the sinks with what the command line says about this sink. Raises ConfigError."""
    from pydantic import ValidationError

    from posebus.config.sinks import SinkSettings
    from posebus.errors import ConfigError
    from posebus.sinks.registry import sink_settings

    chosen = sink_settings(settings, name)
    options = {**chosen.options, **changes.pop("options", {})}
    try:
        chosen = SinkSettings.model_validate({**chosen.model_dump(), **changes, "options": options})
    except ValidationError as error:
        first = error.errors()[0]
        raise ConfigError(f"sinks.{name}.{'.'.join(map(str, first['loc']))}: {first['msg']}") from None
    return {**settings.sinks, name: chosen}


def _run(settings: Settings, name: str, consumer: str | None) -> None:
    from posebus.sinks.process import run_sink

    run_sink(settings, name, consumer)
