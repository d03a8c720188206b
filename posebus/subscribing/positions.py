"""Where a subscription begins in its streams: `after` as text or time, and positions as entry ids. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from posebus.contract.foreign_json import load_object
from posebus.errors import MalformedMessage

BEGINNING = "0-0"
_ENTRY_ID = re.compile(r"\d{1,20}-\d{1,20}", re.ASCII)
_LAST_COUNTER = 2**64 - 1
"""The last entry of a millisecond: what comes after it was added in a later one."""
AHEAD_MS = 60_000
"""A time of this much in the future may be the present by another clock."""


@dataclass(frozen=True, slots=True)
class Beginning:
    """Where streams are read from that have no position yet.

    now: the newest entries, which are not read. time_ms: by the broker's clock, which dates entries (Unix ms).
    positions: of the streams of an earlier subscription. If none is given: the oldest entries.
    """

    now: bool = False
    time_ms: int | None = None
    positions: Mapping[str, str] = field(default_factory=dict)

    @property
    def before_time(self) -> str | None:
        """The position just before the entries of `time_ms`."""
        if self.time_ms is None:
            return None
        return BEGINNING if self.time_ms <= 0 else f"{self.time_ms - 1}-{_LAST_COUNTER}"


def read_after(after: str | datetime, now_ms: float) -> Beginning:
    """What `after` says: now, start, a time, or the cursor of an earlier subscription. Raises ValueError.

    Times without a time zone are those of this machine. now_ms: the time of the call, Unix ms.
    """
    if after in ("now", "start"):
        return Beginning(now=after == "now")
    time = after if isinstance(after, datetime) else _time(after)
    if time is None:
        return Beginning(positions=_cursor(str(after)))
    try:
        time_ms = int(time.timestamp() * 1000)
    except (OverflowError, OSError, ValueError) as error:
        raise ValueError(f"`after` is a time that no clock shows: {time}") from error
    if time_ms > now_ms + AHEAD_MS:
        raise ValueError(f"`after` is a time in the future, {time.isoformat()}: use 'now' for messages from now on")
    return Beginning(time_ms=time_ms)


def order(entry_id: str) -> tuple[int, int]:
    """The id of an entry as numbers that sort."""
    milliseconds, _, counter = entry_id.partition("-")
    return int(milliseconds), int(counter or 0)


def _time(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None


def _cursor(text: str) -> dict[str, str]:
    try:
        positions = load_object(text, "a cursor")
    except MalformedMessage:
        positions = {"": None}
    if all(isinstance(value, str) and _ENTRY_ID.fullmatch(value) for value in positions.values()):
        return positions
    raise ValueError(
        "`after` must be 'now', 'start', a time such as 2026-12-01T05:00:00Z, or the cursor of an earlier subscription"
    )
