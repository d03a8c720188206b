"""Time between frames: how much of it a person counts as unseen, at any frame rate.

A person who was detected in one frame cannot be missed before the next one is due. At 25 frames a second that hardly
matters; at one frame in five seconds all tracks would be lost between any two frames.
"""

from __future__ import annotations

from typing import NamedTuple

from posebus.config.low_rates import LONGEST_INTERVAL_S

KEPT = 8
"""Intervals that are remembered: enough to hold one of the long ones where a camera's rate is irregular."""

JITTER = 1.5
"""An interval is as usual up to this many times the longest remembered one."""

LONGEST_NS = round(LONGEST_INTERVAL_S * 1e9)
"""What exceeds this is a gap, never a camera's rate."""


class Intervals(NamedTuple):
    """The intervals between the last frames of one epoch, inferred or not, newest last: `recent_ns`, at most KEPT.

    The first interval of a stream has none before it to be compared with, and is taken as usual up to LONGEST_NS.
    """

    recent_ns: tuple[int, ...] = ()

    def followed_by(self, elapsed_ns: int) -> Intervals:
        """The intervals after a frame of the same epoch that came `elapsed_ns` after the one before."""
        return Intervals((*self.recent_ns, min(elapsed_ns, LONGEST_NS))[-KEPT:])

    def usual_ns(self) -> int:
        """Longest interval that the next frame may take without being late."""
        return min(round(JITTER * max(self.recent_ns, default=LONGEST_NS)), LONGEST_NS)

    def not_unseen_ns(self, elapsed_ns: int, counted_ns: int) -> int:
        """How much of the `elapsed_ns` between two frames does not count as unseen.

        Of an interval as usual, `counted_ns` count at most; the time by which the frame is late counts wholly.
        """
        return max(min(elapsed_ns, self.usual_ns()) - counted_ns, 0)


NO_INTERVALS = Intervals()
"""Before the second frame."""
