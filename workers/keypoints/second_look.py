"""An engine that looks at people a second time: around any `Engine`, with the same Protocol.

The inner engine finds the people; a few threads of this one wait for its answer, have the keypoints of these people
computed on crops, and complete the answer. The inner engine meanwhile goes on with the next frames.
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
class Looked:
    """A picture, how it entered the network, and who was found, in pixels of the network's input."""

    picture: Picture
    fit: Letterbox
    people: Detections


class SecondLook(Protocol):
    """What computes the keypoints of people whose boxes are known. `improve` may be called by many threads."""

    name: str
    keypoints: int

    def improve(self, frames: Sequence[Looked]) -> list[Detections]:
        """The people of each frame with other keypoints: as many, in the same order, with the same boxes and scores."""

    def close(self) -> None:
        """Let go of what it holds. The inner engine is closed by its owner."""


class Serialised:
    """`submit` of an engine for many threads: the Protocol lets it be called by one at a time."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._lock = threading.Lock()

    def submit(self, prepared: Sequence[Any], *, low_latency: bool = False) -> Future[list[Detections]]:
        """See `Engine.submit`."""
        with self._lock:
            return self.engine.submit(prepared, low_latency=low_latency)


class SecondLookEngine:
    """`Engine` that finds people by `inner` and their keypoints by `look`; it owns both and closes them."""

    def __init__(self, inner: Serialised, look: SecondLook) -> None:
        engine = inner.engine
        self.name = f"{engine.name}+{look.name}"
        self.precision = engine.precision
        self.device = engine.device
        self.head = replace(engine.head, keypoints=look.keypoints, keypoint_dims=3)
        self.batch = engine.batch
        # No more than the inner engine takes, whose `submit` would wait with the lock held that crops need to go on.
        self.in_flight = engine.in_flight
        self._inner = inner
        self._look = look
        self._under_way: set[Future[list[Detections]]] = set()
        self._threads = ThreadPoolExecutor(engine.in_flight, thread_name_prefix="second-look")

    def prepare(self, picture: Picture, fit: Letterbox) -> tuple[Any, Picture, Letterbox]:
        """See `Engine.prepare`."""
        return self._inner.engine.prepare(picture, fit), picture, fit

    def submit(
        self, prepared: Sequence[tuple[Any, Picture, Letterbox]], *, low_latency: bool = False
    ) -> Future[list[Detections]]:
        """See `Engine.submit`."""
        first = self._inner.submit([inner for inner, _, _ in prepared], low_latency=low_latency)
        answer: Future[list[Detections]] = Future()
        self._under_way.add(answer)
        answer.add_done_callback(self._under_way.discard)
        frames = [(picture, fit) for _, picture, fit in prepared]
        first.add_done_callback(partial(self._begin, frames, answer))
        return answer

    def close(self) -> None:
        """See `Engine.close`. What is under way still needs the inner engine for its crops."""
        wait(list(self._under_way))
        self._threads.shutdown()
        self._look.close()
        self._inner.engine.close()

    def _begin(
        self,
        frames: Sequence[tuple[Picture, Letterbox]],
        answer: Future[list[Detections]],
        first: Future[list[Detections]],
    ) -> None:
        """In the inner engine's thread, which must go on: the work is done by one of ours."""
        self._threads.submit(self._improve, frames, answer, first)

    def _improve(
        self,
        frames: Sequence[tuple[Picture, Letterbox]],
        answer: Future[list[Detections]],
        first: Future[list[Detections]],
    ) -> None:
        try:
            looked = [
                Looked(picture, fit, people) for (picture, fit), people in zip(frames, first.result(), strict=True)
            ]
            people = self._look.improve(looked)
        except Exception as error:  # noqa: BLE001 - whatever it is, it must reach who waits
            answer.set_exception(error)
        else:
            answer.set_result(people)
