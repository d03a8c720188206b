"""Capture times of live pictures: the camera's own clock while it is plausible, else the time of arrival. Pure."""

from __future__ import annotations

from posebus.messages import CaptureClock

MAX_CLOCK_ERROR_NS = 10_000_000_000
"""A camera clock further than this from ours is wrong (time zones, 1970, no NTP); arrival times are better."""
MAX_STEP_NS = 1_000_000_000
"""A camera clock that advances by more than this was set or jumps."""
MAX_FALL_NS = 250_000_000
"""A camera clock that falls back by more than this, too; smaller falls come from late reports."""
MAX_FALLS = 25
"""So many pictures in a row that are not later than the one before mean a clock that stands still."""


class ArrivalClock:
    """The wall clock, read once and continued by the monotonic clock, so that its steps have no effect."""

    def __init__(self, wall_ns: int, monotonic_ns: int) -> None:
        self._offset_ns = wall_ns - monotonic_ns

    def at(self, monotonic_ns: int) -> int:
        """Return the Unix time in ns of the moment `monotonic_ns`."""
        return monotonic_ns + self._offset_ns


class CaptureTimes:
    """Chooses the capture time of each picture and keeps the times of one connection strictly increasing.

    A camera clock that jumps, falls back or stands still is not used any more on this connection. From then on the
    time is that of arrival, shifted by the last offset of the camera's clock, so that the times do not jump.
    """

    def __init__(self) -> None:
        self._last_ns = -1
        self._lead_ns: int | None = None
        self._shift_ns = 0
        self._falls = 0
        self._settled = False
        self._doubted = False

    def stamp(self, arrived_ns: int, camera_ns: int | None) -> tuple[int, CaptureClock] | None:
        """Return the capture time and its clock; None for a picture to drop because it is not later than the last one.

        `camera_ns` is the camera's time of the picture from RTCP sender reports, None if unknown. The first reports may
        come seconds after the first pictures. Their times are then earlier than the arrival times of the last pictures,
        by the transmission delay, and the few pictures in between are dropped.
        """
        if camera_ns is not None and self._trusts(arrived_ns, camera_ns):
            captured_ns, clock = camera_ns, CaptureClock.RTCP
        else:
            captured_ns, clock = arrived_ns + self._shift_ns, CaptureClock.ARRIVAL
        if captured_ns <= self._last_ns:
            self._falls += 1
            return None
        self._falls = 0
        self._settled = self._settled or clock is CaptureClock.RTCP
        self._last_ns = captured_ns
        return captured_ns, clock

    def _trusts(self, arrived_ns: int, camera_ns: int) -> bool:
        lead_ns = camera_ns - arrived_ns
        plausible = abs(lead_ns) <= MAX_CLOCK_ERROR_NS
        if self._lead_ns is None:
            # After pictures with times of arrival, changing to a distant clock would be a jump.
            if not plausible or (self._last_ns >= 0 and abs(lead_ns) > MAX_STEP_NS):
                return False
            self._lead_ns = lead_ns
            return True
        if self._doubted:
            return False
        if not plausible or self._steps(camera_ns, lead_ns):
            self._doubted = True
            self._shift_ns = self._lead_ns if self._settled else 0
            return False
        self._lead_ns = max(self._lead_ns, lead_ns)
        return True

    def _steps(self, camera_ns: int, lead_ns: int) -> bool:
        assert self._lead_ns is not None
        if not self._settled:
            # The first pictures with the camera's time may be earlier than the last ones without, by less than this.
            return abs(lead_ns) > MAX_STEP_NS
        # Delayed pictures arrive late and then catch up: a growing lead is no step while it stays below zero.
        forward = lead_ns > max(self._lead_ns, 0) + MAX_STEP_NS
        return forward or camera_ns < self._last_ns - MAX_FALL_NS or self._falls >= MAX_FALLS
