"""The parts in which a view takes a picture into the network: the whole of it, or overlapping tiles.

Slicing for small objects: F. C. Akyon, S. O. Altinuc, A. Temizel, "Slicing Aided Hyper Inference and Fine-tuning for
Small Object Detection", ICIP 2022. Our tiles are given by their number and not by their size, so that all of one
picture have the same shape, whatever the picture's.
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

Region = tuple[int, int, int, int]
"""Left, top, right, bottom."""


@dataclass(frozen=True, slots=True)
class Part:
    """A region of a picture, in the picture's pixels, and how that enters the network."""

    region_px: Region
    fit: Letterbox


@dataclass(frozen=True, slots=True)
class Look:
    """A view of a picture of `image_size_px` (width, height), and the parts that it takes, row by row."""

    view: View
    image_size_px: tuple[int, int]
    parts: tuple[Part, ...]

    @property
    def needed_px(self) -> tuple[int, int]:
        """(width, height) that the picture has to be decoded to at least: what the network gets of it as a whole; all
        that there is for tiles, which are cut at whole pixels."""
        return self.image_size_px if self.view.tiled else self.parts[0].fit.resized_px


def inputs_of(views: Sequence[View]) -> int:
    """How often the network is computed for a frame with these views; once where there are none."""
    return sum(view.columns * view.rows for view in views) or 1


@lru_cache(maxsize=256)
def look_of(image_size_px: tuple[int, int], view: View, stride: int) -> Look:
    """How a picture of this (width, height) is taken in; `stride` is what the network's sides are multiples of.

    All parts of a view have the same `fit`.
    """
    fit = Letterbox.fit(tile_size_px(image_size_px, view.columns, view.rows), view.imgsz, stride)
    return Look(view, image_size_px, tuple(Part(region, fit) for region in tiles_of(image_size_px, view)))


def decoded(picture: Picture, looks: Sequence[Look]) -> ImageArray:
    """The rows of `picture`, decoded once for all of `looks`, in the size that the largest needs. Raises BadPicture.

    So a small look beside a large one may get its pixels from other rows than alone: of JPEGs more than twice as large
    as it needs. That depends on the frame and its views alone, and on nothing else that is under way.
    """
    widths, heights = zip(*(look.needed_px for look in looks), strict=True)
    return picture.rgb((max(widths), max(heights)))


def cut(picture: Picture, look: Look) -> list[Picture]:
    """A picture for each part; the same one where it is taken in as a whole. Raises BadPicture."""
    if not look.view.tiled:
        return [picture]
    rows = picture.rgb(look.needed_px)
    regions = [part.region_px for part in look.parts]
    return [Picture.of(np.ascontiguousarray(rows[top:bottom, left:right])) for left, top, right, bottom in regions]
