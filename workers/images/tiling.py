"""How a view brings a picture into the network: as a whole, or cut into overlapping tiles (geometry: `posebus.views`).

Slicing for small objects: F. C. Akyon, S. O. Altinuc, A. Temizel, "Slicing Aided Hyper Inference and Fine-tuning for
Small Object Detection", ICIP 2022. A view gives the number of its tiles and not their size, so that all tiles of a
picture have the same shape.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from posebus.views import View, tile_size_px, tiles_of
from workers.detections import ImageArray
from workers.images.picture import Picture
from workers.images.preprocess import Letterbox


@dataclass(frozen=True, slots=True)
class Tile:
    """A region (left, top, right, bottom) of a picture, in the picture's pixels, and its letterbox."""

    region_px: tuple[int, int, int, int]
    fit: Letterbox


@dataclass(frozen=True, slots=True)
class ViewPlan:
    """The tiles, row by row, in which `view` takes a picture of `image_size_px` (width, height).

    A view without tiles has one, the whole picture. All tiles of a view have the same `fit`.
    """

    view: View
    image_size_px: tuple[int, int]
    tiles: tuple[Tile, ...]

    @property
    def needed_px(self) -> tuple[int, int]:
        """The (width, height) that the picture has to be decoded to at least.

        For a whole picture, its size in the network's input; for tiles, which are cut at whole pixels, the full size.
        """
        return self.image_size_px if self.view.tiled else self.tiles[0].fit.resized_px


def forward_passes(views: Sequence[View]) -> int:
    """Return how many forward passes these views take for a frame (1 if empty)."""
    return sum(view.columns * view.rows for view in views) or 1


@lru_cache(maxsize=256)
def plan_view(image_size_px: tuple[int, int], view: View, stride: int) -> ViewPlan:
    """Return the plan for a picture of this (width, height); the network's sides are multiples of `stride`."""
    fit = Letterbox.fit(tile_size_px(image_size_px, view.columns, view.rows), view.imgsz, stride)
    return ViewPlan(view, image_size_px, tuple(Tile(region, fit) for region in tiles_of(image_size_px, view)))


def decode_for(picture: Picture, plans: Sequence[ViewPlan]) -> ImageArray:
    """Return the rows of `picture`, u8 (H, W, 3), decoded once in the largest size that any of `plans` needs.

    A small view beside a large one may thus get its pixels from other rows than it would alone, if the picture is a
    JPEG more than twice as large as the small view needs. That depends only on the frame and its views, and on nothing
    else that is in flight. Raises BadPicture.
    """
    widths, heights = zip(*(plan.needed_px for plan in plans), strict=True)
    return picture.rgb((max(widths), max(heights)))


def cut_tiles(picture: Picture, plan: ViewPlan) -> list[Picture]:
    """Return a picture for each tile, or the picture itself for a view without tiles. Raises BadPicture."""
    if not plan.view.tiled:
        return [picture]
    rows = picture.rgb(plan.needed_px)
    regions = [tile.region_px for tile in plan.tiles]
    return [Picture.of(np.ascontiguousarray(rows[top:bottom, left:right])) for left, top, right, bottom in regions]
