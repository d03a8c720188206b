"""Whether something has been so for long enough, with short interruptions. Pure."""

from __future__ import annotations

from typing import Any, NamedTuple

from tracking.rules.base import Phase

MOST_LACKING = 0.25
"""Share of the time in which it may not be so before START: what is so now and then does not last."""


class Lasting(NamedTuple):
    """How long something has to be so (`for_ns`), and how long an interruption may be (`grace_ns`)."""

    for_ns: int
    grace_ns: int


def follow(state: dict[str, Any], holds: bool, now_ns: int, before_ns: int, limits: Lasting) -> Phase | None:
    """Note whether something is so in this frame; returns START or END where it has been so, or not, long enough.

    Args:
        state: what is remembered of it: `since_ns` when it began, `lacking_ns` for how long of this time it was not
            so, `broken_ns` since when it is not so any more, and `on` between START and END.
        holds: whether it is so.
        now_ns: time of the frame.
        before_ns: time of the frame before.
        limits: how long it has to last.
    """
    if holds:
        state.pop("broken_ns", None)
        if "on" in state:
            return None
        passed_ns = now_ns - state.setdefault("since_ns", now_ns)
        if passed_ns >= limits.for_ns and state.get("lacking_ns", 0) <= MOST_LACKING * passed_ns:
            state["on"] = True
            return Phase.START
    elif "since_ns" in state:
        if now_ns - state.setdefault("broken_ns", now_ns) >= limits.grace_ns:
            was_on = "on" in state
            state.clear()
            return Phase.END if was_on else None
        if "on" not in state:
            state["lacking_ns"] = state.get("lacking_ns", 0) + now_ns - before_ns
    return None
