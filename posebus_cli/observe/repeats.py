"""Events that repeat, summed up: skipped frames of a camera, and a camera that goes offline and online again and again.

A sum is complete after a window, or when nothing has been added for a while. As long as events go on, each window is
twice as long as the one before, so that an overload of a minute takes a few lines. Pure: times are those of messages.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Mapping
from dataclasses import dataclass, field

from posebus.messages import Event, EventType
from posebus.wording import counted

FIRST_MS, LONGEST_MS = 2000, 60_000
"""The first and the longest window. Under overload each second has an event of skipped frames."""
QUIET_MS = 3000
"""A sum to which nothing was added for so long is complete."""
FLAPS_SHOWN = 2
"""So many changes of a camera within the longest window are shown at once: offline and online again."""
FLAP_QUIET_MS = 10_000
MOST_REASONS, OTHER = 8, "others"
"""Reasons that are counted apart: some quote what a camera answered."""

_Key = tuple[str, str]
_GAPS, _CHANGES = "gaps", "changes"


@dataclass(slots=True)
class _Sum:
    """Events of one camera since `since_ms`: how often each reason, or how many frames for it; and its last state."""

    since_ms: int
    length_ms: int
    last_ms: int
    reasons: Counter[str] = field(default_factory=Counter)
    state: str = ""

    def add(self, reason: str, number: int) -> None:
        """Count `number` frames or events for a reason."""
        known = reason in self.reasons or len(self.reasons) < MOST_REASONS
        self.reasons[reason if known else OTHER] += number

    def is_full_at(self, at_ms: int) -> bool:
        """Whether the window is over."""
        return self.since_ms + self.length_ms <= at_ms


@dataclass(frozen=True, slots=True)
class Repeated:
    """A sum as text, and the time (ms) up to which it counts."""

    camera: str
    at_ms: int
    text: str


class RepeatedEvents:
    """The open sums of all cameras. Events come in the order of their times."""

    def __init__(self) -> None:
        self._open: dict[_Key, _Sum] = {}
        self._before: dict[_Key, tuple[int, int]] = {}
        """The end and the length of the last window of each key."""
        self._changes: dict[str, deque[int]] = {}

    def take(self, event: Event, at_ms: int) -> bool:
        """Add `event` to a sum; returns False for one that is to be shown by itself."""
        if event.type == EventType.CAMERA_GAP:
            reasons = event.data.get("reasons")
            if not isinstance(reasons, Mapping):
                return False
            found = self._sum((event.camera, _GAPS), at_ms)
            for why, number in reasons.items():
                if isinstance(number, int):
                    found.add(str(why), number)
            return True
        if event.type not in (EventType.CAMERA_OFFLINE, EventType.CAMERA_ONLINE):
            return False
        offline = event.type == EventType.CAMERA_OFFLINE
        recent = self._changes.setdefault(event.camera, deque(maxlen=FLAPS_SHOWN + 1))
        recent.append(at_ms)
        shown = sum(one > at_ms - LONGEST_MS for one in recent) <= FLAPS_SHOWN
        if shown and (event.camera, _CHANGES) not in self._open:
            return False
        found = self._sum((event.camera, _CHANGES), at_ms)
        found.state = "offline" if offline else "online"
        if offline:
            found.add(str(event.data.get("reason", "no reason")), 1)
        return True

    def due(self, at_ms: int) -> list[Repeated]:
        """Return the sums that are complete, as no event before `at_ms` will come; in the order of their times."""
        lines = []
        for key, one in list(self._open.items()):
            quiet_at_ms = one.last_ms + _quiet_ms(key)
            if one.is_full_at(min(at_ms, quiet_at_ms)):
                until_ms = one.since_ms + one.length_ms
                self._before[key] = until_ms, one.length_ms
                lines.append(self._close(key, until_ms))
            elif quiet_at_ms <= at_ms:
                lines.append(self._close(key, one.last_ms))
        return sorted(lines, key=lambda line: line.at_ms)

    def rest(self) -> list[Repeated]:
        """Return all sums that are not complete yet."""
        lines = [self._close(key, one.last_ms) for key, one in list(self._open.items())]
        return sorted(lines, key=lambda line: line.at_ms)

    def _sum(self, key: _Key, at_ms: int) -> _Sum:
        found = self._open.get(key)
        if found is None:
            end_ms, length_ms = self._before.pop(key, (-LONGEST_MS, FIRST_MS))
            goes_on = at_ms - end_ms <= _quiet_ms(key)
            since_ms = end_ms if goes_on else at_ms
            found = _Sum(since_ms, min(2 * length_ms, LONGEST_MS) if goes_on else FIRST_MS, at_ms)
            self._open[key] = found
        found.last_ms = at_ms
        return found

    def _close(self, key: _Key, until_ms: int) -> Repeated:
        one = self._open.pop(key)
        return Repeated(key[0], until_ms, _in_words(key[1], one, (until_ms - one.since_ms) / 1000))


def _quiet_ms(key: _Key) -> int:
    return QUIET_MS if key[1] == _GAPS else FLAP_QUIET_MS


def _in_words(kind: str, one: _Sum, seconds: float) -> str:
    number = sum(one.reasons.values())
    within = "" if seconds < 0.1 else f" in {seconds:.1f} s" if seconds < 9.95 else f" in {seconds:.0f} s"
    if kind == _GAPS:
        return f"{counted(number, 'frame')} skipped{within}{_reasons(one.reasons)}"
    if not number:
        return f"{one.state} again"
    return f"{counted(number, 'time')} offline{within}{_reasons(one.reasons)}; now {one.state}"


def _reasons(reasons: Counter[str]) -> str:
    """Return the reasons, the most frequent first, with their numbers if there are several."""
    if len(reasons) < 2:
        return "".join(f": {reason}" for reason in reasons)
    parts = [f"{number} {reason}" for reason, number in reasons.most_common()]
    return f", {len(parts)} reasons: {', '.join(parts)}"
