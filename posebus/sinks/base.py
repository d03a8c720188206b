"""The interfaces of sinks, and the spec by which one enters the table.

A package of its own adds one by a line of its pyproject.toml::

    [project.entry-points."posebus.sinks"]
    webhook = "mypackage.webhook:SPEC"

`posebus deliver webhook` runs one, and so does `posebus up` for each entry under `sinks:` in its file. See
`posebus.installed.plugins` for how plug-ins are found, and examples/plugin for a package.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol

from posebus.bus.redis.connection import Broker
from posebus.config.settings import Settings
from posebus.config.sinks import SinkKind
from posebus.subscribing.subscription import Message


class Sink(Protocol):
    """Takes messages one after the other. A sink may also have a method `close()`, which is called last."""

    def write(self, message: Message) -> None:
        """Handle one message.

        Each message comes at least once: when this returns, it counts as handled; after any exception it is given
        again, after a pause that grows, and messages wait in the broker meanwhile. It may also come again after this
        process was killed: `message.stream` and `message.id` identify it.
        """


class SendOutcome(StrEnum):
    """What became of one attempt to send an event. REFUSED: no further attempt can succeed."""

    DELIVERED = "delivered"
    FAILED = "failed"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class SendResult:
    """The result of one attempt. `status`: what the receiver answered, such as 204; `why`: one sentence, if it failed.

    wait_s: how long the receiver asks to wait. unreachable: nothing answered, so that the next event that is delivered
    shows that the receiver is back.
    """

    outcome: SendOutcome
    status: str = ""
    why: str = ""
    wait_s: float = 0.0
    unreachable: bool = False


class Sender(Protocol):
    """Sends events to a receiver, one in each call, from up to `lanes` threads at once.

    Events about one track are sent one after the other; posebus repeats what failed, for up to `give_up_s`, and keeps
    what was refused. A sender may also have the methods `trouble()`, which returns a sentence while the receiver is
    away, and `close()`, which is called last, when no thread calls `send` any more.
    """

    lanes: int
    give_up_s: float

    def send(self, message: Message) -> SendResult:
        """Send the event in `message`, and return once the receiver has taken it or the attempt has failed."""


@dataclass(frozen=True, slots=True)
class SinkContext:
    """Where a sink runs. replay: it only sends what was kept, beside the process that runs all the time."""

    name: str
    settings: Settings
    broker: Broker
    replay: bool = False


@dataclass(frozen=True, slots=True)
class SinkSpec:
    """A kind of sink. `open` gets the options of its settings; raise ConfigError with a sentence for wrong ones.

    open_in: the same for a sink that has to know where it runs; it is called instead of `open`. kinds: the kinds of
    messages that it can get; a Sender gets events alone. check: raises ConfigError for the same options as `open`, as
    far as that can be known without opening anything.
    """

    name: str
    open: Callable[[Mapping[str, Any]], Sink | Sender]
    kinds: tuple[SinkKind, ...] = ("tracks", "events", "poses")
    open_in: Callable[[Mapping[str, Any], SinkContext], Sink | Sender] | None = None
    check: Callable[[Mapping[str, Any]], object] | None = None
