"""Capture times of live pictures: the camera's own clock where it can be believed, else the time of arrival. Pure."""

from __future__ import annotations

from posebus.messages import CaptureClock

MAX_CLOCK_ERROR_NS = 10_000_000_000
"""A camera clock further than this from ours is wrong (time zones, 1970, no NTP): arrival times are better."""


class ArrivalClock:
    """The wall clock as it was read once, carried on by the monotonic clock: steps of the wall clock do not show."""

    def __init__(self, wall_ns: int, monotonic_ns: int) -> None:
        self._offset_ns = wall_ns - monotonic_ns

    def at(self, monotonic_ns: int) -> int:
        """Unix time in ns of the moment `monotonic_ns`."""
        return monotonic_ns + self._offset_ns


class CaptureTimes:
    """Picks each picture's capture time and keeps the times of one connection strictly increasing."""

    def __init__(self) -> None:
        self._last_ns = -1

    def stamp(self, arrived_ns: int, camera_ns: int | None) -> tuple[int, CaptureClock] | None:
        """Capture time and its clock; None for a picture to be dropped because it is not after the one before.

        `camera_ns` is the camera's time of the picture from RTCP sender reports, if known. The first reports may come
        seconds after the first pictures; their times then lie before the arrival times of the last ones, by the
        transmission delay, and the few pictures in between are dropped.
        """
        captured_ns, clock = arrived_ns, CaptureClock.ARRIVAL
        if camera_ns is not None and abs(camera_ns - arrived_ns) <= MAX_CLOCK_ERROR_NS:
            captured_ns, clock = camera_ns, CaptureClock.RTCP
        if captured_ns <= self._last_ns:
            return None
        self._last_ns = captured_ns
        return captured_ns, clock
