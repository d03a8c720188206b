from __future__ import annotations

import pytest

from posebus.telemetry.process_report import TRACKER, WORKER, ProcessReport
from tracking.policies.capacity import TARGET_LOAD, CapacityMeter, CapacityShare, Demand, capacity_shares


def worker(pixels: float, busy_s: float, *, ready: bool = True) -> ProcessReport:
    metrics = {"posebus_input_pixels_total": [[pixels]], "posebus_engine_busy_seconds_total": [[busy_s]]}
    return ProcessReport(WORKER, ready=ready, metrics=metrics)


def measured(*speeds: float) -> CapacityMeter:
    """A meter of workers that computed this many pixels in each second that they were busy."""
    meter = CapacityMeter()
    meter.update({f"w{number}": worker(0.0, 0.0) for number in range(len(speeds))})
    meter.update({f"w{number}": worker(10 * speed, 10.0) for number, speed in enumerate(speeds)})
    return meter


def test_capacity_is_the_sum_of_all_workers() -> None:
    assert measured(100.0, 300.0).pixels_per_s == pytest.approx(400.0)


def test_worker_that_was_not_measured_counts_as_one_of_the_mean_speed() -> None:
    meter = measured(100.0)
    meter.update({"w0": worker(1000.0, 10.0), "new": worker(5.0, 0.1), "starting": worker(0, 0, ready=False)})
    assert meter.workers == 2
    assert meter.pixels_per_s == pytest.approx(200.0)


def test_workers_that_are_gone_and_other_processes_do_not_count() -> None:
    meter = measured(100.0, 300.0)
    meter.update({"w1": worker(3000.0, 10.0), "t": ProcessReport(TRACKER)})
    assert meter.pixels_per_s == pytest.approx(300.0)


def test_nothing_is_limited_while_the_speed_is_unknown_or_sufficient() -> None:
    demands = {"a": Demand(1e9, flexible=True)}
    assert capacity_shares(CapacityMeter(), demands) == {}
    assert capacity_shares(measured(1000.0), {"a": Demand(TARGET_LOAD * 1000.0, flexible=True)}) == {}


def test_cameras_share_what_fixed_ones_leave_and_small_demands_are_met() -> None:
    meter = measured(1000.0, 1000.0)
    demands = {
        "fixed": Demand(500.0, flexible=False),
        "small": Demand(200.0, flexible=True),
        "large": Demand(2000.0, flexible=True),
        "huge": Demand(4000.0, flexible=True),
    }
    level = (TARGET_LOAD * 2000.0 - 500.0 - 200.0) / 2
    # 6700 pixels a second at 85 % load need 7.9 workers of 1000: 5.9 more than the two that there are.
    assert capacity_shares(meter, demands) == {
        "small": CapacityShare(200.0, 6),
        "large": CapacityShare(pytest.approx(level), 6),
        "huge": CapacityShare(pytest.approx(level), 6),
    }


def test_fixed_cameras_that_take_everything_leave_nothing() -> None:
    given = capacity_shares(measured(100.0), {"fixed": Demand(500.0, flexible=False), "a": Demand(10.0, flexible=True)})
    assert given["a"].pixels_per_s == 0.0
