"""What waits to be sent to one page: a slow page gets fewer messages, never more than these."""

from __future__ import annotations

import asyncio
from collections import deque

MOST_EVENTS = 200
MOST_PROBLEMS = 20


class PageOutbox:
    """Messages for one page. Of states only the newest waits; of events and problems the newest of many.

    Frames wait as well, as few as `wall.live.flow` lets through.
    """

    def __init__(self) -> None:
        self._states: dict[str, str] = {}
        self._events: deque[str] = deque(maxlen=MOST_EVENTS)
        self._problems: deque[str] = deque(maxlen=MOST_PROBLEMS)
        self._frames: deque[bytes] = deque()
        self._filled = asyncio.Event()

    def put_state(self, kind: str, message: str) -> None:
        """`message` replaces the one of the same kind that still waits."""
        self._states[kind] = message
        self._filled.set()

    def put_event(self, message: str) -> None:
        """Add an event."""
        self._events.append(message)
        self._filled.set()

    def put_problem(self, message: str) -> None:
        """Add a problem."""
        self._problems.append(message)
        self._filled.set()

    def put_frame(self, message: bytes) -> None:
        """Add a frame."""
        self._frames.append(message)
        self._filled.set()

    async def next(self) -> str | bytes:
        """Return the next message, as soon as there is one: states first, then problems, events and frames."""
        while True:
            if self._states:
                return self._states.pop(next(iter(self._states)))
            if self._problems:
                return self._problems.popleft()
            if self._events:
                return self._events.popleft()
            if self._frames:
                return self._frames.popleft()
            self._filled.clear()
            await self._filled.wait()
