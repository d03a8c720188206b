"""What every inference engine offers, and what the rest must know about a network's output."""

from __future__ import annotations

import os
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt

ImageArray = npt.NDArray[np.uint8]
FloatArray = npt.NDArray[np.float32]

_CGROUP_QUOTA = Path("/sys/fs/cgroup/cpu.max")


@dataclass(frozen=True, slots=True)
class Head:
    """The layout of a pose network's output, all coordinates in pixels of the network's input.

    Dense: (4 + classes + keypoints * dims, anchors) with rows cx, cy, w, h, class scores, keypoints.
    End to end: (rows, 6 + keypoints * dims) with columns x1, y1, x2, y2, score, class, keypoints, best first.
    `keypoint_dims` is 3 (x, y, confidence) or 2; `stride` is what the input's sides must be multiples of.
    """

    classes: int
    keypoints: int
    keypoint_dims: int
    end_to_end: bool
    stride: int


class Engine(Protocol):
    """A loaded network. Not thread-safe: one thread submits, results may be awaited in any."""

    @property
    def name(self) -> str:
        """`openvino`, `onnx` or `torch`."""

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

    def submit(self, images_rgb: ImageArray) -> Future[FloatArray]:
        """Queue u8 (B, H, W, 3), H and W multiples of the stride; the result is float32 (B, …) in `head`'s layout.

        The array may be changed once this returns. Raises EngineError where the network cannot be set up for the
        shape; whatever fails later is raised by the future.
        """

    def close(self) -> None:
        """Wait for what is queued and let go of the device."""


def available_cpus() -> int:
    """Cores that this process may use: its affinity and, in a container, its CPU quota."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    try:
        quota, period = _CGROUP_QUOTA.read_text().split()
    except (OSError, ValueError):
        return cores
    return cores if quota == "max" else max(1, min(cores, int(quota) // int(period)))
