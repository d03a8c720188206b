"""The interface of sinks, and the spec by which one enters the table.

A package of its own adds one by a line of its pyproject.toml::

    [project.entry-points."posebus.sinks"]
    webhook = "mypackage.webhook:SPEC"

`posebus sink webhook` runs one, and so does `posebus up` for each entry under `sinks:` in its file. See
`posebus.installed.plugins` for how plug-ins are found, and examples/plugin for a package.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
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
class SinkSpec:
    """A kind of sink. `open` gets the options of its settings; raise ConfigError with a sentence for wrong ones."""

    name: str
    open: Callable[[Mapping[str, Any]], Sink]
