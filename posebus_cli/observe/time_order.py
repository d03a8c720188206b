"""Messages of several streams in the order of their times. Pure: the time of this process is an argument.

Each stream is in order, but a reader gets the new messages of one stream after those of another. So messages are held
back until all streams have been read up to their time, plus a window in which tracks of a slow camera may still come.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from heapq import heappop, heappush

from posebus.messages import Event, EventType, PoseFrame, TrackFrame
from posebus.subscribing.subscription import Message

WINDOW_MS = 1000
"""Longer than a frame takes from its capture to its tracks, unless the workers are overloaded."""
SAME_CLOCK_MS = 10_000
"""Times that differ by more from the broker's clock are those of a recording, or of a wrong clock."""


@dataclass(order=True, frozen=True, slots=True)
class Timed:
    """A message and its place in the order, in ms of the broker's clock (Unix time)."""

    at_ms: int
    number: int
    message: Message = field(compare=False)


class TimeOrder:
    """Takes messages in the order in which they were read, and gives them back in the order of their times."""

    def __init__(self) -> None:
        self._waiting: list[Timed] = []
        self._number = 0
        self._last_ms: dict[str, int] = {}
        self._read_to_ms: dict[str, int] = {}
        """Of each stream that gave messages in the current poll: the time until which it has been read."""
        self._newest_ms = 0
        self._newest_at_s = 0.0

    def add(self, message: Message, now_s: float) -> None:
        """Take a message that was read at `now_s` (monotonic)."""
        published_ms = _published_ms(message)
        at_ms = _shown_ms(message, published_ms)
        if not isinstance(message.body, Event):
            # The clock of a camera may go back, but its frames stay in their order.
            at_ms = self._last_ms[message.stream] = max(at_ms, self._last_ms.get(message.stream, 0))
        self._read_to_ms[message.stream] = published_ms
        if published_ms >= self._newest_ms:
            self._newest_ms, self._newest_at_s = published_ms, now_s
        heappush(self._waiting, Timed(at_ms, self._number, message))
        self._number += 1

    def due(self, now_s: float) -> list[Timed]:
        """Return the messages before which nothing can come any more; to be called once after each poll."""
        end_ms = self.complete_to_ms(now_s)
        self._read_to_ms = {}
        found = []
        while self._waiting and self._waiting[0].at_ms <= end_ms:
            found.append(heappop(self._waiting))
        return found

    def rest(self) -> list[Timed]:
        """Return all messages that are still held back."""
        found = sorted(self._waiting)
        self._waiting = []
        return found

    def complete_to_ms(self, now_s: float) -> int:
        """Return the time until which all streams have been read.

        A stream that gave messages in this poll may have more; one that gave none has none up to now.
        """
        newest_ms = self._newest_ms + round(1000 * (now_s - self._newest_at_s))
        return min(self._read_to_ms.values(), default=newest_ms) - WINDOW_MS


def _published_ms(message: Message) -> int:
    return int(message.id.partition("-")[0])


def _shown_ms(message: Message, published_ms: int) -> int:
    """Return the time that people see for the message, if it is by the same clock as the time of its publication."""
    body = message.body
    if isinstance(body, Event) and body.type == EventType.CAMERA_GAP:
        return published_ms  # the gap began before that, but is known only now
    time_ns = body.captured_at_ns if isinstance(body, TrackFrame | PoseFrame) else body.time_ns
    at_ms = time_ns // 1_000_000
    return at_ms if abs(at_ms - published_ms) < SAME_CLOCK_MS else published_ms
