"""Pauses between attempts grow to their limit and never come in step."""

from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from posebus.backoff import Backoff


@given(st.integers(0, 2**32), st.integers(1, 2000))
def test_backoff_doubles_up_to_its_limit_with_jitter_in_the_upper_half(seed: int, attempts: int) -> None:
    backoff = Backoff(0.5, 30.0, random.Random(seed))
    pauses_s = [backoff.next_s() for _ in range(attempts)]
    for attempt, pause_s in enumerate(pauses_s):
        ceiling_s = min(30.0, 0.5 * 2.0 ** min(attempt, 20))
        assert ceiling_s / 2 <= pause_s <= ceiling_s
    backoff.reset()
    assert backoff.next_s() <= 0.5


def test_two_cameras_do_not_come_back_in_step() -> None:
    one, other = Backoff(1.0, 30.0, random.Random(1)), Backoff(1.0, 30.0, random.Random(2))
    assert [one.next_s() for _ in range(5)] != [other.next_s() for _ in range(5)]
