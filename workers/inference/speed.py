"""How fast an engine is when it has enough to do, measured with blank pictures before the first frame."""

from __future__ import annotations

import time
from collections import deque
from concurrent.futures import Future
from typing import Any

from workers.inference.estimator import PoseEstimator

MEASURE_S = 0.4


def pixels_per_s(estimator: PoseEstimator, image_size_px: tuple[int, int], measure_s: float = MEASURE_S) -> float:
    """Return how many pixels of the network's input the engine computes in a second.

    The pictures are of this (width, height), and as many are in flight as with live cameras under full load. Raises
    what the engine raises.
    """
    engine = estimator.engine
    fit = estimator.fit(image_size_px)
    batch = [estimator.blank(fit)] * engine.batch
    pending: deque[Future[Any]] = deque()
    batches = 0
    began_s = time.monotonic()
    while time.monotonic() - began_s < measure_s:
        if len(pending) >= engine.in_flight:
            pending.popleft().result()
            batches += 1
        pending.append(estimator.submit(batch))
    while pending:
        pending.popleft().result()
        batches += 1
    width_px, height_px = fit.input_px
    return batches * engine.batch * width_px * height_px / (time.monotonic() - began_s)
