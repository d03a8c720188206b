"""An engine around another one: the inner engine detects people, and their keypoints are computed on crops of them.

The inner engine finishes first. A few threads of this engine wait for its result, have the keypoints computed and
complete the answer, while the inner engine computes the next frames.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Protocol

from workers.detections import Detections
from workers.engines.base import Engine
from workers.images.picture import Picture
from workers.images.preprocess import Letterbox


@dataclass(frozen=True, slots=True)
class DetectedFrame:
    """A picture, its letterbox, and the people detected in it, in pixels of the network's input."""

    picture: Picture
    fit: Letterbox
    people: Detections


class CropKeypoints(Protocol):
    """Computes the keypoints of people whose boxes are known. Many threads may call `recompute`."""

    name: str
    keypoints: int

    def recompute(self, frames: Sequence[DetectedFrame]) -> list[Detections]:
        """Return the people of each frame with other keypoints; their number, order, boxes and scores stay."""

    def close(self) -> None:
        """Release its own resources. The inner engine is closed by its owner."""


class LockedEngine:
    """An engine whose `submit` many threads may call: the Protocol allows one at a time."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._lock = threading.Lock()

    def submit(self, prepared: Sequence[Any], *, low_latency: bool = False) -> Future[list[Detections]]:
        """See `Engine.submit`."""
        with self._lock:
            return self.engine.submit(prepared, low_latency=low_latency)


class CropKeypointEngine:
    """An `Engine` whose people come from `inner` and their keypoints from `crops`; it owns and closes both."""

    def __init__(self, inner: LockedEngine, crops: CropKeypoints) -> None:
        engine = inner.engine
        self.name = f"{engine.name}+{crops.name}"
        self.precision = engine.precision
        self.device = engine.device
        self.head = replace(engine.head, keypoints=crops.keypoints, keypoint_dims=3)
        self.batch = engine.batch
        # No more than the inner engine allows: its `submit` would block with the lock held that crops need to finish.
        self.in_flight = engine.in_flight
        self._inner = inner
        self._crops = crops
        self._unfinished: set[Future[list[Detections]]] = set()
        self._threads = ThreadPoolExecutor(engine.in_flight, thread_name_prefix="crop-keypoints")

    def prepare(self, picture: Picture, fit: Letterbox) -> tuple[Any, Picture, Letterbox]:
        """See `Engine.prepare`."""
        return self._inner.engine.prepare(picture, fit), picture, fit

    def submit(
        self, prepared: Sequence[tuple[Any, Picture, Letterbox]], *, low_latency: bool = False
    ) -> Future[list[Detections]]:
        """See `Engine.submit`."""
        detected = self._inner.submit([inner for inner, _, _ in prepared], low_latency=low_latency)
        answer: Future[list[Detections]] = Future()
        self._unfinished.add(answer)
        answer.add_done_callback(self._unfinished.discard)
        pictures = [(picture, fit) for _, picture, fit in prepared]
        detected.add_done_callback(partial(self._start, pictures, answer))
        return answer

    def close(self) -> None:
        """See `Engine.close`. Unfinished frames still need the inner engine for their crops."""
        wait(list(self._unfinished))
        self._threads.shutdown()
        self._crops.close()
        self._inner.engine.close()

    def _start(
        self,
        pictures: Sequence[tuple[Picture, Letterbox]],
        answer: Future[list[Detections]],
        detected: Future[list[Detections]],
    ) -> None:
        """Hand the work to a thread of our own: this runs in the inner engine's thread, which must not be held up."""
        self._threads.submit(self._complete, pictures, answer, detected)

    def _complete(
        self,
        pictures: Sequence[tuple[Picture, Letterbox]],
        answer: Future[list[Detections]],
        detected: Future[list[Detections]],
    ) -> None:
        try:
            frames = [
                DetectedFrame(picture=picture, fit=fit, people=people)
                for (picture, fit), people in zip(pictures, detected.result(), strict=True)
            ]
            people = self._crops.recompute(frames)
        except Exception as error:  # noqa: BLE001 - any error must reach the caller who waits for the answer
            answer.set_exception(error)
        else:
            answer.set_result(people)
