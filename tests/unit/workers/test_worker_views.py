"""Frames that enter the engine several times, as tiles and as probes, and have one outcome."""

from __future__ import annotations

import threading
import time

import pytest

from posebus.bus.frame_consumer import PoseResult
from posebus.messages import Delivery, Skipped
from posebus.telemetry.metrics import Metrics
from posebus.views import View
from tests.polling import wait_until
from tests.unit.workers.conftest import MakePipeline
from tests.unit.workers.manual_engine import ManualEngine, collect_all, job
from workers.inference.frame_job import Failed, Inferred
from workers.inference.hang import HangWatch
from workers.inference.pipeline import InferencePipeline

PROBED = (View(64), View(32), View(96))
TILED = (View(64, 2, 2),)
LIVE = Delivery.LIVE


def answer_everything(engine: ManualEngine, pipeline: InferencePipeline) -> None:
    while engine.submitted or not pipeline.empty:
        if engine.submitted:
            engine.answer()
        assert pipeline.collect(0.01) == []


def test_frame_has_its_outcome_when_all_its_views_are_inferred(make_pipeline: MakePipeline) -> None:
    engine, metrics = ManualEngine(in_flight=3), Metrics()
    pipeline = make_pipeline(engine, metrics=metrics)
    pipeline.add(job(0, views=PROBED))
    wait_until(lambda: len(engine.submitted) == 3, "submissions")
    assert pipeline.free == 0
    assert sorted(engine.shapes) == [(32, 32), (64, 64), (96, 96)]
    engine.answer(2)
    engine.answer(0)
    assert pipeline.collect(0.05) == []
    assert not pipeline.empty
    engine.answer()
    (inferred,) = collect_all(pipeline, 1)
    assert isinstance(inferred, Inferred)
    assert inferred.primary.plan.view == View(64)
    assert [probe.plan.view for probe in inferred.probes] == [View(32), View(96)]
    assert (pipeline.empty, pipeline.free) == (True, 3)
    counted = metrics.snapshot()
    assert counted["posebus_inferences_total"] == [[3]]
    assert counted["posebus_input_pixels_total"] == [[32 * 32 + 64 * 64 + 96 * 96]]


def test_frame_takes_room_for_each_tile_and_frames_keep_their_order(make_pipeline: MakePipeline) -> None:
    engine = ManualEngine(in_flight=2)
    pipeline = make_pipeline(engine)
    pipeline.add(job(0, views=TILED))
    pipeline.add(job(1))
    wait_until(lambda: len(engine.submitted) == 2, "submissions")
    assert pipeline.free == 0
    seqs = []
    while len(seqs) < 2:
        if engine.submitted:
            engine.answer()
        seqs += [outcome.job.frame.seq for outcome in pipeline.collect(0.01) if isinstance(outcome, Inferred)]
    assert seqs == [0, 1]
    assert pipeline.free == pipeline.capacity


def test_tiles_share_batches(make_pipeline: MakePipeline) -> None:
    engine = ManualEngine(batch=4, in_flight=1)
    pipeline = make_pipeline(engine)
    pipeline.add(job(0, views=TILED))
    wait_until(lambda: len(engine.submitted) == 1, "submissions")
    assert engine.submitted[0][0] == 4
    engine.answer()
    (inferred,) = collect_all(pipeline, 1)
    assert isinstance(inferred, Inferred)
    assert len(inferred.primary.detections) == 4


def test_frame_of_several_inputs_is_not_submitted_for_low_latency(make_pipeline: MakePipeline) -> None:
    engine = ManualEngine(in_flight=3)
    pipeline = make_pipeline(engine)
    pipeline.add(job(0, delivery=LIVE, views=PROBED))
    wait_until(lambda: len(engine.low_latency) == 3, "submissions")
    for _ in range(3):
        engine.answer()
    collect_all(pipeline, 1)
    pipeline.add(job(1, delivery=LIVE, views=(View(96),)))
    wait_until(lambda: len(engine.low_latency) == 4, "submissions")
    assert engine.low_latency == [False, False, False, True]


def test_tiles_that_fail_fail_their_frame_once(make_pipeline: MakePipeline) -> None:
    engine = ManualEngine(in_flight=2)
    pipeline = make_pipeline(engine)
    pipeline.add(job(7, views=TILED))
    wait_until(lambda: len(engine.submitted) == 2, "submissions")
    for _, future in engine.submitted:
        future.set_exception(RuntimeError("on fire"))
    engine.submitted.clear()
    (failed,) = collect_all(pipeline, 1)
    assert isinstance(failed, Failed)
    assert (failed.job.frame.seq, failed.alone) == (7, True)
    answer_everything(engine, pipeline)
    assert len(engine.shapes) <= 4
    assert pipeline.free == pipeline.capacity


@pytest.mark.parametrize("views", [TILED, PROBED, (View(64, 2, 2), View(96, 2, 1))])
def test_expired_frame_is_skipped_once_with_all_its_inputs(
    make_pipeline: MakePipeline, views: tuple[View, ...]
) -> None:
    engine = ManualEngine(in_flight=1)
    pipeline = make_pipeline(engine)
    pipeline.add(job(0))
    wait_until(lambda: len(engine.submitted) == 1, "submissions")
    pipeline.add(job(1, delivery=LIVE, age_ms=470.0, views=views))
    (result,) = collect_all(pipeline, 1)
    assert isinstance(result, PoseResult)
    assert isinstance(result.body, Skipped)
    assert result.body.reason == "too old"
    engine.answer()
    collect_all(pipeline, 1)
    answer_everything(engine, pipeline)
    assert len(engine.shapes) == 1
    assert pipeline.free == pipeline.capacity


def test_remaining_tiles_are_inferred_after_expiry_once_the_first_was_submitted(make_pipeline: MakePipeline) -> None:
    engine = ManualEngine(in_flight=1)
    pipeline = make_pipeline(engine)
    pipeline.add(job(0, delivery=LIVE, views=TILED))
    wait_until(lambda: len(engine.submitted) == 1, "submissions")
    time.sleep(0.55)  # after the 500 ms of `max_age_ms`
    for _ in range(3):
        engine.answer()
        assert pipeline.collect(0.05) == []
    engine.answer()
    (inferred,) = collect_all(pipeline, 1)
    assert isinstance(inferred, Inferred)
    assert len(inferred.primary.detections) == 4


def test_expired_probes_are_dropped(make_pipeline: MakePipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("workers.inference.frame_job.PROBE_PATIENCE_S", 0.0)
    engine = ManualEngine(in_flight=1)
    pipeline = make_pipeline(engine)
    pipeline.add(job(0, delivery=LIVE, views=PROBED))
    wait_until(lambda: len(engine.submitted) == 1, "submissions")
    time.sleep(0.55)  # after the 500 ms of `max_age_ms`
    engine.answer()
    (inferred,) = collect_all(pipeline, 1)
    assert isinstance(inferred, Inferred)
    assert (inferred.primary.plan.view, inferred.probes) == (View(64), ())
    assert (len(engine.shapes), pipeline.empty) == (1, True)


def test_hang_names_the_frame_of_several_tiles_once(make_pipeline: MakePipeline) -> None:
    engine, watch = ManualEngine(batch=4, in_flight=1), HangWatch(hang_s=60)
    pipeline = make_pipeline(engine, watch)
    pipeline.add(job(5, views=TILED))
    wait_until(lambda: len(engine.submitted) == 1, "submissions")
    hang = watch.hung(time.monotonic() + 1000)
    assert hang is not None
    assert [one.frame.seq for one in hang.jobs] == [5]


def test_engine_is_set_up_for_every_size_before_a_suspect_is_tried_alone(make_pipeline: MakePipeline) -> None:
    engine, watch = ManualEngine(in_flight=3), HangWatch(hang_s=60)
    pipeline = make_pipeline(engine, watch)
    suspect, started = job(0, views=PROBED), threading.Event()

    def begin() -> object:
        started.set()
        return suspect

    trying = threading.Thread(target=pipeline.add_alone, args=(suspect, begin))
    trying.start()
    for size_px in (64, 32, 96):
        wait_until(lambda: len(engine.submitted) == 1, "submissions")
        assert not started.is_set()
        assert engine.shapes[-1] == (size_px, size_px)
        engine.answer()
    trying.join(10)
    assert started.is_set()
    wait_until(lambda: len(engine.submitted) == 3, "submissions")
    for _ in range(3):
        engine.answer()
    assert isinstance(collect_all(pipeline, 1)[0], Inferred)


def test_damaged_picture_frees_the_room_of_all_its_views(make_pipeline: MakePipeline) -> None:
    pipeline = make_pipeline(ManualEngine())
    pipeline.add(job(0, data=b"no picture", views=(View(64, 2, 2), View(32))))
    (result,) = collect_all(pipeline, 1)
    assert isinstance(result, PoseResult)
    assert "does not decode" in (result.dead_reason or "")
    assert pipeline.free == pipeline.capacity
