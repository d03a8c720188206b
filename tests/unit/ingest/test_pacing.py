from __future__ import annotations

import itertools
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.sources.pacing import RateCap, RealtimePacer

SECOND_NS = 1_000_000_000


def admitted(times_ns: list[int], max_fps: float | None) -> list[int]:
    cap = RateCap(max_fps)
    return [time_ns for time_ns in times_ns if cap.admit(time_ns)]


@given(
    st.lists(st.integers(1, 200_000_000), min_size=1, max_size=300),
    st.floats(0.5, 60.0),
)
def test_no_window_holds_more_than_the_cap_allows(gaps_ns: list[int], max_fps: float) -> None:
    times_ns = [sum(gaps_ns[: index + 1]) for index in range(len(gaps_ns))]
    kept = admitted(times_ns, max_fps)
    for first in range(len(kept)):
        for last in range(first, len(kept)):
            window_s = (kept[last] - kept[first]) / SECOND_NS
            assert last - first + 1 <= window_s * max_fps + 2.5 + 1e-6


@given(st.floats(5.0, 120.0), st.floats(1.0, 60.0), st.integers(0, 1000))
def test_mean_rate_is_the_lower_of_source_and_cap_within_one_percent(
    source_fps: float, max_fps: float, phase_ms: int
) -> None:
    frames = round(source_fps * 600)
    times_ns = [phase_ms * 1_000_000 + round(index * SECOND_NS / source_fps) for index in range(frames)]
    rate = len(admitted(times_ns, max_fps)) / 600
    assert rate == pytest.approx(min(source_fps, max_fps), rel=0.01)


def test_25_fps_capped_at_10_keeps_ten_of_each_second() -> None:
    times_ns = [index * 40_000_000 for index in range(250)]
    kept = admitted(times_ns, 10.0)
    assert len(kept) in (100, 101)
    gaps_ms = {(later - earlier) // 1_000_000 for earlier, later in itertools.pairwise(kept)}
    assert gaps_ms == {80, 120}


def test_source_at_the_cap_with_jitter_loses_almost_nothing() -> None:
    rng = random.Random(1)
    times_ns = [round((index + rng.uniform(-0.3, 0.3)) * SECOND_NS / 10) + SECOND_NS for index in range(1000)]
    assert len(admitted(times_ns, 10.0)) >= 990


def test_without_a_cap_every_picture_is_admitted() -> None:
    assert admitted([0, 1, 2], None) == [0, 1, 2]


def test_clock_that_falls_back_does_not_block_the_cap() -> None:
    cap = RateCap(10.0)
    assert cap.admit(100 * SECOND_NS)
    assert cap.admit(5 * SECOND_NS)


def test_pacer_waits_until_a_picture_is_due_and_not_if_it_is_late() -> None:
    pacer = RealtimePacer()
    assert pacer.wait_s(0, 10.0) == 0.0
    assert pacer.wait_s(40_000_000, 10.01) == pytest.approx(0.03)
    assert pacer.wait_s(80_000_000, 10.2) == 0.0
    assert pacer.wait_s(300_000_000, 10.2) == pytest.approx(0.1)


def test_pacer_skips_a_jump_and_continues_after_it() -> None:
    pacer = RealtimePacer(max_wait_s=10.0)
    pacer.wait_s(0, 0.0)
    assert pacer.wait_s(60 * SECOND_NS, 0.04) == 0.0
    assert pacer.wait_s(60 * SECOND_NS + 40_000_000, 0.05) == pytest.approx(0.03)


def test_pacer_starts_again_when_the_recording_is_repeated() -> None:
    pacer = RealtimePacer()
    pacer.wait_s(0, 0.0)
    pacer.wait_s(SECOND_NS, 1.0)
    assert pacer.wait_s(0, 2.0) == 0.0
    assert pacer.wait_s(SECOND_NS, 2.5) == pytest.approx(0.5)
