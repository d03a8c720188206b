"""The interfaces of sinks and rules, and the specs by which they enter the table.

A package of its own adds them by lines of its pyproject.toml::

    [project.entry-points."posebus.sinks"]
    webhook = "mypackage.webhook:SPEC"

    [project.entry-points."posebus.rules"]
    doorway = "mypackage.doorway:SPEC"

`posebus sink webhook` runs one, and so does `posebus up` for each entry under `sinks:` in its file. See
`posebus.plugins` for how plug-ins are found, and examples/plugin for a package.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from posebus.subscribing.subscription import Message


class Sink(Protocol):
    """Takes messages one after the other. A sink may also have a method `close()`, which is called last."""

    def write(self, message: Message) -> None:
        """Handle one message.

        Each message comes at least once: when this returns, it counts as handled; after any exception it is given
        again, after a pause that grows, and messages wait in the broker meanwhile. It may also come again after this
        process was killed: `message.stream` and `message.id` identify it.
        """


@dataclass(frozen=True, slots=True)
class NewEvent:
    """An event of a rule about the frame or event that it was given.

    type: in reverse-DNS form, as CloudEvents ask for; `posebus.` is for events of posebus. data: JSON values.
    """

    type: str
    data: Mapping[str, Any] = field(default_factory=dict)


class Rule(Protocol):
    """Answers messages with events, which are published like those of posebus."""

    def events(self, message: Message) -> Iterable[NewEvent]:
        """Return the events that follow from `message`.

        Each message comes at least once, as to a sink. The same answer to the same message gives events of the same
        ids, so that subscribers can drop duplicates.
        """


@dataclass(frozen=True, slots=True)
class SinkSpec:
    """A kind of sink. `open` gets the options of its settings; raise ConfigError with a sentence for wrong ones."""

    name: str
    open: Callable[[Mapping[str, Any]], Sink]


@dataclass(frozen=True, slots=True)
class RuleSpec:
    """A kind of rule. `open` is as in SinkSpec."""

    name: str
    open: Callable[[Mapping[str, Any]], Rule]
