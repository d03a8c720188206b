"""The time of a rule: captured time that has passed, which never goes back. Pure."""

from __future__ import annotations

from typing import Any

NS_PER_S = 1_000_000_000
ROUNDING_NS = 1_000_000
"""Frame rates whose interval is no whole number of nanoseconds must not be a frame late."""
STEADY_NS = 2 * NS_PER_S
"""Frames that are less apart show all that happens between them."""
GAP_FACTOR = 3
"""An interval that is so many times the one before is a gap in the stream."""


def tick(whole: dict[str, Any], captured_at_ns: int) -> tuple[int, int]:
    """Note a frame in the memory of a rule; returns the rule's time of this frame and of the one before.

    A clock that stands still or goes back, as that of a recording which begins again, adds no time.
    """
    before_ns = int(whole.get("now_ns", 0))
    passed_ns = captured_at_ns - int(whole.get("captured_at_ns", captured_at_ns))
    now_ns = before_ns + passed_ns if passed_ns > 0 else before_ns
    whole["now_ns"], whole["captured_at_ns"] = now_ns, captured_at_ns
    return now_ns, before_ns


def tick_of_watched(whole: dict[str, Any], captured_at_ns: int) -> tuple[int, int]:
    """The same in the time in which the picture was watched: an unusually long interval between two frames adds none.

    A camera that sends a frame every minute has long intervals, but usual ones.
    """
    passed_ns = captured_at_ns - int(whole.get("captured_at_ns", captured_at_ns))
    usual_ns = int(whole.get("interval_ns", 0))
    now_ns, before_ns = tick(whole, captured_at_ns)
    whole["interval_ns"] = passed_ns
    if passed_ns > max(STEADY_NS, GAP_FACTOR * usual_ns):
        whole["now_ns"] = now_ns = before_ns
    return now_ns, before_ns


def nanoseconds(seconds: float) -> int:
    """Return a setting in seconds as the least time between frames that counts as so long."""
    return max(round(seconds * NS_PER_S) - ROUNDING_NS, 0)


def seconds(time_ns: int) -> float:
    """Return a duration as events have it."""
    return round(time_ns / NS_PER_S, 3)
