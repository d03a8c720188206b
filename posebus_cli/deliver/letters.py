"""Events that sinks have given up: listing them, and sending them once more."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import typer

from posebus.plain_text import plain
from posebus.wording import counted, local_time

if TYPE_CHECKING:
    from posebus.bus.redis.connection import Broker
    from posebus.config.settings import Settings
    from posebus.sinks.delivering.letters import Letter

REASON_WIDTH = 70


def list_letters(settings: Settings, names: list[str] | None, *, as_json: bool) -> None:
    """Print the letters of these sinks; without names, of all that the file or the broker knows."""
    from posebus.bus.redis.connection import open_broker
    from posebus.sinks.delivering.explaining import sinks_at
    from posebus.sinks.delivering.letters import Letters

    broker = open_broker(settings.redis, settings.shards)
    sinks = names or sorted({*settings.sinks, *sinks_at(broker)})
    found = [(name, letter) for name in sinks for letter in Letters(broker, name).all()]
    if as_json:
        print(json.dumps([_summary(name, letter) for name, letter in found], indent=2))
        return
    if not found:
        print(f"no undelivered event at {broker.where}")
        return
    print(f"{'sink':<16}  {'when':<19}  {'attempts':>8}  {'event':<60}  reason")
    for name, letter in found:
        when = local_time(letter.at_ns, "%Y-%m-%d %H:%M:%S")
        why = " ".join(letter.why.split())
        why = why if len(why) <= REASON_WIDTH else why[: REASON_WIDTH - 1] + "…"
        print(f"{name:<16}  {when:<19}  {letter.attempts:>8}  {plain(letter.event.id):<60}  {why}")


def replay(settings: Settings, name: str, event_id: str | None) -> None:
    """Send the letters of a sink once more, and print what became of each; exits with 1 unless all are delivered."""
    from posebus.bus.redis.connection import open_broker
    from posebus.errors import ConfigError
    from posebus.sinks.base import SinkContext
    from posebus.sinks.delivering.letters import Letters
    from posebus.sinks.delivering.replay import replay_letters
    from posebus.sinks.registry import open_sink

    broker = open_broker(settings.redis, settings.shards)
    if event_id is not None and not any(Letters(broker, name).all(event_id)):
        raise ConfigError(_no_letter(broker, name, event_id))
    sink: Any = open_sink(name, settings.sinks[name], SinkContext(name, settings, broker, replay=True))
    if not callable(getattr(sink, "send", None)):
        raise ConfigError(f"the sink {name} gives up no event: what fails is given to it again until it succeeds")
    delivered = failed = 0
    try:
        for letter, why in replay_letters(broker, name, sink, event_id):
            print(f"{plain(letter.event.id)}: {'delivered' if why is None else f'stays: {why}'}", flush=True)
            delivered += why is None
            failed += why is not None
    finally:
        close = getattr(sink, "close", None)
        if close is not None:
            close()
    print(f"{counted(delivered, 'event')} delivered, {counted(failed, 'event')} undelivered as before")
    if failed:
        raise typer.Exit(1)


def _no_letter(broker: Broker, name: str, event_id: str) -> str:
    return (
        f"the sink {name} has no undelivered event {plain(event_id)!r} at {broker.where}; "
        f"'posebus deliver --list-undelivered {name}' shows those that it has"
    )


def _summary(name: str, letter: Letter) -> dict[str, Any]:
    return {
        "sink": name,
        "id": letter.event.id,
        "type": letter.event.type,
        "camera": letter.event.camera,
        "at_ns": letter.at_ns,
        "attempts": letter.attempts,
        "why": letter.why,
    }
