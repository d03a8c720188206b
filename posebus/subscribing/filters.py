"""Which events a reader wants, by their type and by the rule that they come from. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from posebus.messages import Event


@dataclass(frozen=True, slots=True)
class EventFilter:
    """types: exact types, or their beginning with a `*`; rules: names of rules. None: all events."""

    types: Sequence[str] | None = None
    rules: Sequence[str] | None = None

    def missed(self, event: Event) -> str | None:
        """The name of the filter that the event does not pass: `types` or `rules`; None if it passes."""
        if self.types is not None and not any(matches(pattern, event.type) for pattern in self.types):
            return "types"
        if self.rules is not None and event.data.get("rule") not in self.rules:
            return "rules"
        return None


def matches(pattern: str, event_type: str) -> bool:
    """Whether the type is `pattern`, or begins with what stands before a `*` at the end of it."""
    return event_type.startswith(pattern[:-1]) if pattern.endswith("*") else event_type == pattern
