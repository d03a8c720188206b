"""The interface of every inference engine."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future
from typing import Any, Protocol

from posebus.machine.cpus import available_cpus
from workers.detections import Detections, Head
from workers.images.picture import Picture
from workers.images.preprocess import Letterbox


class Engine(Protocol):
    """A loaded network. Many threads may call `prepare`; `submit` may be called by any thread, but by one at a time."""

    @property
    def name(self) -> str:
        """The engine's name, such as `openvino`; `+refine` or `+keypoints` is appended if keypoints come from crops."""

    @property
    def precision(self) -> str:
        """The arithmetic in use: `fp32`, `bf16`, `fp16` or `int8`."""

    @property
    def device(self) -> str:
        """The device that computes: `cpu`, `cuda:0`, …"""

    @property
    def head(self) -> Head:
        """The layout of the network's output."""

    @property
    def batch(self) -> int:
        """The largest number of frames per submission."""

    @property
    def in_flight(self) -> int:
        """The number of submissions to keep queued, so that the device never idles."""

    def prepare(self, picture: Picture, fit: Letterbox) -> Any:
        """Return the input for `submit` from a picture that enters the network by the letterbox `fit`.

        All work on the host that can overlap with inference belongs here: decoding and the letterbox, or, where the
        device does the latter, a copy in pinned memory. Raises BadPicture for a picture that does not decode.
        """

    def submit(self, prepared: Sequence[Any], *, low_latency: bool = False) -> Future[list[Detections]]:
        """Queue up to `batch` results of `prepare` with equal `fit.input_px`; the future gives the people of each.

        Boxes and keypoints are in pixels of the network's input, filtered by the engine's `Limits`. Raises EngineError
        where the network cannot be set up for the shape; errors that occur later are raised by the future.
        With `low_latency` a consumer waits for just these pictures and nothing else is in flight: an engine that can
        trade throughput for latency does.
        """

    def close(self) -> None:
        """Wait for queued submissions and release the device."""


def default_decode_threads(device: str) -> int:
    """Return the number of threads that decode beside an engine on `device`; on a CPU the network needs most cores."""
    cores = available_cpus()
    return max(1, min(8, cores // 8 if device == "cpu" else cores // 2))
