"""The time line of a recording, in steps of 40 ms unless said otherwise."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.sources.timeline import WINDOW, Stamp, Timeline, TimelinePosition, usual_step_ns

STEP_NS = 40_000_000
Presented = st.lists(st.one_of(st.none(), st.integers(-(2**50), 2**60)), min_size=1, max_size=100)
PLAIN = list(range(30))


def times_of(timeline: Timeline, stamps: Sequence[Stamp], *, ends: bool = True) -> list[int]:
    """The times (ns) of pictures that come one by one."""
    times = []
    for stamp in [*stamps, None]:
        if stamp is not None:
            timeline.add(stamp)
        elif ends:
            timeline.finish()
        while (time_ns := timeline.next()) is not None:
            times.append(time_ns)
    return times


def in_steps(presented: Sequence[float | None], timeline: Timeline | None = None) -> list[float]:
    """The times, in steps, of pictures that are presented at these times in steps."""
    stamps = [Stamp(None if value is None else round(value * STEP_NS), None) for value in presented]
    return [time / STEP_NS for time in times_of(timeline or Timeline(STEP_NS), stamps)]


def changed(positions: slice, *values: float) -> list[float]:
    presented: list[float] = list(PLAIN)
    presented[positions] = values
    return presented


@given(Presented, st.integers(0, 2**61))
def test_times_strictly_increase_from_the_start_for_any_file(presented: list[int | None], start_ns: int) -> None:
    times_ns = times_of(Timeline(STEP_NS, start_ns), [Stamp(value, None) for value in presented])
    assert len(times_ns) == len(presented)
    assert times_ns[0] == start_ns
    assert all(later > earlier for earlier, later in itertools.pairwise(times_ns))


@given(st.lists(st.integers(1, 10**9), min_size=1, max_size=50), st.integers(-(10**12), 10**12))
def test_good_times_are_kept_relative_to_the_first(gaps_ns: list[int], first_ns: int) -> None:
    wanted = list(itertools.accumulate([0, *gaps_ns]))
    assert times_of(Timeline(STEP_NS), [Stamp(first_ns + time, None) for time in wanted]) == wanted


@pytest.mark.parametrize(
    ("presented", "wrong"),
    [
        (changed(slice(20, 21), 70), 1),  # 2 s late
        (changed(slice(20, 21), -30), 1),  # 2 s early
        (changed(slice(20, 21), 900_000), 1),  # 10 h late
        (changed(slice(20, 23), 70, 71, 72), 3),
        (changed(slice(20, 22), 70, -90), 2),
        (changed(slice(0, 1), 70), 1),
        (changed(slice(28, 29), 90), 1),  # the last but one
        ([0.0] * 30, 0),
        ([0.0] * 10 + PLAIN[10:], 0),
        ([0.0, None, None, *PLAIN[3:]], 0),
        ([None] * 30, 0),
    ],
)
def test_wrong_equal_and_missing_stamps_do_not_disturb_the_line(presented: list[float | None], wrong: int) -> None:
    timeline = Timeline(STEP_NS)
    assert in_steps(presented, timeline) == PLAIN
    assert (timeline.wrong, timeline.jumps) == (wrong, 0)


@pytest.mark.parametrize(
    "presented",
    [
        PLAIN[:15] + PLAIN[:15],  # joined with itself
        PLAIN[:15] + [value + 900_000 for value in PLAIN[:15]],  # a jump of 10 hours
        [value + 900_000 for value in PLAIN[:15]] + PLAIN[:15],
        PLAIN[:10] + PLAIN[5:25],  # starts again a little earlier
    ],
)
def test_a_new_origin_continues_without_a_gap_and_is_counted(presented: list[float]) -> None:
    timeline = Timeline(STEP_NS)
    assert in_steps(presented, timeline) == PLAIN
    assert (timeline.wrong, timeline.jumps) == (0, 1)


@pytest.mark.parametrize(
    "presented",
    [
        [0, 1, 5, 6, 20, 21, 22, 50],
        [0, 1, 2, 3, 500, 501, 502, 503, 1000, 2000, 2001],
        [*PLAIN, 30_000, 30_001],  # a pause of 20 minutes
        [value * 100_000 for value in PLAIN],  # a picture every hour and more
        [value * value / 4 for value in range(1, 40)],
    ],
)
def test_pauses_and_variable_rates_are_kept(presented: list[float]) -> None:
    timeline = Timeline(STEP_NS)
    assert in_steps(presented, timeline) == [value - presented[0] for value in presented]
    assert (timeline.wrong, timeline.jumps) == (0, 0)


def test_repeated_stamps_are_spread_up_to_the_next() -> None:
    assert in_steps([0, 0, 1, 1, 2, 2, 3, 3, 4]) == [0, 0.5, 1, 1.5, 2, 2.5, 3, 3.5, 4]


def test_disorder_by_a_few_steps_does_not_shift_the_rest() -> None:
    times = in_steps([0, 1, 2, 3, 2, 3, 4, 5, 6, 7, 8])
    assert times[:4] == [0, 1, 2, 3]
    assert times[6:] == [4, 5, 6, 7, 8]


def test_decoding_times_are_used_where_presentation_times_are_in_disorder() -> None:
    """As of H.264 with B-frames in AVI."""
    shuffled = [2, 8, 6, 10, 4, 16, 14, 18, 12, 24, 22, 26, 20]
    stamps = [Stamp(pts * STEP_NS, (index + 2) * STEP_NS) for index, pts in enumerate(shuffled)]
    timeline = Timeline(STEP_NS)
    assert times_of(timeline, stamps) == [index * STEP_NS for index in range(len(shuffled))]
    assert timeline.position is None


def test_times_increase_through_a_loop() -> None:
    timeline = Timeline(STEP_NS)
    first = in_steps([0, 1], timeline)
    timeline.restart()
    assert first + in_steps([0, 1], timeline) == [0, 1, 2, 3]


@given(st.lists(st.integers(-5, 60), min_size=WINDOW + 1, max_size=60))
def test_resuming_gives_the_same_times(gaps: list[int]) -> None:
    presented = [value * STEP_NS // 10 for value in itertools.accumulate(gaps)]
    whole, times, positions = Timeline(STEP_NS), [], []
    for value in [*presented, None]:
        if value is None:
            whole.finish()
        else:
            whole.add(Stamp(value, None))
        while (time_ns := whole.next()) is not None:
            times.append(time_ns)
            positions.append(whole.position)
    rising = [index for index in range(1, len(presented)) if presented[index] > max(presented[:index])]
    for index in rising:
        position = positions[index]
        assert position is not None
        if times[index] - position.offset_ns != presented[index]:
            continue  # FileSource gives no position where the line was repaired
        resumed = Timeline(STEP_NS)
        resumed.resume(TimelinePosition(*position))
        assert times_of(resumed, [Stamp(value, None) for value in presented[index + 1 :]]) == times[index + 1 :]


def test_the_usual_step_is_the_header_s_unless_the_stamps_disagree() -> None:
    assert usual_step_ns([0, 33, 67, 100, 133], 33) == 33
    assert usual_step_ns([0, 40, 80, 90_000, 90_040], 18_000) == 40
    assert usual_step_ns([0, None, 5, 5], 33) == 33
