"""Which events a sink gets, by its settings `types` and `rules`. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from posebus.messages import Event
from posebus.subscribing.filters import MessageFilter
from posebus.subscribing.subscription import Message


class EventFilter:
    """The filters of a subscription one by one, so that it can be said which of them an event does not pass."""

    def __init__(self, types: Sequence[str] | None = None, rules: Sequence[str] | None = None) -> None:
        """None: all events. Raises ValueError for a wrong filter."""
        self._by_name = {
            "types": MessageFilter.checked(("events",), {"types": types}),
            "rules": MessageFilter.checked(("events",), {"rules": rules}),
        }

    def missed(self, event: Event) -> str | None:
        """The name of the filter that the event does not pass: `types` or `rules`; None if it passes."""
        message = Message("events", event.camera, event, None, "", "")
        return next((name for name, one in self._by_name.items() if one.apply(message) is None), None)
