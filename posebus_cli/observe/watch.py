"""`posebus watch`: tracks and events as they arrive, one line each."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from enum import StrEnum
from itertools import islice
from typing import TYPE_CHECKING, Annotated

import typer

from posebus_cli.options.grouping import grouped
from posebus_cli.options.groups import DeploymentOptions, JsonOption
from posebus_cli.options.settings import broker_address, settings_from

if TYPE_CHECKING:
    from posebus.subscribing.subscriber import Subscription
    from posebus.subscribing.subscription import Message
    from posebus_cli.observe.time_order import Timed

POLL_S = 0.25


class Kind(StrEnum):
    """The kinds of messages that can be shown as text."""

    TRACKS = "tracks"
    EVENTS = "events"


_CamerasArgument = Annotated[
    list[str] | None, typer.Argument(metavar="CAMERA", help="Only these cameras. (default: all)")
]


@dataclass(frozen=True, slots=True)
class WatchedOptions:
    """Which messages are shown, and from where on."""

    kind: Annotated[
        list[Kind] | None,
        typer.Option(
            "--kind",
            "-k",
            metavar="KIND",
            help="Only tracks, or only events. (default: both; events with --type or --rule)",
        ),
    ] = None
    type_: Annotated[
        list[str] | None,
        typer.Option(
            "--type",
            "-t",
            metavar="TYPE",
            help="Only events of this type, such as posebus.fall.detected, or 'posebus.zone.*'.",
        ),
    ] = None
    rule: Annotated[
        list[str] | None, typer.Option("--rule", metavar="RULE", help="Only events of the rule of this name.")
    ] = None
    track: Annotated[
        list[int] | None,
        typer.Option("--track", metavar="N", min=0, help="Only the track of this number, and events about it."),
    ] = None
    after: Annotated[
        str,
        typer.Option(
            "--after",
            metavar="WHEN",
            help="Where to start: 'now', 'start' (all messages in the broker), a time such as 2026-12-01T05:00, "
            "or a cursor.",
        ),
    ] = "now"


_CountOption = Annotated[
    int | None, typer.Option("--count", "-n", metavar="N", min=1, help="Exit after this many messages.")
]
_AllOption = Annotated[bool, typer.Option("--all", help="Show each message as a line, also those that repeat.")]


@grouped
def watch(
    cameras: _CamerasArgument = None,
    *,
    deployment: DeploymentOptions,
    watched: WatchedOptions,
    count: _CountOption = None,
    all_of_them: _AllOption = False,
    as_json: JsonOption = False,
) -> None:
    """Follow tracks and events until Ctrl-C.

    Messages come in the order of their times, about a second late. As text, the people of a camera are shown when they
    change, and otherwise once a second. Events that repeat are summed up: skipped frames, and a camera that goes
    offline and online again and again. With --all each message is a line, and with --json in full, as in the broker.
    """
    from posebus.errors import ConfigError
    from posebus.subscribing.subscriber import subscribe
    from posebus_cli.observe.message_lines import MessageLines, json_line
    from posebus_cli.observe.time_order import TimeOrder

    settings = settings_from(deployment)
    kinds = None if not watched.kind else [item.value for item in watched.kind]
    try:
        messages = subscribe(
            broker_address(settings),
            cameras=cameras or None,
            kinds=kinds,
            after=watched.after,
            shards=settings.shards,
            types=watched.type_ or None,
            rules=watched.rule or None,
            tracks=watched.track or None,
        )
    except ValueError as error:
        raise ConfigError(str(error)) from None
    lines = MessageLines(all_of_them=all_of_them)
    order = TimeOrder()

    def show(found: list[Timed]) -> None:
        for one in found:
            _print([json_line(one.message)] if as_json else lines.add(one.message, one.at_ms))

    with closing(messages):
        try:
            for polled in _polls(messages, count):
                now_s = time.monotonic()
                for message in polled:
                    order.add(message, now_s)
                complete_to_ms = order.complete_to_ms(now_s)
                show(order.due(now_s))
                _print(lines.advance_to(complete_to_ms))
        finally:
            show(order.rest())
            _print(lines.rest())


def _polls(messages: Subscription, count: int | None) -> Iterator[list[Message]]:
    """Yield the messages that came together, also none, until there were `count` of them."""
    left = count
    while left is None or left > 0:
        polled = list(islice(messages.poll(POLL_S), left))
        left = None if left is None else left - len(polled)
        yield polled


def _print(lines: Iterable[str | None]) -> None:
    for line in lines:
        if line is not None:
            print(line, flush=True)
