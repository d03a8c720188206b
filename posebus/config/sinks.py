"""The settings of sinks: programs that get the public messages of a deployment, such as a file or a webhook."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, StringConstraints

from posebus.config.worker_settings import Strict

SINK_NAME_PATTERN = r"^[a-z0-9][a-z0-9_-]{0,31}$"
"""Names become part of the name of a consumer group."""


def check_sink_name(name: object) -> object:
    """Return `name`. Raises ValueError for a text that is no name of a sink."""
    if isinstance(name, str) and not re.match(SINK_NAME_PATTERN, name):
        raise ValueError(
            f"sink name {name!r} is not allowed: use 1 to 32 lower-case letters, digits, '_' or '-', starting with a "
            "letter or digit"
        )
    return name


SinkName = Annotated[str, BeforeValidator(check_sink_name), StringConstraints(pattern=SINK_NAME_PATTERN)]
SinkKind = Literal["tracks", "events", "poses"]
EVENT_TYPE_PATTERN = r"^[A-Za-z0-9._-]+\*?$|^\*$"


def _check_event_type(value: object) -> object:
    if isinstance(value, str) and not re.match(EVENT_TYPE_PATTERN, value):
        raise ValueError(
            f"{value[:50]!r} is no type of an event: write one such as posebus.fall.detected, or its beginning with a *"
        )
    return value


EventTypePattern = Annotated[
    str, StringConstraints(pattern=EVENT_TYPE_PATTERN, max_length=128), BeforeValidator(_check_event_type)
]
"""The type of an event, or its beginning with a `*`."""


class SinkSettings(Strict):
    """One sink that runs beside the deployment; the broker remembers what it has handled by its name."""

    sink: SinkName | None = Field(
        default=None,
        description="jsonl, webhook, mqtt, or one that an installed package adds; null: the one of the entry's name",
    )
    cameras: list[str] | None = Field(default=None, description="Only messages of these cameras; null: of all")
    kinds: list[SinkKind] | None = Field(
        default=None,
        min_length=1,
        description="The kinds of messages that it gets; null: events, and tracks if the sink can take them",
    )
    types: list[EventTypePattern] | None = Field(
        default=None,
        min_length=1,
        description="Only events of these types, such as posebus.fall.detected or posebus.zone.*; null: of all",
    )
    rules: list[str] | None = Field(
        default=None, min_length=1, description="Only events of the rules with these names; null: all events"
    )
    after: Literal["now", "start"] = Field(
        default="now",
        description="Where a sink begins that never ran: with new messages, or with all that the broker has",
    )
    options: dict[str, Any] = Field(default_factory=dict, description="Options of the sink itself")
