"""Frames through the threads of one worker, over an engine that answers when it is told to."""

from __future__ import annotations

import time

import pytest

from posebus.bus.frame_reader import PoseResult
from posebus.errors import EngineError
from posebus.messages import Delivery, Skipped
from tests.polling import wait_until
from tests.unit.workers.conftest import MakePipeline
from tests.unit.workers.manual_engine import ManualEngine, collect_all, job
from workers.seeing import Failed, Seen


def test_the_engine_has_its_next_frames_before_the_first_is_done(make_pipeline: MakePipeline) -> None:
    engine = ManualEngine(in_flight=2)
    pipeline = make_pipeline(engine)
    pipeline.add(job(0))
    pipeline.add(job(1))
    wait_until(lambda: len(engine.submitted) == 2, "the engine has it")
    assert pipeline.free == 0
    assert not pipeline.wait_for_room(0.01)
    engine.answer()
    (first,) = collect_all(pipeline, 1)
    assert isinstance(first, Seen)
    assert first.job.frame.seq == 0
    assert pipeline.wait_for_room(0.01)
    assert not pipeline.empty


def test_while_the_engine_is_busy_frames_gather_to_a_batch(make_pipeline: MakePipeline) -> None:
    engine = ManualEngine(batch=4, in_flight=1)
    pipeline = make_pipeline(engine)
    assert pipeline.capacity == 8
    pipeline.add(job(0))
    wait_until(lambda: len(engine.submitted) == 1, "the engine has it")  # at once: it had nothing to do
    for seq in range(1, 5):
        pipeline.add(job(seq))
    engine.answer()
    assert len(collect_all(pipeline, 1)) == 1
    wait_until(lambda: pipeline.collect(0) == [] and len(engine.submitted) == 1, "the engine has it")
    assert engine.submitted[0][0] >= 1
    while engine.submitted or not pipeline.empty:
        if engine.submitted:
            engine.answer()
        pipeline.collect(0.01)
    assert pipeline.free == pipeline.capacity


def test_only_a_live_frame_that_comes_alone_is_in_a_hurry(make_pipeline: MakePipeline) -> None:
    engine = ManualEngine()
    pipeline = make_pipeline(engine)
    pipeline.add(job(0, delivery=Delivery.LIVE))
    wait_until(lambda: len(engine.hurried) == 1, "the engine has it")
    pipeline.add(job(1, delivery=Delivery.LIVE))
    wait_until(lambda: len(engine.hurried) == 2, "the engine has it")
    engine.answer()
    engine.answer()
    collect_all(pipeline, 2)
    pipeline.add(job(2, delivery=Delivery.LOSSLESS))
    wait_until(lambda: len(engine.hurried) == 3, "the engine has it")
    assert engine.hurried == [True, False, False]


def test_a_damaged_picture_is_answered_and_makes_room(make_pipeline: MakePipeline) -> None:
    pipeline = make_pipeline(ManualEngine())
    pipeline.add(job(0, data=b"no picture"))
    (answer,) = collect_all(pipeline, 1)
    assert isinstance(answer, PoseResult)
    assert "does not decode" in (answer.dead_reason or "")
    assert pipeline.empty
    assert pipeline.free == pipeline.capacity


def test_a_frame_that_grew_too_old_on_the_way_is_skipped(make_pipeline: MakePipeline) -> None:
    engine = ManualEngine()
    pipeline = make_pipeline(engine)
    engine.decoding.clear()
    pipeline.add(job(0, delivery=Delivery.LIVE, age_ms=499.0))
    time.sleep(0.01)
    engine.decoding.set()
    (answer,) = collect_all(pipeline, 1)
    assert isinstance(answer, PoseResult)
    assert isinstance(answer.body, Skipped)
    assert answer.body.reason == "too old"
    assert engine.submitted == []


def test_what_the_engine_chokes_on_is_told_with_the_frame(make_pipeline: MakePipeline) -> None:
    engine = ManualEngine()
    pipeline = make_pipeline(engine)
    pipeline.add(job(7))
    wait_until(lambda: len(engine.submitted) == 1, "the engine has it")
    engine.submitted[0][1].set_exception(RuntimeError("on fire"))
    (outcome,) = collect_all(pipeline, 1)
    assert isinstance(outcome, Failed)
    assert outcome.job.frame.seq == 7


def test_an_engine_that_cannot_go_on_ends_the_collecting_thread(make_pipeline: MakePipeline) -> None:
    engine = ManualEngine()
    engine.broken = True
    pipeline = make_pipeline(engine)
    pipeline.add(job(0))
    with pytest.raises(EngineError, match="no memory"):
        collect_all(pipeline, 1)
