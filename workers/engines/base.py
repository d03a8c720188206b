"""What every inference engine offers, and what the rest must know about a network's output."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, Protocol

from posebus.runtime.cpus import available_cpus
from workers.detections import Detections
from workers.images.picture import Picture
from workers.images.preprocess import Letterbox


@dataclass(frozen=True, slots=True)
class Head:
    """The layout of a pose network's output, all coordinates in pixels of the network's input.

    Dense: (4 + classes + keypoints * dims, anchors) with rows cx, cy, w, h, class scores, keypoints.
    End to end: (rows, 6 + keypoints * dims) with columns x1, y1, x2, y2, score, class, keypoints, best first.
    `keypoint_dims` is 3 (x, y, confidence) or 2; `stride` is what the input's sides must be multiples of.

    `mask_class` is None for a pose network. Else it is the number of the class that is people in a segmentation
    network: coefficients stand where keypoints would, and prototypes beside them (see `workers.outputs.mask_output`).
    """

    classes: int
    keypoints: int
    keypoint_dims: int
    end_to_end: bool
    stride: int
    mask_class: int | None = None


@dataclass(frozen=True, slots=True)
class Limits:
    """Which boxes of a network's output are people: scores above `conf`; of boxes that overlap by more than `iou` (as
    intersection over union) the best stays; the best `max_people` in all."""

    conf: float
    iou: float
    max_people: int


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
