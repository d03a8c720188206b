"""When a page captured its frames, by the clock of this machine. Pure.

Clocks of phones are wrong by seconds, and may be set while a page is open. A message is sent after it was captured and
arrives after it was sent, so the least difference between arrival and sending is the difference of the clocks, but for
the shortest time that a message takes, which is counted as if the capture were later.
"""

from __future__ import annotations

from collections import deque

WINDOW = 100
"""So many messages say what the difference is: a clock that is set, and clocks that drift, are noticed."""
OLDEST_NS = 5_000_000_000
"""A frame is never taken for older than this."""
NS_PER_MS = 1_000_000


class PageClock:
    """The difference between the clock of one page and that of this machine."""

    def __init__(self) -> None:
        self._differences_ns: deque[int] = deque(maxlen=WINDOW)
        self._last_ns = 0

    def capture_ns(self, captured_at_ms: float, sent_at_ms: float, arrived_at_ns: int) -> int:
        """Return when a frame was captured, Unix ns by our clock; both times in ms are by the clock of the page.

        It is never in the future, never more than OLDEST_NS ago, and later than that of the frame before.
        """
        sent_at_ns = int(sent_at_ms * NS_PER_MS)
        difference_ns = arrived_at_ns - sent_at_ns
        if self._differences_ns and abs(difference_ns - min(self._differences_ns)) > OLDEST_NS:
            self._differences_ns.clear()  # one of the clocks was set, or the page slept
        self._differences_ns.append(difference_ns)
        captured_ns = int(captured_at_ms * NS_PER_MS) + min(self._differences_ns)
        captured_ns = max(arrived_at_ns - OLDEST_NS, min(captured_ns, arrived_at_ns))
        if arrived_at_ns - OLDEST_NS <= self._last_ns:
            captured_ns = max(captured_ns, self._last_ns + 1)
        self._last_ns = captured_ns
        return captured_ns
