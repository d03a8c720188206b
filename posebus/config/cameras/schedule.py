"""When a camera runs: days and times in a time zone, read from text such as `Mon-Fri 07:00-19:00 Europe/Berlin`. Pure.

Times are those that a clock on the wall shows, also where that clock is set. In the hour that comes twice in autumn, a
camera that runs in any part of it by its schedule runs from the first of these times to the last one, so that it is
never switched off and on again. A time that the clock skips in spring is the moment at which it skips.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from pydantic import BeforeValidator

DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
MAX_ENTRIES = 50
EXAMPLE = "Mon-Fri 07:00-19:00, Sat 10:00-14:00 Europe/Berlin"
WEEK_DAYS = 7
_ZONE = re.compile(r"^[A-Za-z][A-Za-z0-9_+-]*(/[A-Za-z0-9_+-]+)*$")
_TIMES = re.compile(r"^(\d{1,2}):(\d{2})-(\d{1,2}):(\d{2})$")


@dataclass(frozen=True, slots=True)
class Entry:
    """Days of the week (0 is Monday) on which a camera is switched on, and times in minutes from midnight.

    The end is that of the next day if it is not after the begin.
    """

    days: frozenset[int]
    begin_min: int
    end_min: int


@dataclass(frozen=True, slots=True)
class Schedule:
    """The entries of one camera, and the time zone by whose clock they are meant."""

    entries: tuple[Entry, ...]
    zone: ZoneInfo

    def is_on(self, now: datetime) -> bool:
        """Return whether the camera runs at `now`, which has a time zone."""
        today = now.astimezone(self.zone).date()
        spans = (span for offset in (-1, 0) for span in self._spans(today + timedelta(days=offset)))
        return any(begin <= now < end for begin, end in spans)

    def next_begin(self, now: datetime) -> datetime | None:
        """Return when the camera runs next after `now`, by the clock of the zone; None if that is never."""
        today = now.astimezone(self.zone).date()
        for offset in range(WEEK_DAYS + 1):
            begins = [
                begin for begin, end in self._spans(today + timedelta(days=offset)) if begin > now and end > begin
            ]
            if begins:
                return min(begins).astimezone(self.zone)
        return None

    def _spans(self, day: date) -> Iterator[tuple[datetime, datetime]]:
        """Yield begin and end (UTC) of the runs that begin on `day`."""
        for entry in self.entries:
            if day.weekday() in entry.days:
                over = entry.end_min <= entry.begin_min
                begin = _instant(day, entry.begin_min, self.zone, last=False)
                yield begin, _instant(day + timedelta(days=over), entry.end_min, self.zone, last=True)


def read_schedule(text: str) -> Schedule:
    """Return the schedule in `text`. Raises ValueError with the rest of a sentence about the setting."""
    words = text.split()
    if not words:
        raise ValueError(f"must hold days, times and a time zone, such as {EXAMPLE}; null: the camera always runs")
    zone = _zone(words[-1])
    parts = [part.strip() for part in " ".join(words[:-1]).split(",")]
    if len(parts) > MAX_ENTRIES:
        raise ValueError(f"must have at most {MAX_ENTRIES} entries, not {len(parts)}")
    return Schedule(tuple(_entry(part) for part in parts), zone)


def checked_schedule(value: object) -> str:
    """Return the text `value` with single spaces. Raises ValueError if it is no schedule."""
    if not isinstance(value, str):
        raise ValueError(f"must be text such as {EXAMPLE}")
    read_schedule(value)
    return " ".join(value.split())


ScheduleField = Annotated[str | None, BeforeValidator(lambda value: None if value is None else checked_schedule(value))]
"""The type of the setting."""


def _zone(name: str) -> ZoneInfo:
    if not _ZONE.match(name) or name.split("-")[0].title() in DAYS:
        raise ValueError(f"must end with a time zone, such as {EXAMPLE}")
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(f"has the time zone {name!r}, which is not known{_similar(name)}") from None


def _similar(name: str) -> str:
    last = name.rpartition("/")[2].lower()
    found = sorted(zone for zone in available_timezones() if zone.rpartition("/")[2].lower() == last)
    return f"; did you mean {found[0]!r}?" if last and found else "; write one like Europe/Berlin, or UTC"


def _entry(part: str) -> Entry:
    """Read one entry: days, times, or days and then times."""
    if not part:
        raise ValueError(f"must have days, times or both between its commas, such as {EXAMPLE}")
    *before, last = part.split()
    times = _TIMES.match(last)
    if times is None and any(letter.isdigit() for letter in last):
        raise ValueError(f"has {last!r} where times such as 07:00-19:00 are expected")
    days = _days(before if times else [*before, last])
    if times is None:
        return Entry(days, 0, 24 * 60)
    begin_min, end_min = _minutes(times[1], times[2], last), _minutes(times[3], times[4], last)
    if begin_min == 24 * 60:
        raise ValueError(f"has {last!r}, which begins at 24:00; write 00:00 of the next day")
    if begin_min == end_min:
        raise ValueError(f"has {last!r}, which begins and ends at one time; write 00:00-24:00 for a whole day")
    return Entry(days, begin_min, end_min)


def _minutes(hours: str, minutes: str, shown: str) -> int:
    total = 60 * int(hours) + int(minutes)
    if int(minutes) > 59 or total > 24 * 60:
        raise ValueError(f"has {shown!r}, which is no time of the day: from 00:00 to 24:00")
    return total


def _days(words: list[str]) -> frozenset[int]:
    """Return the days that `words` name, each as `Mon` or as `Mon-Fri`; all of them without words."""
    if not words:
        return frozenset(range(WEEK_DAYS))
    found: set[int] = set()
    for word in words:
        first, dash, last = word.partition("-")
        begin, end = _day(first, word), _day(last if dash else first, word)
        found.update((begin + offset) % WEEK_DAYS for offset in range((end - begin) % WEEK_DAYS + 1))
    return frozenset(found)


def _day(name: str, word: str) -> int:
    if name.title() not in DAYS:
        raise ValueError(f"has {word!r} where days are expected: {', '.join(DAYS)}, or two of them such as Mon-Fri")
    return DAYS.index(name.title())


def _instant(day: date, minutes: int, zone: ZoneInfo, *, last: bool) -> datetime:
    """Return when a clock in `zone` shows these minutes after midnight of `day` (UTC); of two times the first or last.

    If the clock skips that time, it is when it skips.
    """
    wall = datetime.combine(day, time()) + timedelta(minutes=minutes)
    before, after = (wall.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1))
    if before <= after:
        return after if last else before
    # The clock skips this time, so the two offsets give it in the wrong order, with the change between them.
    offset = after.astimezone(zone).utcoffset()
    low, high = after, before
    while high - low > timedelta(seconds=1):
        middle = low + (high - low) / 2
        low, high = (middle, high) if middle.astimezone(zone).utcoffset() == offset else (low, middle)
    return high.replace(microsecond=0)


def moment_text(moment: datetime) -> str:
    """Return day and time by the clock of its zone: `Mon 07:00 CET`."""
    return f"{DAYS[moment.weekday()]} {moment:%H:%M} {moment.tzname()}"
