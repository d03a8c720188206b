"""Key frame filter, lag, and capture times of live streams."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.sources.clocks import MAX_CLOCK_ERROR_NS, ArrivalClock, CaptureTimes
from ingest.sources.decoding.keyframes import KeyframeFilter, LagMeter
from ingest.sources.usb import moment_ns
from posebus.messages import CaptureClock

SECOND_NS = 1_000_000_000


def test_nothing_passes_before_the_first_key_frame() -> None:
    gate = KeyframeFilter()
    assert [gate.passes(is_key=key, lag_s=0.0) for key in (False, False, True, False)] == [False, False, True, True]
    assert not gate.starting


def test_after_damage_nothing_passes_before_the_next_key_frame() -> None:
    gate = KeyframeFilter()
    gate.passes(is_key=True, lag_s=0.0)
    gate.block()
    assert not gate.passes(is_key=False, lag_s=0.0)
    assert gate.passes(is_key=True, lag_s=0.0)


def test_while_reading_lags_key_frames_are_skipped_until_one_is_in_time() -> None:
    gate = KeyframeFilter()
    gate.passes(is_key=True, lag_s=0.0)
    assert not gate.passes(is_key=True, lag_s=1.5)
    assert not gate.passes(is_key=False, lag_s=0.2)
    assert gate.passes(is_key=True, lag_s=0.2)


def test_lag_is_zero_for_a_stream_read_in_time_even_if_the_camera_clock_drifts() -> None:
    meter = LagMeter()
    day_s = 86_400
    assert max(meter.lag_s(second * (1 - 5e-5), float(second)) for second in range(day_s)) < 0.01


def test_lag_grows_when_decoding_is_slower_than_the_camera() -> None:
    meter = LagMeter()
    lags_s = [meter.lag_s(frame / 25, frame / 24) for frame in range(1000)]
    assert lags_s[-1] > 1.0


@given(
    st.lists(
        st.tuples(st.integers(0, 100 * SECOND_NS), st.one_of(st.none(), st.integers(0, 200 * SECOND_NS))), max_size=50
    )
)
def test_capture_times_strictly_increase_and_never_follow_a_wrong_clock(
    pictures: list[tuple[int, int | None]],
) -> None:
    times = CaptureTimes()
    last_ns = -1
    for arrived_ns, camera_ns in pictures:
        stamp = times.stamp(arrived_ns, camera_ns)
        if stamp is None:
            continue
        captured_ns, clock = stamp
        assert captured_ns > last_ns
        last_ns = captured_ns
        if clock is CaptureClock.RTCP:
            assert captured_ns == camera_ns
        assert abs(captured_ns - arrived_ns) <= MAX_CLOCK_ERROR_NS


def test_plausible_camera_clock_is_used_and_an_implausible_one_is_not() -> None:
    assert CaptureTimes().stamp(100 * SECOND_NS, 99 * SECOND_NS) == (99 * SECOND_NS, CaptureClock.RTCP)
    assert CaptureTimes().stamp(100 * SECOND_NS, 0) == (100 * SECOND_NS, CaptureClock.ARRIVAL)
    assert CaptureTimes().stamp(100 * SECOND_NS, None) == (100 * SECOND_NS, CaptureClock.ARRIVAL)


def test_at_the_first_sender_report_pictures_with_earlier_times_are_dropped() -> None:
    times = CaptureTimes()
    assert times.stamp(10 * SECOND_NS, None) is not None
    assert times.stamp(10 * SECOND_NS + 40_000_000, 10 * SECOND_NS - 260_000_000) is None
    assert times.stamp(10 * SECOND_NS + 400_000_000, 10 * SECOND_NS + 100_000_000) is not None


@pytest.mark.parametrize("step_s", [-3600, -5, 5, 3600])
def test_after_a_step_of_the_camera_clock_times_of_arrival_continue_without_a_jump(step_s: int) -> None:
    times = CaptureTimes()
    stamps = [
        times.stamp(
            arrived_ns := 10**15 + number * SECOND_NS // 25, arrived_ns - 80_000_000 + step_s * SECOND_NS * late
        )
        for late in (False, True)
        for number in range(100 * late, 100 + 100 * late)
    ]
    assert None not in stamps
    assert [stamp[1] for stamp in stamps if stamp] == [CaptureClock.RTCP] * 100 + [CaptureClock.ARRIVAL] * 100
    steps_ns = {later[0] - earlier[0] for earlier, later in itertools.pairwise(stamp for stamp in stamps if stamp)}
    assert steps_ns == {SECOND_NS // 25}


@pytest.mark.parametrize("report_every", [1, 5, 25, 250])
def test_a_camera_clock_that_stands_still_costs_a_few_pictures_at_most(report_every: int) -> None:
    times = CaptureTimes()
    stamps = []
    for number in range(1000):
        arrived_ns = 10**15 + number * SECOND_NS // 25
        since_report_ns = number % report_every * SECOND_NS // 25
        stamps.append(times.stamp(arrived_ns, 10**15 + since_report_ns))
    assert stamps.count(None) < 40
    assert stamps[-1] == (10**15 + 999 * SECOND_NS // 25, CaptureClock.ARRIVAL)


@pytest.mark.parametrize("lead_s", [-9, -2, 2, 9])
def test_a_late_camera_clock_that_is_wrong_by_seconds_is_not_used(lead_s: int) -> None:
    times = CaptureTimes()
    stamps = []
    for number in range(500):
        arrived_ns = 10**15 + number * SECOND_NS // 25
        stamps.append(times.stamp(arrived_ns, None if number < 50 else arrived_ns + lead_s * SECOND_NS))
    assert None not in stamps
    assert {stamp[1] for stamp in stamps if stamp} == {CaptureClock.ARRIVAL}


def test_delayed_pictures_keep_the_time_of_the_camera_while_they_catch_up() -> None:
    times = CaptureTimes()
    stamps = []
    for number in range(200):
        camera_ns = 10**15 + number * SECOND_NS // 25
        held_up_ns = max(0, 4 * SECOND_NS - number * SECOND_NS // 25)
        stamps.append(times.stamp(camera_ns + 50_000_000 + held_up_ns, camera_ns))
    assert {stamp[1] for stamp in stamps if stamp} == {CaptureClock.RTCP}
    assert None not in stamps


def test_a_camera_clock_that_is_set_back_is_no_lag() -> None:
    meter = LagMeter()
    lags_s = [meter.lag_s(frame / 25 - (3600 if frame >= 50 else 0), frame / 25) for frame in range(100)]
    assert max(lags_s) < 0.01


def test_arrival_clock_ignores_steps_of_the_wall_clock() -> None:
    clock = ArrivalClock(wall_ns=1_000 * SECOND_NS, monotonic_ns=7 * SECOND_NS)
    assert clock.at(8 * SECOND_NS) == 1_001 * SECOND_NS


def test_time_stamp_of_the_driver_is_used_only_if_plausible() -> None:
    now_ns = 50 * SECOND_NS
    assert moment_ns(49_950.0, now_ns) == 49_950_000_000
    assert moment_ns(0.0, now_ns) == now_ns
    assert moment_ns(60_000.0, now_ns) == now_ns
