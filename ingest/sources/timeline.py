"""The time line of a recording: presentation times made strictly increasing. Pure."""

from __future__ import annotations

from typing import NamedTuple

MUDDLED_STEPS = 4
"""A fall by fewer average steps than this is disorder within the recording, not a new origin."""


class TimelinePosition(NamedTuple):
    """The state of a time line: the last capture time, and capture time minus presentation time."""

    last_ns: int
    offset_ns: int


class Timeline:
    """Capture times (ns) from presentation times (ns) that may be missing, repeated or jump back.

    The first picture is at `start_ns`. A missing time is one average step after the time before. A time that
    repeats or falls back by a few steps (coarse time bases, disorder) advances by half a step, so that the time line
    does not drift from the recording's. A larger fall is a new origin (recordings that were joined): the time line
    continues without a gap.
    """

    def __init__(self, step_ns: int, start_ns: int = 0) -> None:
        """`step_ns` is the average time between pictures."""
        self._step_ns = max(2, step_ns)
        self._start_ns = start_ns
        self._offset_ns: int | None = None
        self._last_ns: int | None = None

    def next(self, presented_ns: int | None) -> int:
        """Return the capture time of the next picture, whose presentation time is `presented_ns`."""
        if self._last_ns is None:
            self._last_ns = self._start_ns
            self._offset_ns = None if presented_ns is None else self._start_ns - presented_ns
            return self._last_ns
        self._last_ns = self._after(self._last_ns, presented_ns)
        return self._last_ns

    @property
    def position(self) -> TimelinePosition | None:
        """The state for `resume`; None before the first picture, and while pictures have no presentation times."""
        if self._last_ns is None or self._offset_ns is None:
            return None
        return TimelinePosition(last_ns=self._last_ns, offset_ns=self._offset_ns)

    def resume(self, position: TimelinePosition) -> None:
        """Continue after the picture at which `position` was taken, as if all pictures before it had been read."""
        self._last_ns, self._offset_ns = position.last_ns, position.offset_ns

    def restart(self) -> None:
        """Start the recording again from its beginning; capture times continue to increase."""
        self._offset_ns = None

    def _after(self, last_ns: int, presented_ns: int | None) -> int:
        if presented_ns is None:
            return last_ns + self._step_ns
        if self._offset_ns is None:
            self._offset_ns = last_ns + self._step_ns - presented_ns
        time_ns = presented_ns + self._offset_ns
        if time_ns > last_ns:
            return time_ns
        if last_ns - time_ns < MUDDLED_STEPS * self._step_ns:
            return last_ns + self._step_ns // 2
        self._offset_ns = last_ns + self._step_ns - presented_ns
        return last_ns + self._step_ns
