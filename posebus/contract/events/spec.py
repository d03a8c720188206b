"""What the tables of events say about each type."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class EventSpec:
    """When an event of a type is emitted, and the fields of its `data`, with what each holds, as Markdown."""

    when: str
    data: Mapping[str, str]
