"""Frames through the threads of one worker, over an engine that answers when the test says so."""

from __future__ import annotations

import time

import pytest

from posebus.bus.frame_consumer import PoseResult
from posebus.errors import EngineError
from posebus.messages import Delivery, Skipped
from tests.polling import wait_until
from tests.unit.workers.conftest import MakePipeline
from tests.unit.workers.manual_engine import ManualEngine, collect_all, job
from workers.inference.frame_job import Failed, Inferred


def test_engine_gets_its_next_frames_before_the_first_is_done(make_pipeline: MakePipeline) -> None:
    engine = ManualEngine(in_flight=2)
    pipeline = make_pipeline(engine)
    pipeline.add(job(0))
    pipeline.add(job(1))
    wait_until(lambda: len(engine.submitted) == 2, "submissions")
    assert pipeline.free == 0
    assert not pipeline.wait_for_room(0.01)
    engine.answer()
    (first,) = collect_all(pipeline, 1)
    assert isinstance(first, Inferred)
    assert first.job.frame.seq == 0
    assert pipeline.wait_for_room(0.01)
    assert not pipeline.empty


def test_frames_form_a_batch_while_the_engine_is_busy(make_pipeline: MakePipeline) -> None:
    engine = ManualEngine(batch=4, in_flight=1)
    pipeline = make_pipeline(engine)
    assert pipeline.capacity == 8
    pipeline.add(job(0))
    wait_until(lambda: len(engine.submitted) == 1, "submissions")  # at once, because the engine was idle
    for seq in range(1, 5):
        pipeline.add(job(seq))
    engine.answer()
    assert len(collect_all(pipeline, 1)) == 1
    wait_until(lambda: pipeline.collect(0) == [] and len(engine.submitted) == 1, "submissions")
    assert engine.submitted[0][0] >= 1
    while engine.submitted or not pipeline.empty:
        if engine.submitted:
            engine.answer()
        pipeline.collect(0.01)
    assert pipeline.free == pipeline.capacity


def test_only_a_live_frame_that_arrives_alone_is_submitted_for_low_latency(make_pipeline: MakePipeline) -> None:
    engine = ManualEngine()
    pipeline = make_pipeline(engine)
    pipeline.add(job(0, delivery=Delivery.LIVE))
    wait_until(lambda: len(engine.low_latency) == 1, "submissions")
    pipeline.add(job(1, delivery=Delivery.LIVE))
    wait_until(lambda: len(engine.low_latency) == 2, "submissions")
    engine.answer()
    engine.answer()
    collect_all(pipeline, 2)
    pipeline.add(job(2, delivery=Delivery.LOSSLESS))
    wait_until(lambda: len(engine.low_latency) == 3, "submissions")
    assert engine.low_latency == [True, False, False]


def test_damaged_picture_is_answered_and_frees_its_room(make_pipeline: MakePipeline) -> None:
    pipeline = make_pipeline(ManualEngine())
    pipeline.add(job(0, data=b"no picture"))
    (result,) = collect_all(pipeline, 1)
    assert isinstance(result, PoseResult)
    assert "does not decode" in (result.dead_reason or "")
    assert pipeline.empty
    assert pipeline.free == pipeline.capacity


def test_live_frame_that_expires_while_it_is_decoded_is_skipped(make_pipeline: MakePipeline) -> None:
    engine = ManualEngine()
    pipeline = make_pipeline(engine)
    engine.decoding.clear()
    pipeline.add(job(0, delivery=Delivery.LIVE, age_ms=499.0))
    time.sleep(0.01)
    engine.decoding.set()
    (result,) = collect_all(pipeline, 1)
    assert isinstance(result, PoseResult)
    assert isinstance(result.body, Skipped)
    assert result.body.reason == "too old"
    assert engine.submitted == []


def test_error_of_the_engine_is_returned_with_its_frame(make_pipeline: MakePipeline) -> None:
    engine = ManualEngine()
    pipeline = make_pipeline(engine)
    pipeline.add(job(7))
    wait_until(lambda: len(engine.submitted) == 1, "submissions")
    engine.submitted[0][1].set_exception(RuntimeError("on fire"))
    (outcome,) = collect_all(pipeline, 1)
    assert isinstance(outcome, Failed)
    assert outcome.job.frame.seq == 7


def test_engine_that_cannot_continue_raises_in_the_collecting_thread(make_pipeline: MakePipeline) -> None:
    engine = ManualEngine()
    engine.broken = True
    pipeline = make_pipeline(engine)
    pipeline.add(job(0))
    with pytest.raises(EngineError, match="no memory"):
        collect_all(pipeline, 1)
