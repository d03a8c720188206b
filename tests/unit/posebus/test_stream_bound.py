"""The number of entries that a bound in bytes leaves, from the sizes of appended entries."""

from __future__ import annotations

from collections import deque

from hypothesis import given, settings
from hypothesis import strategies as st

from posebus.bus.stream_bound import Ledger, Peak

BOUND = 100_000
SIZES = st.lists(st.tuples(st.integers(50, 5_000), st.integers(1, 200)), min_size=1, max_size=12)
"""Scenes: (number of entries, their approximate size in bytes)."""


def played(bound: Ledger | Peak, scenes: list[tuple[int, int]], before: list[int]) -> tuple[int, int]:
    """(largest size in bytes, entries at the end) of a stream that is trimmed by `bound`."""
    stream = deque(before)
    most = 0
    for size, number in scenes:
        for index in range(number):
            stream.append(size + index % 40)
            kept = bound.append(stream[-1])
            while len(stream) > kept:
                stream.popleft()
            most = max(most, sum(stream))
    return most, len(stream)


@settings(deadline=None, max_examples=50)
@given(SIZES)
def test_a_ledger_keeps_as_much_as_fits_within_a_tenth(scenes: list[tuple[int, int]]) -> None:
    most, _ = played(Ledger(BOUND, 1_000_000), scenes, [])
    sent = sum(size + index % 40 for size, number in scenes for index in range(number))
    assert most <= 1.1 * BOUND
    assert most >= min(sent, 0.85 * BOUND)


@settings(deadline=None, max_examples=50)
@given(SIZES)
def test_entries_of_before_a_restart_count(scenes: list[tuple[int, int]]) -> None:
    before = [2_000] * 50
    most, _ = played(Ledger(BOUND, 1_000_000, (50, 2_000.0)), scenes, before)
    assert most <= 1.1 * BOUND


@settings(deadline=None, max_examples=50)
@given(SIZES, st.integers(1, 50))
def test_a_ledger_also_bounds_entries(scenes: list[tuple[int, int]], max_entries: int) -> None:
    _, entries = played(Ledger(BOUND, max_entries), scenes, [])
    assert entries <= max_entries


@settings(deadline=None, max_examples=50)
@given(SIZES)
def test_with_several_producers_every_entry_counts_as_the_largest(scenes: list[tuple[int, int]]) -> None:
    most, _ = played(Peak(BOUND), scenes, [])
    assert most <= 1.3 * BOUND


def test_a_crowd_shortens_a_stream_only_for_a_while() -> None:
    bound = Peak(BOUND)
    bound.append(50_000)
    assert bound.append(100) == 2
    for _ in range(10_000):
        kept = bound.append(100)
    assert kept > 0.8 * BOUND / 100


def test_one_entry_of_any_size_stays() -> None:
    assert Ledger(1_000, 10).append(5_000) == 1
    assert Peak(1_000).append(5_000) == 1
