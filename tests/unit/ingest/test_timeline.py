from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from ingest.sources.timeline import Timeline

STEP_NS = 40_000_000
Presented = st.lists(st.one_of(st.none(), st.integers(-(2**50), 2**60)), min_size=1, max_size=100)


@given(Presented, st.integers(0, 2**61))
def test_times_strictly_increase_from_the_start_for_any_file(presented: list[int | None], start_ns: int) -> None:
    timeline = Timeline(STEP_NS, start_ns)
    times_ns = [timeline.next(value) for value in presented]
    assert times_ns[0] == start_ns
    assert all(later > earlier for earlier, later in itertools.pairwise(times_ns))


@given(st.lists(st.integers(1, 10**9), min_size=1, max_size=50), st.integers(-(10**12), 10**12))
def test_good_times_are_kept_relative_to_the_first(gaps_ns: list[int], first_ns: int) -> None:
    timeline = Timeline(STEP_NS)
    assert timeline.next(first_ns) == 0
    total_ns = 0
    for gap_ns in gaps_ns:
        total_ns += gap_ns
        assert timeline.next(first_ns + total_ns) == total_ns


def test_missing_times_are_an_average_step_apart() -> None:
    timeline = Timeline(STEP_NS)
    assert [timeline.next(None) for _ in range(3)] == [0, STEP_NS, 2 * STEP_NS]


def test_repeated_time_does_not_shift_the_rest() -> None:
    timeline = Timeline(STEP_NS)
    presented = [0, STEP_NS, STEP_NS, 2 * STEP_NS, 3 * STEP_NS]
    assert [timeline.next(value) for value in presented] == [
        0,
        STEP_NS,
        STEP_NS * 3 // 2,
        2 * STEP_NS,
        3 * STEP_NS,
    ]


def test_a_disordered_time_does_not_shift_the_rest() -> None:
    timeline = Timeline(STEP_NS)
    presented = [0, STEP_NS, 2 * STEP_NS, STEP_NS, 2 * STEP_NS, 5 * STEP_NS]
    assert [timeline.next(value) / STEP_NS for value in presented] == [0, 1, 2, 2.5, 3, 5]


def test_a_joined_recording_continues_without_a_gap() -> None:
    timeline = Timeline(STEP_NS)
    presented = [10 * STEP_NS, 11 * STEP_NS, 0, STEP_NS]
    assert [timeline.next(value) for value in presented] == [0, STEP_NS, 2 * STEP_NS, 3 * STEP_NS]


def test_times_increase_through_a_loop() -> None:
    timeline = Timeline(STEP_NS)
    first = [timeline.next(value) for value in (0, STEP_NS)]
    timeline.restart()
    second = [timeline.next(value) for value in (0, STEP_NS)]
    assert first + second == [0, STEP_NS, 2 * STEP_NS, 3 * STEP_NS]
