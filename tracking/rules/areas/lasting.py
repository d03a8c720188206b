"""Whether something has been so for long enough, with short interruptions. Pure."""

from __future__ import annotations

from typing import Any

from tracking.rules.base import Phase


def follow(state: dict[str, Any], holds: bool, now_ns: int, for_ns: int, grace_ns: int) -> Phase | None:
    """Note whether something is so in this frame; returns START or END where it has been so, or not, long enough.

    Args:
        state: what is remembered of it: `since_ns` when it began, `broken_ns` since when it is not so any more, and
            `on` between START and END.
        holds: whether it is so.
        now_ns: time of the frame.
        for_ns: how long it has to be so.
        grace_ns: an interruption that is shorter does not count.
    """
    if holds:
        state.pop("broken_ns", None)
        since_ns = state.setdefault("since_ns", now_ns)
        if "on" not in state and now_ns - since_ns >= for_ns:
            state["on"] = True
            return Phase.START
    elif "since_ns" in state and now_ns - state.setdefault("broken_ns", now_ns) >= grace_ns:
        was_on = "on" in state
        state.clear()
        return Phase.END if was_on else None
    return None
