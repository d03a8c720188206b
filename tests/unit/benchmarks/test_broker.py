"""The arithmetic of the broker's benchmark and of the capacity plan, without a broker."""

from __future__ import annotations

import math
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.broker.capacity import PollCosts, Step, core_fps, find_knee, line, percentile, poll_load
from benchmarks.broker.command import parse
from benchmarks.broker.plan import Assumptions, fleet, largest_cell, plan, worker_hosts
from benchmarks.broker.report import commands, measured, table
from benchmarks.broker.results import ServerRun, read, write
from benchmarks.broker.script import MAX_PEOPLE, people_of, pose_frame
from tests.conftest import ROOT

STEP = Step(
    server="Redis 7.0, TCP",
    servers=1,
    shards=1,
    cameras=100,
    fps=3.0,
    seconds=10.0,
    published=3000,
    poses=3000,
    tracks=3000,
    skipped=0,
    published_total=3600,
    tracks_total=3600,
    skipped_total=0,
    jpeg_bytes=66_000.0,
    backlog_begin=20,
    backlog_end=25,
    poses_age_ms=(55.0, 80.0),
    tracks_age_ms=(60.0, 120.0),
    broker_cpu_s=1.2,
    process_cpu_s=1.25,
    in_bytes=3000 * 80_000,
    out_bytes=3000 * 70_000,
    memory_bytes=9_000_000,
    generators_cpu_s={"writer": 1.0, "worker": 2.0, "tracker": 3.0},
    commands={"xadd": (9000, 90_000), "exec": (6000, 30_000)},
)
COSTS = PollCosts(
    cameras=(20.0, 0.25),
    processes=(40.0, 0.4),
    empty_read=(20.0, 0.4),
    look=(50.0, 3.0),
    reclaim=25.0,
    renew_all=(50.0, 2.0),
    heartbeat=40.0,
    frame=300.0,
)


@given(st.lists(st.floats(-1e6, 1e6), min_size=1), st.floats(0.01, 1))
def test_percentile_is_a_value_that_the_given_share_does_not_exceed(values: list[float], share: float) -> None:
    found = percentile(values, share)
    assert found in values
    assert sum(value <= found for value in values) >= share * len(values) - 1e-6
    assert sum(value < found for value in values) < share * len(values) + 1e-6


def test_percentile_of_few_values_is_one_of_them_and_of_none_is_nan() -> None:
    assert percentile([3.0, 1.0, 2.0], 0.5) == 2.0
    assert percentile([1.0, 2.0], 0.99) == 2.0
    assert math.isnan(percentile([], 0.5))


@pytest.mark.parametrize("limit", [10.0, 99.0, 100.0, 640.0, 5000.0])
def test_knee_is_found_from_either_side_and_no_rate_is_tried_twice(limit: float) -> None:
    tried: list[float] = []

    def good(rate: float) -> bool:
        tried.append(rate)
        return rate <= limit

    knee = find_knee(good, start=100.0, factor=2.0, resolution=1.15)
    assert limit / 1.15 <= knee <= limit
    assert len(tried) < 14
    assert len(set(tried)) == len(tried), "a rate was measured twice"


def test_knee_is_0_if_no_rate_is_carried() -> None:
    assert find_knee(lambda rate: False, start=100.0) == 0.0


def test_figures_of_a_step_follow_from_its_measurements() -> None:
    assert STEP.cpu_us_per_frame == pytest.approx(400.0)
    assert STEP.core_load == pytest.approx(0.12)
    assert STEP.lost == 0
    assert STEP.faults() == []
    assert core_fps(STEP.cpu_us_per_frame) == pytest.approx(1750.0)


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"published": 2900}, "writers fell behind"),
        ({"tracks_age_ms": (60.0, 501.0)}, "p99 age over 500 ms"),
        ({"tracks_age_ms": (math.nan, math.nan)}, "p99 age over 500 ms"),
        ({"backlog_end": 180}, "backlog grew"),
        ({"skipped": 4}, "frames were skipped"),
        ({"tracks_total": 3590, "skipped_total": 4}, "6 frames lost"),
    ],
)
def test_rate_that_is_too_high_is_reported_with_its_reason(changes: dict[str, Any], fault: str) -> None:
    assert replace(STEP, **changes).faults() == [fault]


def test_line_goes_through_its_ends_and_never_below_zero() -> None:
    assert line([(10.0, 25.0), (100.0, 1.0), (1010.0, 525.0)]) == (20.0, 0.5)
    assert line([(10.0, 5.0), (20.0, 4.0)]) == (5.0, 0.0)
    assert line([(10.0, 5.0), (20.0, 50.0)])[0] == 0.0


def test_load_of_polling_grows_with_cameras_and_processes() -> None:
    few, many = poll_load(COSTS, 100, 8, 2), poll_load(COSTS, 1000, 80, 20)
    # One worker at a time reclaims for all 100 cameras, 5 times a second; each camera's tracker every 2 s.
    assert few["reclaim"] == pytest.approx((5 * (50 + 100 * 3)) * 1e-6 + 0.5 * 100 * 25e-6)
    assert few["leases"] == pytest.approx(4 * (2 * 50 + 100 * 2) * 1e-6)
    assert few["registry"] == pytest.approx(4 * 10 * (20 + 25) * 1e-6)
    assert 8 < many["reclaim"] / few["reclaim"] < 10
    assert many["leases"] / few["leases"] == pytest.approx(10)


def test_cell_is_as_large_as_its_core_allows() -> None:
    given_ = Assumptions()
    for worker in worker_hosts(given_):
        cell = largest_cell(STEP, COSTS, worker, given_)
        larger = fleet(STEP, COSTS, worker, given_, cell.cameras + 1)
        assert cell.frame_load + cell.poll_load <= 0.7 < larger.frame_load + larger.poll_load
        assert cell.frame_load == pytest.approx(cell.cameras * 15 * 400e-6)
        assert cell.workers * worker.fps >= cell.cameras * 15 > (cell.workers - 1) * worker.fps


def test_plan_of_written_measurements_shows_its_arithmetic(tmp_path: Path) -> None:
    run = ServerRun(STEP.server)
    run.ramp, run.search, run.costs = [STEP], [STEP, replace(STEP, fps=9.0, tracks_age_ms=(400.0, 900.0))], COSTS
    assert run.knee is run.ramp[0]
    wider = replace(STEP, cameras=300, fps=0.95)
    run.search.append(wider)
    assert run.knee is wider, "nearly the same rate with more cameras"
    write(tmp_path / "b.json", [run], {"processor": "some processor"})
    runs, machine = read(tmp_path / "b.json")
    assert runs[0].to_json() == run.to_json()
    text = plan(runs, machine, Assumptions())
    assert "### 10,000 cameras" in text
    assert "| frames/s = cameras x fps | 150,000 | 150,000 | 150,000 |" in text
    # 150,000 frames/s of 98 core-ms on 32 cores that are 70 % busy.
    assert f"| {math.ceil(150_000 / (32 * 0.7 / 0.098)):,} |" in text
    assert plan(runs, machine, Assumptions.changed(["fps=5"])) != text


def test_plan_without_measurements_is_rejected(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="no rate that was carried"):
        plan([ServerRun("nothing")], {}, Assumptions())
    (tmp_path / "other.json").write_text("[]")
    with pytest.raises(SystemExit, match="holds no measurements"):
        read(tmp_path / "other.json")


@pytest.mark.parametrize("pair", ["fps", "fps=fast", "fps=0", "colour=3"])
def test_invalid_assumption_is_rejected(pair: str) -> None:
    with pytest.raises(SystemExit, match=r"expected NAME=NUMBER above 0, NAME one of .*fps"):
        Assumptions.changed([pair])


def test_tables_show_verdict_and_commands() -> None:
    assert table(["a", "b"], [[1, 2]]) == "| a | b |\n| --- | ---: |\n| 1 | 2 |"
    assert measured([STEP]).splitlines()[-1].endswith("| 0.12 | 0.60 | 9 | carried |")
    assert commands(STEP).splitlines()[2] == "| XADD | 3.00 | 30.0 |"


def test_cameras_have_0_to_8_people() -> None:
    assert {people_of(f"bench-{number:05}") for number in range(200)} == set(range(MAX_PEOPLE + 1))
    assert pose_frame(3, 7, (640, 480)).keypoints_px is not None
    assert len(pose_frame(3, 7, (640, 480)).boxes_xyxy_px) == 3


def test_brokers_are_measured_in_the_order_of_their_options() -> None:
    assert parse(["--redis-server", "--embedded", "--redis", "redis://h"]).brokers == [
        "redis-server",
        "embedded",
        "redis://h",
    ]
    assert parse(["--size", "1280x720"]).size == (1280, 720)


def test_capacity_document_holds_the_tables_of_its_measurements() -> None:
    document = (ROOT / "docs" / "capacity.md").read_text()
    found = re.search(
        r"<!-- plan: .*?--plan (?P<file>\S+)` -->\n(?P<tables>.*?)\n<!-- end of plan -->", document, re.DOTALL
    )
    assert found
    runs, machine = read(ROOT / found["file"])
    assert found["tables"].strip() == plan(runs, machine, Assumptions()), "copy what the command prints"
