"""The interface of every inference engine."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future
from typing import Any, Protocol

from posebus.runtime.cpus import available_cpus
from workers.detections import Detections, Head
from workers.images.picture import Picture
from workers.images.preprocess import Letterbox


class Engine(Protocol):
    """A loaded network. `prepare` may be called by many threads; `submit` by one at a time, which may change."""

    @property
    def name(self) -> str:
        """`openvino`, `onnx` or `torch`; with `+refine` or `+keypoints` behind it if people are looked at twice."""

    @property
    def precision(self) -> str:
        """Arithmetic in use: `fp32`, `bf16` or `fp16`."""

    @property
    def device(self) -> str:
        """`cpu`, `cuda:0`, …"""

    @property
    def head(self) -> Head:
        """Layout of the output."""

    @property
    def batch(self) -> int:
        """Frames per submission at most."""

    @property
    def in_flight(self) -> int:
        """Submissions worth keeping queued, so that the device never waits."""

    def prepare(self, picture: Picture, fit: Letterbox) -> Any:
        """What this engine needs of a picture that enters the network as `fit` says, ready for `submit`.

        All work on the host that can be done beside the network belongs here: decoding and the letterbox, or, where
        the device does the latter, a copy in pinned memory. Raises BadPicture for what does not decode.
        """

    def submit(self, prepared: Sequence[Any], *, low_latency: bool = False) -> Future[list[Detections]]:
        """Queue up to `batch` results of `prepare` whose `fit.input_px` are equal; the people of each, in its order.

        Boxes and keypoints are in pixels of the network's input, suppressed by the engine's `Limits`. Raises
        EngineError where the network cannot be set up for the shape; whatever fails later is raised by the future.
        With `low_latency` a consumer waits for just these pictures and nothing else is in flight: an engine that can
        trade throughput for latency does.
        """

    def close(self) -> None:
        """Wait for what is queued and let go of the device."""


def default_decode_threads(device: str) -> int:
    """Threads that decode beside an engine on `device`: on a CPU few, for the cores are the network's."""
    cores = available_cpus()
    return max(1, min(8, cores // 8 if device == "cpu" else cores // 2))
