"""Pipelines of a worker without a broker and without a network."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from posebus.config.settings import WorkerSettings
from posebus.telemetry.metrics import Metrics
from tests.unit.workers.manual_engine import ManualEngine
from workers.inference.estimator import PoseEstimator
from workers.inference.hang import HangWatch
from workers.inference.pipeline import InferencePipeline

MakePipeline = Callable[..., InferencePipeline]


@pytest.fixture
def make_pipeline() -> Iterator[MakePipeline]:
    made: list[InferencePipeline] = []

    def make(engine: ManualEngine, watch: HangWatch | None = None, metrics: Metrics | None = None) -> InferencePipeline:
        estimator = PoseEstimator(engine, WorkerSettings(imgsz=64))
        made.append(InferencePipeline(estimator, metrics or Metrics(), 1, watch or HangWatch(hang_s=60)))
        return made[-1]

    yield make
    for pipeline in made:
        pipeline.close()
