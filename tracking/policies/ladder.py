"""The views that `imgsz: auto` may choose for a picture, from the cheapest on, and what each costs and sees."""

from __future__ import annotations

import math

from posebus.config.policies import Policies
from posebus.views import MAX_VIEWS, View, tile_size_px

STRIDE_PX = 32
MOST_TILES = 12

HALF_SEEN_PX = 93.0
STEEPNESS = 6.9
"""Of people h pixels high in the network's input the part 1 / (1 + (HALF_SEEN_PX / h) ** STEEPNESS) is found. Measured
with yolo11n-pose on people who are 80 px high in a picture of 768x576: of 67 px 11 %, of 100 px 62 %, of 133
px 93 % (docs/engines.md tells of other weights)."""


def seen_part(height_px: float) -> float:
    """The part that is found of people who are so high in the network's input."""
    return 1.0 / (1.0 + math.pow(HALF_SEEN_PX / max(height_px, 1.0), STEEPNESS))


def scale_of(view: View, size_px: tuple[int, int]) -> float:
    """Pixels of the network's input for each of the source's, for a picture of this (width, height)."""
    return view.imgsz / max(tile_size_px(size_px, view.columns, view.rows))


def cost_px(view: View, size_px: tuple[int, int]) -> int:
    """Pixels of the network's input that the view takes of a picture of this (width, height)."""
    tile_px = tile_size_px(size_px, view.columns, view.rows)
    scale = view.imgsz / max(tile_px)
    sides = [max(1, math.ceil(side * scale / STRIDE_PX - 1e-6)) * STRIDE_PX for side in tile_px]
    return view.columns * view.rows * sides[0] * sides[1]


def views_of(policies: Policies, size_px: tuple[int, int]) -> tuple[View, ...]:
    """All that may be chosen, by their scale: whole pictures, and tiles where the picture is larger than the largest
    size, until a pixel of the source is one of the input's."""
    whole = [View(size) for size in policies.sizes]
    largest = whole[-1]
    tiled: list[View] = []
    long_px, short_px = max(size_px), min(size_px)
    for count in range(2, 9):
        across = max(1, round(count * short_px / long_px))
        if scale_of(tiled[-1] if tiled else largest, size_px) >= 1.0 or count * across > min(MOST_TILES, MAX_VIEWS):
            break
        columns, rows = (count, across) if size_px[0] >= size_px[1] else (across, count)
        tiled.append(View(largest.imgsz, columns, rows))
    return (*whole, *tiled)
