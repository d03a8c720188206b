"""The time line of a recording: presentation times made strictly increasing. Pure."""

from __future__ import annotations

MUDDLED_STEPS = 4


class Timeline:
    """Capture times (ns) from presentation times (ns) that may be missing, repeated or jump back.

    The first picture is at `start_ns`. A missing time is one average step after the one before. A time that repeats
    or falls back by a few steps (coarse time bases, muddled orders) goes half a step on, so that the time line does
    not drift from the recording's. A larger fall is a new origin (recordings that were joined): the line goes on
    without a gap.
    """

    def __init__(self, step_ns: int, start_ns: int = 0) -> None:
        """`step_ns`: the average time between pictures."""
        self._step_ns = max(2, step_ns)
        self._start_ns = start_ns
        self._offset_ns: int | None = None
        self._last_ns: int | None = None

    def next(self, presented_ns: int | None) -> int:
        """The capture time of the next picture, whose presentation time is `presented_ns`."""
        if self._last_ns is None:
            self._last_ns = self._start_ns
            self._offset_ns = None if presented_ns is None else self._start_ns - presented_ns
            return self._last_ns
        self._last_ns = self._after(self._last_ns, presented_ns)
        return self._last_ns

    @property
    def place(self) -> tuple[int, int] | None:
        """What `resume` needs; None before the first picture, and while pictures have no times of their own."""
        if self._last_ns is None or self._offset_ns is None:
            return None
        return self._last_ns, self._offset_ns

    def resume(self, place: tuple[int, int]) -> None:
        """Go on behind the picture after which `place` was read, as if all before it had been seen."""
        self._last_ns, self._offset_ns = place

    def restart(self) -> None:
        """The recording plays again from its beginning: its times go on where they are."""
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
