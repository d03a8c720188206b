"""The cost of inference: pictures and pixels of the network's input, and its arithmetic. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from posebus.views import View
from workers.images.tiling import plan_view

STRIDE = 32
GFLOPS_AT_640 = 7.6
"""Of yolo11n-pose at 640x640, from ultralytics' model card. The cost of a convolutional network is proportional to the
pixels of its input."""


class InferredFrame(NamedTuple):
    """A frame of `size_px` (width, height) that was inferred with `view`."""

    size_px: tuple[int, int]
    view: View


class ComputeCost(NamedTuple):
    """The number of pictures that the network inferred, where each tile counts, and their pixels."""

    inferences: float
    pixels: float

    @property
    def gflops(self) -> float:
        """1e9 floating-point operations."""
        return gflops(self.pixels)


def gflops(pixels: float) -> float:
    """1e9 floating-point operations for this number of input pixels."""
    return GFLOPS_AT_640 * pixels / 640**2


def frame_cost(frame: InferredFrame) -> ComputeCost:
    """The cost of one frame without probes."""
    parts = plan_view(frame.size_px, frame.view, STRIDE).tiles
    width, height = parts[0].fit.input_px
    return ComputeCost(len(parts), len(parts) * width * height)


def total_cost(frames: Sequence[InferredFrame], workers: Sequence[Mapping[str, float]]) -> ComputeCost:
    """The cost of all inferred `frames`, which are in order, including probes.

    workers: the last report of each worker (`frames`, `inferences`, `input_pixels`), or none where nothing is probed
    and the views are the whole cost. Reports include probes but are a little old: the frames beyond their number of
    frames are added by their views. Frames that were computed and not yet committed, a handful, count twice.
    """
    reported = ComputeCost(*(sum(one[name] for one in workers) for name in ("inferences", "input_pixels")))
    after = [frame_cost(frame) for frame in frames[round(sum(one["frames"] for one in workers)) :]]
    return ComputeCost(
        reported.inferences + sum(one.inferences for one in after), reported.pixels + sum(one.pixels for one in after)
    )
