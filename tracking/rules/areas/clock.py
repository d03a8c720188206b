"""Durations of settings and of events. Pure."""

from __future__ import annotations

from tracking.rules.clock import NS_PER_S

ROUNDING_NS = 1_000_000
"""Frame rates whose interval is no whole number of nanoseconds must not be a frame late."""


def nanoseconds(seconds: float) -> int:
    """Return a setting in seconds as the least time between frames that counts as so long."""
    return max(round(seconds * NS_PER_S) - ROUNDING_NS, 0)


def seconds(time_ns: int) -> float:
    """Return a duration as events have it."""
    return round(time_ns / NS_PER_S, 3)
