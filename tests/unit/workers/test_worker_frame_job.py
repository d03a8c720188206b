"""One frame of several inputs: how its inputs end, and which call returns its outcome. No threads and no clock."""

from __future__ import annotations

import math

import pytest

from posebus.bus.frame_consumer import PoseResult
from posebus.messages import Delivery
from posebus.views import View
from tests.unit.workers.manual_engine import NO_PEOPLE, SIZE_PX, job
from workers.images.tiling import plan_view
from workers.inference.frame_job import PROBE_PATIENCE_S, Failed, FrameJob, Inferred

TWO_TILES_AND_A_PROBE = (View(64, 2, 1), View(32))


def make(views: tuple[View, ...] = TWO_TILES_AND_A_PROBE, delivery: Delivery = Delivery.LIVE) -> FrameJob:
    return FrameJob(job(0, delivery=delivery, views=views), [plan_view(SIZE_PX, view, 32) for view in views])


def test_inference_time_is_that_of_the_primary_view() -> None:
    frame_job = make()
    assert frame_job.complete_input(1, NO_PEOPLE, 11.0, 13.0) is None
    assert frame_job.complete_input(0, NO_PEOPLE, 10.0, 12.0) is None
    inferred = frame_job.complete_input(2, NO_PEOPLE, 15.0, 19.0)
    assert inferred is not None
    assert inferred.inference_s == 3.0


def test_last_input_returns_the_outcome_whichever_it_is() -> None:
    frame_job = make()
    assert frame_job.input_count == 3
    assert frame_job.complete_input(2, NO_PEOPLE, 1.0, 2.0) is None
    assert frame_job.complete_input(0, NO_PEOPLE, 1.0, 2.0) is None
    assert not frame_job.decided
    inferred = frame_job.complete_input(1, NO_PEOPLE, 1.0, 2.0)
    assert isinstance(inferred, Inferred)
    assert (inferred.primary.plan.view, len(inferred.primary.detections)) == (View(64, 2, 1), 2)
    assert [(probe.plan.view, len(probe.detections)) for probe in inferred.probes] == [(View(32), 1)]
    assert frame_job.decided


def test_only_the_first_failure_is_an_outcome() -> None:
    frame_job, error = make(), RuntimeError("on fire")
    failed = frame_job.fail_input(error, alone=True)
    assert isinstance(failed, Failed)
    assert (failed.error, failed.alone) == (error, True)
    assert frame_job.fail_input(error, alone=True) is None
    assert frame_job.complete_input(1, NO_PEOPLE, 1.0, 2.0) is None


def test_expired_first_input_skips_the_whole_frame_once() -> None:
    frame_job = make()
    skipped = frame_job.expire_input(0)
    assert isinstance(skipped, PoseResult)
    assert frame_job.expire_input(0) is None
    assert frame_job.expire_input(2) is None


def test_expired_probe_is_missing_from_the_outcome() -> None:
    frame_job = make()
    assert frame_job.expire_input(2) is None
    assert frame_job.complete_input(0, NO_PEOPLE, 1.0, 2.0) is None
    inferred = frame_job.complete_input(1, NO_PEOPLE, 1.0, 2.0)
    assert isinstance(inferred, Inferred)
    assert inferred.probes == ()


def test_probe_that_expires_last_returns_the_outcome() -> None:
    frame_job = make()
    frame_job.complete_input(0, NO_PEOPLE, 1.0, 2.0)
    frame_job.complete_input(1, NO_PEOPLE, 1.0, 2.0)
    assert isinstance(frame_job.expire_input(2), Inferred)


def test_probe_of_a_submitted_frame_waits_longer_than_the_frame_would() -> None:
    frame_job = make()
    assert frame_job.expires_at_s(2) == frame_job.expires_at_s(0) + PROBE_PATIENCE_S


@pytest.mark.parametrize(("number", "expires"), [(0, True), (1, False), (2, True)])
def test_first_tile_and_probes_of_a_live_frame_expire_but_not_the_other_tiles(number: int, expires: bool) -> None:
    assert math.isfinite(make().expires_at_s(number)) == expires
    assert make(delivery=Delivery.LOSSLESS).expires_at_s(number) == math.inf
