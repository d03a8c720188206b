"""The time line of a recording: capture times from time stamps that may be wrong. Pure; no clock and no decoder.

Most recordings have good stamps, which are kept, including pauses and variable rates. Some stamps are missing, equal,
or in disorder; single ones may be wrong by seconds; and recordings that were joined start again or jump by hours. The
rules below decide by the stamps that follow: what returns to the old line was wrong, what stays is a new line.
"""

from __future__ import annotations

import itertools
import statistics
from collections import deque
from collections.abc import Sequence
from typing import NamedTuple

WINDOW = 12
"""So many pictures are looked at, at most, before one of them gets its time."""
PLAUSIBLE_STEPS = 4
"""A stamp further ahead than so many steps, or further back, is held against those that follow."""
ROUNDED = 0.1
"""Steps that differ by less than this part are the same step."""
LONGEST_PAUSE_NS = 3600 * 1_000_000_000
"""A longer pause is no pause but another origin, unless pictures are usually that far apart."""


class Stamp(NamedTuple):
    """The times (ns) that the decoder gives a picture: by presentation, and by decoding order. None: unknown."""

    pts_ns: int | None
    dts_ns: int | None


class TimelinePosition(NamedTuple):
    """The state of a time line after a picture.

    `last_ns` is its capture time, `offset_ns` capture time minus stamp, `step_ns` the usual step between pictures.
    """

    last_ns: int
    offset_ns: int
    step_ns: int


class Timeline:
    """Capture times (ns) that strictly increase from `start_ns`, in the order in which pictures are shown.

    `add` pictures, then take their times from `next`, which answers None while it has to see more of them. A picture's
    time depends on at most `window` pictures after it, so the same recording gives the same times however it is read.

    - A missing stamp is one step after the time before.
    - Equal stamps and those in disorder by a few steps are spread up to the next later stamp; the line does not drift.
      Without a later one in sight (`equal`), each is one step after the other.
    - A stamp from which those that follow return to the old line is wrong (`wrong`), and is interpolated.
    - A fall, or a pause of more than an hour, is a new origin (`jumps`): the time line continues after one step.
    """

    def __init__(self, step_ns: int, start_ns: int = 0, window: int = WINDOW) -> None:
        """`step_ns` is the average time between pictures by the container's header; the first stamps correct it."""
        self.wrong = 0
        self.jumps = 0
        self.equal = 0
        self._step_ns = max(2, step_ns)
        self._start_ns = start_ns
        self._window = window
        self._by_dts: bool | None = None
        self._offset_ns: int | None = None
        self._last_ns: int | None = None
        self._last_stamp_ns: int | None = None
        self._waiting: deque[Stamp] = deque()
        self._ended = False

    def add(self, stamp: Stamp) -> None:
        """Append the picture that is shown next."""
        self._waiting.append(stamp)

    def finish(self) -> None:
        """No picture follows those that were added."""
        self._ended = True

    def next(self) -> int | None:
        """Return the capture time of the oldest picture without one; None if more pictures have to be added first."""
        if not self._waiting or not self._knows_clock():
            return None
        stamps = [self._stamp_ns(stamp) for stamp in itertools.islice(self._waiting, self._window)]
        time_ns = self._first(stamps) if self._last_ns is None else self._after(self._last_ns, stamps)
        if time_ns is None:
            return None
        self._waiting.popleft()
        self._last_ns = time_ns
        self._last_stamp_ns = stamps[0]
        return time_ns

    @property
    def position(self) -> TimelinePosition | None:
        """The state for `resume`; None before the first picture, and where stamps are not those of presentation."""
        if self._last_ns is None or self._offset_ns is None or self._by_dts:
            return None
        return TimelinePosition(last_ns=self._last_ns, offset_ns=self._offset_ns, step_ns=self._step_ns)

    def resume(self, position: TimelinePosition) -> None:
        """Continue after the picture at which `position` was taken, as if all pictures before it had been read."""
        self._last_ns, self._offset_ns, self._step_ns = position
        self._last_stamp_ns = self._last_ns - self._offset_ns
        self._by_dts = False

    def restart(self) -> None:
        """Start the recording again from its beginning; capture times continue to increase."""
        self._offset_ns = self._last_stamp_ns = None
        self._waiting.clear()
        self._ended = False

    def _knows_clock(self) -> bool:
        if self._by_dts is None and (self._ended or len(self._waiting) >= self._window):
            self._by_dts = prefers_dts(self._waiting)
            self._step_ns = usual_step_ns([self._stamp_ns(stamp) for stamp in self._waiting], self._step_ns)
        return self._by_dts is not None

    def _stamp_ns(self, stamp: Stamp) -> int | None:
        return stamp.dts_ns if self._by_dts else stamp.pts_ns

    def _first(self, stamps: Sequence[int | None]) -> int:
        first_ns = stamps[0]
        if first_ns is not None:
            second_ns = stamps[1] if len(stamps) > 1 else None
            falls = second_ns is not None and second_ns < first_ns - PLAUSIBLE_STEPS * self._step_ns
            if second_ns is not None and falls and len(stamps) > 2 and self._follows(second_ns, stamps[2]):
                self.wrong += 1
                first_ns = second_ns - self._step_ns
            self._offset_ns = self._start_ns - first_ns
        return self._start_ns

    def _after(self, last_ns: int, stamps: Sequence[int | None]) -> int | None:
        """Return the time of the first of `stamps`, the picture after `last_ns`; None if more have to be seen."""
        stamp_ns = stamps[0]
        if stamp_ns is None:
            return last_ns + self._step_ns
        if self._offset_ns is None:
            self._offset_ns = last_ns + self._step_ns - stamp_ns
        ahead_ns = stamp_ns + self._offset_ns - last_ns
        plausible_ns = PLAUSIBLE_STEPS * self._step_ns
        if 0 < ahead_ns <= plausible_ns:
            return last_ns + ahead_ns
        ahead_of_all_ns = [None if later is None else later + self._offset_ns - last_ns for later in stamps]
        if stamp_ns == self._last_stamp_ns or -plausible_ns < ahead_ns <= 0:
            return self._spread(last_ns, ahead_of_all_ns)
        returns = self._return_to_line(ahead_of_all_ns)
        if returns is not None:
            self.wrong += 1
            return last_ns + max(1, (ahead_of_all_ns[returns] or 0) // (returns + 1))
        if self._may_see_more(stamps):
            return None
        if 0 < ahead_ns <= LONGEST_PAUSE_NS:
            return last_ns + ahead_ns
        self.jumps += 1
        self._offset_ns = last_ns + self._step_ns - stamp_ns
        return last_ns + self._step_ns

    def _spread(self, last_ns: int, ahead_ns: Sequence[int | None]) -> int | None:
        """Return a time between `last_ns` and the next later stamp, at most one step on."""
        for index, ahead in enumerate(ahead_ns):
            if ahead is not None and ahead > index:
                return last_ns + max(1, min(self._step_ns, ahead // (index + 1)))
        if self._may_see_more(ahead_ns):
            return None
        self.equal += len(ahead_ns) >= self._window
        return last_ns + self._step_ns

    def _return_to_line(self, ahead_ns: Sequence[int | None]) -> int | None:
        """Return the index of the first later stamp that continues the old line and not the first stamp."""
        first_ns = ahead_ns[0]
        for index in range(1, len(ahead_ns)):
            ahead, before = ahead_ns[index], ahead_ns[index - 1]
            if ahead is None or first_ns is None or (before is not None and self._follows(before, ahead)):
                continue
            within = 0 < ahead <= PLAUSIBLE_STEPS * self._step_ns * (index + 1)
            if within and (first_ns <= 0 or ahead < first_ns):
                return index
        return None

    def _follows(self, earlier_ns: int, later_ns: int | None) -> bool:
        return later_ns is not None and 0 < later_ns - earlier_ns <= PLAUSIBLE_STEPS * self._step_ns

    def _may_see_more(self, seen: Sequence[object]) -> bool:
        return not self._ended and len(seen) < self._window


def prefers_dts(stamps: Sequence[Stamp] | deque[Stamp]) -> bool:
    """Return whether the decoding order tells the time better: containers such as AVI know no presentation times."""
    return _faults([stamp.pts_ns for stamp in stamps]) > _faults([stamp.dts_ns for stamp in stamps])


def usual_step_ns(stamps: Sequence[int | None], otherwise_ns: int) -> int:
    """Return the median step between pictures by their `stamps` (ns); those of equal stamps share the step to the next.

    `otherwise_ns` is what the header says: it holds if fewer than three stamps increase, and if both nearly agree,
    since stamps are often rounded to milliseconds.
    """
    known = [(index, stamp) for index, stamp in enumerate(stamps) if stamp is not None]
    rising = [known[0]] if known else []
    rising += [this for before, this in itertools.pairwise(known) if this[1] > before[1]]
    steps = [(later - earlier) / (index - before) for (before, earlier), (index, later) in itertools.pairwise(rising)]
    steps = [step for step in steps if step > 0]
    if len(steps) < 3:
        return otherwise_ns
    median_ns = max(2, round(statistics.median(steps)))
    return otherwise_ns if abs(median_ns - otherwise_ns) <= otherwise_ns * ROUNDED else median_ns


def _faults(times: Sequence[int | None]) -> int:
    known = [time for time in times if time is not None]
    return len(times) - len(known) + sum(later <= earlier for earlier, later in itertools.pairwise(known))
