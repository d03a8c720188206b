"""`posebus deliver`: the sinks of a deployment, or one of them, and the events that they have given up."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from posebus.runtime.stage_main import run_stage_process
from posebus_cli.deliver.options import LetterOptions, SinkOptions
from posebus_cli.options.grouping import Offer, grouped
from posebus_cli.options.groups import ConfigFirst, LogOptions, NoReloadOption
from posebus_cli.options.settings import followed_at_broker
from posebus_cli.options.yaml_values import yaml_value

if TYPE_CHECKING:
    from posebus.config.settings import Settings
    from posebus.config.sinks import SinkSettings
    from posebus.reloading.followed import FollowedSettings


@grouped
def deliver(
    names: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="NAME",
            help="Sinks: names under 'sinks:' in the file, or jsonl, webhook, mqtt, or of an installed package. "
            "Without names: all sinks of the file.",
        ),
    ] = None,
    *,
    deployment: ConfigFirst,
    sink: SinkOptions,
    letters: LetterOptions,
    logs: Annotated[LogOptions, Offer()],
    no_reload: NoReloadOption = False,
) -> None:
    """Deliver the events of the deployment, and other messages, to sinks: files, webhooks, MQTT, and those of packages.

    The broker remembers by the name of a sink what it has handled, so that it goes on where it was after a restart. An
    event that cannot be delivered is sent again, with pauses that grow; one that is refused, or has failed for a day,
    is kept. 'posebus up' runs the sinks of its file itself. Both follow the file: the sinks whose settings change start
    again, one that has options on the command line does not.
    """
    from posebus.errors import ConfigError

    followed = followed_at_broker(deployment, logs)
    chosen = list(dict.fromkeys(names or followed.settings.sinks))
    if letters.list_undelivered:
        from posebus_cli.deliver.letters import list_letters

        list_letters(followed.settings, names, as_json=letters.as_json)
        return
    if letters.as_json or (letters.event_id is not None and not letters.replay):
        raise ConfigError("--json belongs to --list-undelivered, and --id to --replay")
    changes = sink.changes()
    if len(chosen) != 1 and (changes or sink.consumer or letters.replay):
        raise ConfigError("these options belong to one sink: name it, as in 'posebus deliver NAME'")
    if not chosen:
        raise ConfigError("there is no sink: add some under 'sinks:' in a file and give it with -c FILE, or name one")
    follow = followed.can_change and not (no_reload or changes or sink.consumer or letters.replay)
    if follow or len(chosen) > 1:
        _run_several(followed, names or [], follow=follow)
        return
    (name,) = chosen
    followed.pin(sinks=_changed(followed.settings, name, changes))
    if letters.replay:
        from posebus_cli.deliver.letters import replay

        replay(followed.settings, name, letters.event_id)
        return
    run_stage_process(
        "posebus deliver", followed, lambda settings, _: _run(settings, name, sink.consumer), follow=False
    )


def _run_several(followed: FollowedSettings, names: list[str], *, follow: bool) -> None:
    """Run these sinks, each in a process of its own; without names all of the file. Raises PoseBusError."""
    from posebus.sinks.registry import sink_settings
    from posebus_cli.deliver.several import run_several

    for name in names:
        sink_settings(followed.settings, name)  # before anything starts, if there is none of this name
    run_stage_process(
        "posebus deliver", followed, lambda settings, live: run_several(settings, names, live), follow=follow
    )


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
    options = {**chosen.options, **_options(changes.pop("options", None))}
    try:
        chosen = SinkSettings.model_validate({**chosen.model_dump(), **changes, "options": options})
    except ValidationError as error:
        first = error.errors()[0]
        raise ConfigError(f"sinks.{name}.{'.'.join(map(str, first['loc']))}: {first['msg']}") from None
    return {**settings.sinks, name: chosen}


def _run(settings: Settings, name: str, consumer: str | None) -> None:
    from posebus.sinks.process import run_sink

    run_sink(settings, name, consumer)
