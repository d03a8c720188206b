"""How a picture enters the network: whole, at some inference size, or as overlapping tiles where it is too large."""

from __future__ import annotations

import math
import re
from typing import NamedTuple

from posebus.errors import MalformedMessage

MAX_IMGSZ = 4096
MAX_VIEWS = 12
"""A frame is looked at in so many ways at most."""

TILE_OVERLAP = 0.25
"""Share of a tile's side that neighbouring tiles have in common, at least. A person no larger than that is whole in
one of the tiles, wherever they stand. Tiles are for pictures in which people are small: a larger overlap computes the
same ground twice, a smaller one leaves more people to be merged from parts."""

_TEXT = re.compile(r"([1-9][0-9]{1,3})(?:/([1-8])x([1-8]))?")


class View(NamedTuple):
    """`imgsz`: the longest side of the network's input in pixels, for the whole picture or for each of its tiles,
    which lie in `columns` and `rows`."""

    imgsz: int
    columns: int = 1
    rows: int = 1

    @property
    def tiled(self) -> bool:
        """Whether the picture is cut."""
        return self.columns * self.rows > 1

    def __str__(self) -> str:
        """As it travels, and as people read it: `640`, or `1280/2x1` for two tiles side by side."""
        return f"{self.imgsz}/{self.columns}x{self.rows}" if self.tiled else str(self.imgsz)


def parse_view(text: str) -> View:
    """The view that `str` made this text of. Raises MalformedMessage."""
    found = _TEXT.fullmatch(text)
    if found is None or int(found[1]) > MAX_IMGSZ:
        raise MalformedMessage(f"{text[:20]!r} is no view: expected a size like 640, or tiles like 1280/2x1")
    return View(int(found[1]), int(found[2] or 1), int(found[3] or 1))


def parse_views(text: str) -> tuple[View, ...]:
    """Views with commas between; none of an empty text. Raises MalformedMessage."""
    names = text.split(",") if text else []
    if len(names) > MAX_VIEWS:
        raise MalformedMessage(f"{len(names)} views are more than {MAX_VIEWS}")
    return tuple(parse_view(name) for name in names)


def tile_size_px(size_px: tuple[int, int], columns: int, rows: int) -> tuple[int, int]:
    """(width, height) of each of the equal tiles that cover a picture of `size_px` (width, height)."""
    return _tile_side_px(size_px[0], columns), _tile_side_px(size_px[1], rows)


def tiles_of(size_px: tuple[int, int], view: View) -> tuple[tuple[int, int, int, int], ...]:
    """The tiles of a picture of `size_px` (width, height) as (left, top, right, bottom) in its pixels, row by row.

    They cover the picture from edge to edge and overlap by `TILE_OVERLAP` of their side at least; a view without tiles
    has one box, the whole picture. In tiny pictures several tiles may be the same.
    """
    width_px, height_px = tile_size_px(size_px, view.columns, view.rows)
    lefts = _tile_starts_px(size_px[0], width_px, view.columns)
    tops = _tile_starts_px(size_px[1], height_px, view.rows)
    return tuple((left, top, left + width_px, top + height_px) for top in tops for left in lefts)


def _tile_side_px(length_px: int, tiles: int) -> int:
    return min(length_px, math.ceil(length_px / (tiles - (tiles - 1) * TILE_OVERLAP)))


def _tile_starts_px(length_px: int, tile_px: int, tiles: int) -> list[int]:
    return [(length_px - tile_px) * index // max(1, tiles - 1) for index in range(tiles)]
