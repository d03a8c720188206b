"""How a picture enters the network: whole, at some inference size, or cut into overlapping tiles if it is large."""

from __future__ import annotations

import re
from typing import NamedTuple

from posebus.errors import MalformedMessage

MAX_IMGSZ = 4096
"""The largest inference size in pixels."""
MAX_VIEWS = 12
"""The largest number of views of one frame."""
MAX_TILES = 8
"""The largest number of tiles beside each other, and below each other."""

_SIZE = re.compile(r"[1-9][0-9]{1,3}")
_TILES = re.compile(rf"([1-{MAX_TILES}])x([1-{MAX_TILES}])")


class View(NamedTuple):
    """One way to run inference on a picture.

    `imgsz` is the longest side of the network's input in pixels: of the whole picture, or of each of its tiles, which
    form a grid of `columns` and `rows`.
    """

    imgsz: int
    columns: int = 1
    rows: int = 1

    @property
    def tiled(self) -> bool:
        """Whether the picture is cut into tiles."""
        return self.columns * self.rows > 1

    def __str__(self) -> str:
        """The view as text, for messages and for users: `640`, or `1280/2x1` for two tiles side by side."""
        return f"{self.imgsz}/{self.columns}x{self.rows}" if self.tiled else str(self.imgsz)


def parse_view(text: str) -> View:
    """The inverse of `str(view)`. Raises MalformedMessage."""
    size, tiled, tiles = text.partition("/")
    grid = parse_tiles(tiles) if tiled else (1, 1)
    if grid is None or _SIZE.fullmatch(size) is None or int(size) > MAX_IMGSZ:
        raise MalformedMessage(f"{text[:20]!r} is not a view: expected a size like 640, or tiles like 1280/2x1")
    columns, rows = grid
    return View(imgsz=int(size), columns=columns, rows=rows)


def parse_tiles(text: str) -> tuple[int, int] | None:
    """Columns and rows of text like `2x1`, each from 1 to MAX_TILES; None for any other text."""
    found = _TILES.fullmatch(text)
    return None if found is None else (int(found[1]), int(found[2]))


def parse_views(text: str) -> tuple[View, ...]:
    """Views separated by commas; an empty text has none. Raises MalformedMessage."""
    names = text.split(",") if text else []
    if len(names) > MAX_VIEWS:
        raise MalformedMessage(f"{len(names)} views are more than {MAX_VIEWS}")
    return tuple(parse_view(name) for name in names)
