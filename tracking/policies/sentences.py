"""Sentences about inference sizes, for users."""

from __future__ import annotations

from posebus.wording import counted


def fixed_size_advice(fixed: int, found: float, larger: int, found_larger: float) -> str:
    """Return what to do about a fixed size (pixels) at which fewer people are found than at a larger one."""
    if found <= 0:
        how_many = f"people are found where {fixed} px finds none"
    else:
        how_many = f"{_times_as_many(found_larger / found)} are found"
    return f"at {larger} px {how_many}; leave out --imgsz, or use --imgsz {larger}"


def capacity_advice(wanted: str, ratio: float, missing_workers: int) -> str:
    """Return what more workers would gain: a camera's `wanted` view would find `ratio` times as many people."""
    workers = counted(missing_workers, "more worker")
    return (
        f"{wanted} px would find {_times_as_many(ratio)} here; {workers} of this speed, on cores of their own, would "
        "carry it"
    )


def _times_as_many(ratio: float) -> str:
    """Return "about 7 times as many people", or below twice as many "about 30 % more people"."""
    if ratio >= 1.95:
        return f"about {ratio:.0f} times as many people"
    return f"about {100 * (ratio - 1):.0f} % more people"
