"""How a picture enters the network: whole, at some inference size, or as overlapping tiles where it is too large."""

from __future__ import annotations

import re
from typing import NamedTuple

from posebus.errors import MalformedMessage

MAX_IMGSZ = 4096
MAX_VIEWS = 12
"""A frame is looked at in so many ways at most."""

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
