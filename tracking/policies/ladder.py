"""The views that `imgsz: auto` may choose for a picture, from the cheapest on, with their cost and expected recall."""

from __future__ import annotations

import math
from collections.abc import Sequence

from posebus.config.policies import Policies
from posebus.views import MAX_VIEWS, View, tile_size_px

STRIDE_PX = 32
MAX_TILES = 12

HALF_RECALL_PX = 93.0
STEEPNESS = 6.9
"""Of people h pixels high in the network's input, the share 1 / (1 + (HALF_RECALL_PX / h) ** STEEPNESS) is found.
Measured with yolo11n-pose on people 80 px high in a picture of 768x576: at 67 px 11 %, at 100 px 62 %, at 133 px 93 %
(docs/engines.md has other weights)."""


def expected_recall(height_px: float) -> float:
    """Share of people of this height in the network's input that is found."""
    return 1.0 / (1.0 + math.pow(HALF_RECALL_PX / max(height_px, 1.0), STEEPNESS))


def mean_recall(heights_px: Sequence[float], scale: float) -> float:
    """Mean expected recall of people of these heights in source pixels, at input pixels per source pixel `scale`."""
    return sum(expected_recall(height * scale) for height in heights_px) / len(heights_px)


def scale_of(view: View, size_px: tuple[int, int]) -> float:
    """Pixels of the network's input per pixel of a picture of `size_px` (width, height)."""
    return view.imgsz / max(tile_size_px(size_px, view.columns, view.rows))


def cost_px(view: View, size_px: tuple[int, int]) -> int:
    """Pixels of the network's input that the view takes for a picture of `size_px` (width, height)."""
    tile_px = tile_size_px(size_px, view.columns, view.rows)
    scale = view.imgsz / max(tile_px)
    sides = [max(1, math.ceil(side * scale / STRIDE_PX - 1e-6)) * STRIDE_PX for side in tile_px]
    return view.columns * view.rows * sides[0] * sides[1]


def views_of(policies: Policies, size_px: tuple[int, int]) -> tuple[View, ...]:
    """All views that may be chosen for a picture of `size_px` (width, height), by ascending scale.

    Whole pictures come first; where the picture is larger than the largest size, tiles follow until one pixel of the
    source is one of the input.
    """
    whole = [View(size) for size in policies.sizes]
    largest = whole[-1]
    tiled: list[View] = []
    long_px, short_px = max(size_px), min(size_px)
    for count in range(2, 9):
        across = max(1, round(count * short_px / long_px))
        if scale_of(tiled[-1] if tiled else largest, size_px) >= 1.0 or count * across > min(MAX_TILES, MAX_VIEWS):
            break
        columns, rows = (count, across) if size_px[0] >= size_px[1] else (across, count)
        tiled.append(View(largest.imgsz, columns, rows))
    return (*whole, *tiled)
