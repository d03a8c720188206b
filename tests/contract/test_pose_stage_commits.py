"""Commits that are repeated, claims that are kept, and a worker that drains."""

from __future__ import annotations

import time

import pytest

from posebus.bus.frame_consumer import FrameConsumer, PoseResult
from posebus.config.settings import RetentionSettings
from posebus.errors import BrokerUnavailable
from posebus.messages import Frame, PoseFrame
from posebus.topology import WORKERS_GROUP
from tests.contract.conftest import MakeBench, MakeClient, client_of
from tests.contract.pose_stage_bench import TOPOLOGY


def test_commit_that_the_broker_did_not_answer_is_repeated(
    make_bench: MakeBench, make_client: MakeClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = make_bench(make_client())
    bench.publish(0)
    commit, failures = bench.consumer.commit, iter([True, True, False])

    def flaky(results: list[PoseResult]) -> None:
        if next(failures, False):
            raise BrokerUnavailable("gone for a moment")
        commit(results)

    monkeypatch.setattr(bench.consumer, "commit", flaky)
    errors = 0
    while bench.waiting() != (0, 0):
        try:
            bench.stage.step(time.monotonic())
        except BrokerUnavailable:
            errors += 1
    assert errors == 2
    assert [type(body) for body in bench.poses()] == [PoseFrame]
    assert bench.waiting() == (0, 0)


def test_drain_finishes_the_frames_in_flight_and_leaves_the_group(
    make_bench: MakeBench, make_client: MakeClient
) -> None:
    bench = make_bench(make_client())
    for seq in range(4):
        bench.publish(seq)
    bench.stage.step(time.monotonic())
    bench.stage.drain()
    entries, pending = bench.waiting()
    assert pending == 0
    assert len(bench.poses()) == 4 - entries > 0
    assert bench.client.xinfo_consumers(TOPOLOGY.frames("door"), WORKERS_GROUP) == []


def test_worker_reads_no_more_frames_than_its_pipeline_holds(make_bench: MakeBench, make_client: MakeClient) -> None:
    bench = make_bench(make_client())
    bench.engine.stalled = True
    for seq in range(30):
        bench.publish(seq)
    for _ in range(4):
        bench.stage.step(time.monotonic())
    assert bench.waiting()[1] == bench.engine.in_flight * bench.engine.batch
    assert isinstance(bench.consumer.read(["door"], 1, None)[0].body, Frame)


def test_claims_are_renewed_while_the_engine_is_slow(make_bench: MakeBench, real_url: str) -> None:
    bench = make_bench(client_of(real_url), reclaim_after_s=0.2)
    bench.engine.stalled = True
    bench.publish(0)
    bench.step_until(lambda: bench.engine.submitted == 1)
    rival = FrameConsumer(bench.broker, "rival", RetentionSettings(dead_entries=10))
    end_s = time.monotonic() + 1.0
    while time.monotonic() < end_s:
        bench.stage.step(time.monotonic())
        assert rival.reclaim(["door"], 200, 4) == []
    (row,) = bench.client.xpending_range(TOPOLOGY.frames("door"), WORKERS_GROUP, "-", "+", 9)
    assert (row["consumer"], row["times_delivered"]) == (b"w1", 1)
