"""Pipelines of a worker without a broker and without a network."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from posebus.metrics import Metrics
from posebus.settings import WorkerSettings
from tests.unit.workers.manual_engine import ManualEngine
from workers.estimator import PoseEstimator
from workers.hang import HangWatch
from workers.pipeline import Pipeline

MakePipeline = Callable[..., Pipeline]


@pytest.fixture
def make_pipeline() -> Iterator[MakePipeline]:
    made: list[Pipeline] = []

    def make(engine: ManualEngine, watch: HangWatch | None = None, metrics: Metrics | None = None) -> Pipeline:
        estimator = PoseEstimator(engine, WorkerSettings(imgsz=64))
        made.append(Pipeline(estimator, metrics or Metrics(), 1, watch or HangWatch(hang_s=60)))
        return made[-1]

    yield make
    for pipeline in made:
        pipeline.close()
