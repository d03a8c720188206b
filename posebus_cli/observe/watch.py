"""`posebus watch`: tracks and events as they arrive, one line each."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import closing
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from posebus_cli.options.grouping import grouped
from posebus_cli.options.groups import DeploymentOptions, JsonOption
from posebus_cli.options.settings import broker_address, settings_from

if TYPE_CHECKING:
    from posebus.subscribing.subscriber import Subscription
    from posebus.subscribing.subscription import Message


class Kind(StrEnum):
    """The kinds of messages that can be shown as text."""

    TRACKS = "tracks"
    EVENTS = "events"


_CamerasArgument = Annotated[
    list[str] | None, typer.Argument(metavar="[CAMERA]...", help="Only these cameras. (default: all)")
]
_KindOption = Annotated[
    list[Kind] | None, typer.Option("--kind", "-k", help="Only messages of this kind; may be repeated.")
]
_AfterOption = Annotated[
    str,
    typer.Option(
        "--after", metavar="WHEN", help="Where to start: 'now', 'start' (all messages in the broker), or a cursor."
    ),
]
_CountOption = Annotated[
    int | None, typer.Option("--count", "-n", metavar="N", min=1, help="Exit after this many messages.")
]


@grouped
def watch(
    cameras: _CamerasArgument = None,
    *,
    deployment: DeploymentOptions,
    kind: _KindOption = None,
    after: _AfterOption = "now",
    count: _CountOption = None,
    as_json: JsonOption = False,
) -> None:
    """Follow tracks and events until Ctrl-C.

    As text, the tracks of a camera are shown when they change, and otherwise once a second. With --json, every message
    is one line, as in the broker.
    """
    from posebus.errors import ConfigError
    from posebus.subscribing.subscriber import subscribe
    from posebus_cli.observe.message_lines import MessageLines, json_line

    settings = settings_from(deployment)
    kinds = [item.value for item in kind or Kind]
    try:
        messages = subscribe(
            broker_address(settings), cameras=cameras or None, kinds=kinds, after=after, shards=settings.shards
        )
    except ValueError as error:
        raise ConfigError(str(error)) from None
    lines = MessageLines()
    with closing(messages):
        for message in _at_most(messages, count):
            line = json_line(message) if as_json else lines.line(message, time.monotonic())
            if line is not None:
                print(line, flush=True)


def _at_most(messages: Subscription, count: int | None) -> Iterator[Message]:
    for number, message in enumerate(messages, start=1):
        yield message
        if number == count:
            return
