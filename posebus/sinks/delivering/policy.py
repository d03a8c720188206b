"""What follows from an attempt: done, another attempt and when, or a letter. Pure."""

from __future__ import annotations

import random
from dataclasses import dataclass

from posebus.backoff import Backoff
from posebus.sinks.base import SendOutcome, SendResult

RETRY_MIN_S, RETRY_MAX_S = 0.5, 60.0
LONGEST_WAIT_S = 3600.0
"""A receiver that asks to wait for longer (Retry-After) is asked again after this time."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """given_up: why the event will not be sent again; None if it was delivered or `pause_s` says when it will be."""

    pause_s: float | None = None
    given_up: str | None = None


def judge(answer: SendResult, attempts: int, since_s: float, give_up_s: float, rng: random.Random) -> Judgement:
    """What follows from the answer to attempt number `attempts`, `since_s` seconds after the first one.

    Pauses double and are drawn at random (`posebus.backoff`), but last at least as long as the receiver asks for.
    """
    if answer.outcome is SendOutcome.DELIVERED:
        return Judgement()
    if answer.outcome is SendOutcome.REFUSED:
        return Judgement(given_up=answer.why)
    if since_s >= give_up_s:
        return Judgement(given_up=f"{answer.why}; given up after {since_s:.0f} s")
    pauses = Backoff(min(RETRY_MAX_S, RETRY_MIN_S * 2.0 ** min(attempts - 1, 20)), RETRY_MAX_S, rng)
    return Judgement(pause_s=max(pauses.next_s(), min(answer.wait_s, LONGEST_WAIT_S)))
