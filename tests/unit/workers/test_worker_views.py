"""Frames that enter the engine several times: as tiles, and beside at other sizes. They come out once."""

from __future__ import annotations

import threading
import time

import pytest

from posebus.bus.frame_reader import FrameEntry, PoseResult
from posebus.messages import Delivery, Skipped
from posebus.metrics import Metrics
from posebus.settings import WorkerSettings
from posebus.views import View
from tests.polling import wait_until
from tests.samples import frame
from tests.unit.workers.conftest import MakePipeline
from tests.unit.workers.manual_engine import NOBODY, SIZE_PX, ManualEngine, collect_all, job
from workers.hang import HangWatch
from workers.parts import look_of
from workers.pipeline import Pipeline
from workers.seeing import Failed, Seeing, Seen
from workers.triage import MAX_INPUTS, Triage

PROBED = (View(64), View(32), View(96))
TILED = (View(64, 2, 2),)
LIVE = Delivery.LIVE


def answer_everything(engine: ManualEngine, pipeline: Pipeline) -> None:
    while engine.submitted or not pipeline.empty:
        if engine.submitted:
            engine.answer()
        assert pipeline.collect(0.01) == []


def test_a_frame_comes_out_once_all_its_views_are_there(make_pipeline: MakePipeline) -> None:
    engine, metrics = ManualEngine(in_flight=3), Metrics()
    pipeline = make_pipeline(engine, metrics=metrics)
    pipeline.add(job(0, views=PROBED))
    wait_until(lambda: len(engine.submitted) == 3, "the engine has it")
    assert pipeline.free == 0
    assert sorted(engine.shapes) == [(32, 32), (64, 64), (96, 96)]
    engine.answer(2)
    engine.answer(0)
    assert pipeline.collect(0.05) == []
    assert not pipeline.empty
    engine.answer()
    (seen,) = collect_all(pipeline, 1)
    assert isinstance(seen, Seen)
    assert seen.answer.look.view == View(64)
    assert [sight.look.view for sight in seen.beside] == [View(32), View(96)]
    assert (pipeline.empty, pipeline.free) == (True, 3)
    counted = metrics.snapshot()
    assert counted["posebus_inferences_total"] == [[3]]
    assert counted["posebus_input_pixels_total"] == [[32 * 32 + 64 * 64 + 96 * 96]]


def test_a_frame_of_many_parts_takes_as_much_room_and_frames_keep_their_order(make_pipeline: MakePipeline) -> None:
    engine = ManualEngine(in_flight=2)
    pipeline = make_pipeline(engine)
    pipeline.add(job(0, views=TILED))
    pipeline.add(job(1))
    wait_until(lambda: len(engine.submitted) == 2, "the engine has it")
    assert pipeline.free == 0
    seqs = []
    while len(seqs) < 2:
        if engine.submitted:
            engine.answer()
        seqs += [outcome.job.frame.seq for outcome in pipeline.collect(0.01) if isinstance(outcome, Seen)]
    assert seqs == [0, 1]
    assert pipeline.free == pipeline.capacity


def test_tiles_share_batches(make_pipeline: MakePipeline) -> None:
    engine = ManualEngine(batch=4, in_flight=1)
    pipeline = make_pipeline(engine)
    pipeline.add(job(0, views=TILED))
    wait_until(lambda: len(engine.submitted) == 1, "the engine has it")
    assert engine.submitted[0][0] == 4
    engine.answer()
    (seen,) = collect_all(pipeline, 1)
    assert isinstance(seen, Seen)
    assert len(seen.answer.people) == 4


def test_a_frame_of_several_inputs_is_in_no_hurry(make_pipeline: MakePipeline) -> None:
    engine = ManualEngine(in_flight=3)
    pipeline = make_pipeline(engine)
    pipeline.add(job(0, delivery=LIVE, views=PROBED))
    wait_until(lambda: len(engine.hurried) == 3, "the engine has it")
    for _ in range(3):
        engine.answer()
    collect_all(pipeline, 1)
    pipeline.add(job(1, delivery=LIVE, views=(View(96),)))
    wait_until(lambda: len(engine.hurried) == 4, "the engine has it")
    assert engine.hurried == [False, False, False, True]


def test_a_part_that_fails_fails_the_frame_once(make_pipeline: MakePipeline) -> None:
    engine = ManualEngine(in_flight=2)
    pipeline = make_pipeline(engine)
    pipeline.add(job(7, views=TILED))
    wait_until(lambda: len(engine.submitted) == 2, "the engine has it")
    for _, future in engine.submitted:
        future.set_exception(RuntimeError("on fire"))
    engine.submitted.clear()
    (failed,) = collect_all(pipeline, 1)
    assert isinstance(failed, Failed)
    assert (failed.job.frame.seq, failed.alone) == (7, True)
    answer_everything(engine, pipeline)
    assert len(engine.shapes) <= 4
    assert pipeline.free == pipeline.capacity


@pytest.mark.parametrize(("frames", "alone"), [(1, True), (2, False)])
def test_a_batch_that_fails_is_blamed_on_its_only_frame_however_many_tiles_that_has(
    make_pipeline: MakePipeline, frames: int, alone: bool
) -> None:
    engine = ManualEngine(batch=8, in_flight=1)
    pipeline = make_pipeline(engine)
    pipeline.add(job(100))
    wait_until(lambda: len(engine.submitted) == 1, "the engine has it")
    for seq in range(frames):
        pipeline.add(job(seq, views=TILED))
    wait_until(lambda: len(pipeline._former) == 4 * frames, "the engine has it")
    engine.answer()
    collect_all(pipeline, 1)
    assert engine.submitted[0][0] == 4 * frames
    engine.submitted.pop(0)[1].set_exception(RuntimeError("on fire"))
    failed = collect_all(pipeline, frames)
    assert [one.alone for one in failed if isinstance(one, Failed)] == [alone] * frames
    assert pipeline.empty


@pytest.mark.parametrize("views", [TILED, PROBED, (View(64, 2, 2), View(96, 2, 1))])
def test_a_frame_that_waited_too_long_is_skipped_once_with_all_its_parts(
    make_pipeline: MakePipeline, views: tuple[View, ...]
) -> None:
    engine = ManualEngine(in_flight=1)
    pipeline = make_pipeline(engine)
    pipeline.add(job(0))
    wait_until(lambda: len(engine.submitted) == 1, "the engine has it")
    pipeline.add(job(1, delivery=LIVE, age_ms=470.0, views=views))
    (answer,) = collect_all(pipeline, 1)
    assert isinstance(answer, PoseResult)
    assert isinstance(answer.body, Skipped)
    assert answer.body.reason == "too old"
    engine.answer()
    collect_all(pipeline, 1)
    answer_everything(engine, pipeline)
    assert len(engine.shapes) == 1
    assert pipeline.free == pipeline.capacity


def test_tiles_that_were_begun_are_finished_however_late(make_pipeline: MakePipeline) -> None:
    engine = ManualEngine(in_flight=1)
    pipeline = make_pipeline(engine)
    pipeline.add(job(0, delivery=LIVE, views=TILED))
    wait_until(lambda: len(engine.submitted) == 1, "the engine has it")
    time.sleep(0.55)  # after the 500 ms of `max_age_ms`
    for _ in range(3):
        engine.answer()
        assert pipeline.collect(0.05) == []
    engine.answer()
    (seen,) = collect_all(pipeline, 1)
    assert isinstance(seen, Seen)
    assert len(seen.answer.people) == 4


def test_what_would_be_measured_too_late_is_left_out(make_pipeline: MakePipeline) -> None:
    engine = ManualEngine(in_flight=1)
    pipeline = make_pipeline(engine)
    pipeline.add(job(0, delivery=LIVE, views=PROBED))
    wait_until(lambda: len(engine.submitted) == 1, "the engine has it")
    time.sleep(0.55)  # after the 500 ms of `max_age_ms`
    engine.answer()
    (seen,) = collect_all(pipeline, 1)
    assert isinstance(seen, Seen)
    assert (seen.answer.look.view, seen.beside) == (View(64), ())
    assert (len(engine.shapes), pipeline.empty) == (1, True)


def test_with_parts_that_hang_their_frame_is_named_once(make_pipeline: MakePipeline) -> None:
    engine, watch = ManualEngine(batch=4, in_flight=1), HangWatch(hang_s=60)
    pipeline = make_pipeline(engine, watch)
    pipeline.add(job(5, views=TILED))
    wait_until(lambda: len(engine.submitted) == 1, "the engine has it")
    hang = watch.hung(time.monotonic() + 1000)
    assert hang is not None
    assert [one.frame.seq for one in hang.jobs] == [5]


def test_alone_means_that_the_engine_is_set_up_for_every_size_before(make_pipeline: MakePipeline) -> None:
    engine, watch = ManualEngine(in_flight=3), HangWatch(hang_s=60)
    pipeline = make_pipeline(engine, watch)
    suspect, begun = job(0, views=PROBED), threading.Event()

    def begin() -> object:
        begun.set()
        return suspect

    trying = threading.Thread(target=pipeline.add_alone, args=(suspect, begin))
    trying.start()
    for size_px in (64, 32, 96):
        wait_until(lambda: len(engine.submitted) == 1, "the engine has it")
        assert not begun.is_set()
        assert engine.shapes[-1] == (size_px, size_px)
        engine.answer()
    trying.join(10)
    assert begun.is_set()
    wait_until(lambda: len(engine.submitted) == 3, "the engine has it")
    for _ in range(3):
        engine.answer()
    assert isinstance(collect_all(pipeline, 1)[0], Seen)


def test_a_damaged_picture_makes_room_for_all_that_it_would_have_been(make_pipeline: MakePipeline) -> None:
    pipeline = make_pipeline(ManualEngine())
    pipeline.add(job(0, data=b"no picture", views=(View(64, 2, 2), View(32))))
    (answer,) = collect_all(pipeline, 1)
    assert isinstance(answer, PoseResult)
    assert "does not decode" in (answer.dead_reason or "")
    assert pipeline.free == pipeline.capacity


def test_the_time_of_inference_is_that_of_the_answer() -> None:
    looks = [look_of(SIZE_PX, view, 32) for view in (View(64, 2, 1), View(32))]
    seeing = Seeing(job(0), looks)
    assert seeing.found(1, NOBODY, 11.0, 13.0) is None
    assert seeing.found(0, NOBODY, 10.0, 12.0) is None
    seen = seeing.found(2, NOBODY, 15.0, 19.0)
    assert seen is not None
    assert seen.inference_s == 3.0


def test_a_frame_that_asks_for_more_than_a_worker_can_do_is_buried() -> None:
    triage = Triage(WorkerSettings())
    fine = frame(0, views=(View(640, 8, 8),))
    much = frame(0, views=(View(640, 8, 8), View(320)))
    assert not isinstance(triage(FrameEntry("door", b"0-0", fine, {}), 0.0, 0.0), PoseResult)
    buried = triage(FrameEntry("door", b"0-0", much, {}), 0.0, 0.0)
    assert isinstance(buried, PoseResult)
    assert (
        buried.dead_reason
        == f"its views take 65 inferences, and {MAX_INPUTS} is the most for a frame: ask for fewer tiles"
    )
