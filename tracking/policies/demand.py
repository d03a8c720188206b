"""What a live camera asks of the workers: frames a second, and pixels of the network's input a second. Pure."""

from __future__ import annotations

from collections import deque

WINDOW_NS = 6_000_000_000
SHORTEST_NS = 2_000_000_000
"""A rate over less time would follow every hesitation of the camera."""


class DemandMeter:
    """Counts the frames that a camera sends to the workers, those that the workers skip included."""

    def __init__(self) -> None:
        self._frames: deque[tuple[int, int]] = deque()  # (capture time in ns, frames), oldest first
        self._skipped = 0

    def inferred(self, captured_at_ns: int) -> None:
        """Count an inferred frame, and the frames that were skipped before it."""
        if self._frames and captured_at_ns < self._frames[-1][0]:
            self._frames.clear()  # the camera's time went back
        self._frames.append((captured_at_ns, 1 + self._skipped))
        self._skipped = 0
        while captured_at_ns - self._frames[0][0] > WINDOW_NS:
            self._frames.popleft()

    def skipped(self, frames: int) -> None:
        """Count frames that no worker inferred in time."""
        self._skipped += frames

    @property
    def fps(self) -> float | None:
        """Frames a second that are to be inferred; None until enough time has passed."""
        if not self._frames:
            return None
        elapsed_ns = self._frames[-1][0] - self._frames[0][0]
        if elapsed_ns < SHORTEST_NS:
            return None
        return sum(frames for _, frames in list(self._frames)[1:]) * 1e9 / elapsed_ns
