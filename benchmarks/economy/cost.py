"""What inference costs: pictures and pixels that entered the network, and the arithmetic that this takes. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from posebus.views import View
from workers.images.tiling import plan_view

STRIDE = 32
GFLOPS_AT_640 = 7.6
"""Of yolo11n-pose at 640x640, as ultralytics' model card says. A network of convolutions costs in proportion to the
pixels of its input."""


class InferredFrame(NamedTuple):
    """A frame of `size_px` (width, height) that was inferred by `view`."""

    size_px: tuple[int, int]
    view: View


class ComputeCost(NamedTuple):
    """Pictures that the network computed, each tile for itself, and their pixels."""

    inferences: float
    pixels: float

    @property
    def gflops(self) -> float:
        """1e9 floating point operations."""
        return gflops(self.pixels)


def gflops(pixels: float) -> float:
    """1e9 floating point operations for so many pixels of the network's input."""
    return GFLOPS_AT_640 * pixels / 640**2


def frame_cost(look: InferredFrame) -> ComputeCost:
    """What one frame's answer costs."""
    parts = plan_view(look.size_px, look.view, STRIDE).tiles
    width, height = parts[0].fit.input_px
    return ComputeCost(len(parts), len(parts) * width * height)


def total_cost(looks: Sequence[InferredFrame], workers: Sequence[Mapping[str, float]]) -> ComputeCost:
    """What `looks`, all frames that were inferred in their order, came to, with the probes beside them.

    workers: of each its last report (`frames`, `inferences`, `input_pixels`), none where nothing is probed and the
    views tell all. It counted probes, too, and is as old as its number of frames says; frames after it are added as
    their views say. Those that it had computed and not yet committed, a handful, count twice.
    """
    reported = ComputeCost(*(sum(one[name] for one in workers) for name in ("inferences", "input_pixels")))
    after = [frame_cost(look) for look in looks[round(sum(one["frames"] for one in workers)) :]]
    return ComputeCost(
        reported.inferences + sum(one.inferences for one in after), reported.pixels + sum(one.pixels for one in after)
    )
