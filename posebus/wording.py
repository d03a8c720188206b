"""Parts of sentences for people: "1 frame", "2 people", "did you mean 'zone'?", times of day."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

IRREGULAR = {"person": "people", "identity": "identities", "entry": "entries", "box": "boxes", "process": "processes"}
"""Nouns whose plural is not the noun and an s."""

_RECORDING_NS = 10 * 365 * 86_400 * 10**9
"""Times below this (1980) count from the start of a recording."""


def plural(number: float, noun: str) -> str:
    """Return `noun` in the form that stands after `number`; of several words the last one changes."""
    if number == 1:
        return noun
    first, space, last = noun.rpartition(" ")
    return f"{first}{space}{IRREGULAR.get(last, f'{last}s')}"


def counted(number: int, noun: str) -> str:
    """Return `number` and `noun`: `counted(2, "dead letter")` is "2 dead letters"."""
    return f"{number} {plural(number, noun)}"


def did_you_mean(name: str, candidates: Iterable[str]) -> str:
    """Return a question that offers the candidate most similar to `name`, or an empty text if none is similar."""
    close = difflib.get_close_matches(name, list(candidates), n=1, cutoff=0.6)
    return f"did you mean {close[0]!r}?" if close else ""


def clock_text(time_ns: int) -> str:
    """Return the local time of day; of a recording without a date, the position in it."""
    if 0 <= time_ns < _RECORDING_NS:
        seconds, milliseconds = divmod(time_ns // 1_000_000, 1000)
        return f"+{timedelta(seconds=seconds)}.{milliseconds:03d}"
    return f"{local_time(time_ns, '%H:%M:%S')}.{time_ns // 1_000_000 % 1000:03d}"


def local_time(time_ns: int, pattern: str) -> str:
    """Return a time (Unix ns) in the local time zone by a pattern of strftime; "?" for one of no calendar."""
    try:
        return datetime.fromtimestamp(time_ns / 1e9, UTC).astimezone().strftime(pattern)
    except (ValueError, OverflowError, OSError):
        return "?"
