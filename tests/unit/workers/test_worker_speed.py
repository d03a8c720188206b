from __future__ import annotations

import threading
import time

import pytest

from posebus.config.settings import WorkerSettings
from tests.unit.workers.manual_engine import ManualEngine
from workers.inference.estimator import PoseEstimator
from workers.inference.speed import pixels_per_s


def test_speed_counts_all_pixels_that_were_computed_meanwhile() -> None:
    engine = ManualEngine(in_flight=2, batch=2)
    estimator = PoseEstimator(engine, WorkerSettings(imgsz=64))
    answered: list[int] = []
    stop = threading.Event()

    def answer() -> None:
        while not stop.is_set():
            if len(engine.submitted) > 0:
                engine.answer()
                answered.append(1)
            time.sleep(0.005)

    thread = threading.Thread(target=answer)
    thread.start()
    began_s = time.monotonic()
    speed = pixels_per_s(estimator, (64, 64), measure_s=0.2)
    elapsed_s = time.monotonic() - began_s
    stop.set()
    thread.join()
    assert speed * elapsed_s == pytest.approx(len(answered) * 2 * 64 * 64, rel=0.2)
