"""A table as lines of text that fit into a width: less important columns give way, nothing is wrapped.

A line is a list of cells, pieces of text with their style. Nothing here needs a library for terminals.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

GAP = 2
ELLIPSIS = "…"


class Cell(NamedTuple):
    """A piece of text and its style, as rich names it."""

    text: str
    style: str = ""


Line = list[Cell]


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its cells from top to bottom, and its `rank`, lower for those that give way later.

    A column is cut to no less than `least` characters; with 0 it is shown whole or not at all. With `always` it is
    shown even where it leaves no room for the others.
    """

    name: str
    cells: Sequence[Cell]
    rank: int
    least: int = 0
    right: bool = True
    always: bool = False

    @property
    def natural(self) -> int:
        """The width at which nothing is cut."""
        return max([len(self.name), *(len(cell.text) for cell in self.cells)])

    @property
    def needed(self) -> int:
        """The least width at which the column is shown."""
        return min(self.natural, max(self.least, len(self.name))) if self.least else self.natural


def fitted(columns: Sequence[Column], width: int) -> list[Line]:
    """Return the header and the rows of those `columns` that fit into `width`.

    Where even those that are always shown do not fit, the first one is cut.
    """
    shown = _chosen(columns, width)
    spare = width - sum(column.needed for column in shown) - GAP * (len(shown) - 1)
    widths = []
    for column in shown:
        more = max(0, min(spare, column.natural - column.needed))
        spare -= more
        widths.append(max(1, min(column.needed + more, width)))
    widths[0] = max(1, widths[0] + min(0, width - sum(widths) - GAP * (len(widths) - 1)))
    header = [Cell(column.name, "bold") for column in shown]
    rows = [[column.cells[row] for column in shown] for row in range(len(shown[0].cells))]
    return [_line(cells, shown, widths) for cells in (header, *rows)]


def cut(text: str, width: int) -> str:
    """Return `text` within `width`, with an ellipsis where it was cut."""
    return text if len(text) <= width else text[: max(0, width - 1)] + ELLIPSIS


def _chosen(columns: Sequence[Column], width: int) -> list[Column]:
    left = width + GAP
    kept: list[Column] = []
    for column in sorted(columns, key=lambda column: column.rank):
        if kept and not column.always and column.needed + GAP > left:
            break  # a less important one that happens to be narrow must not take its place
        kept.append(column)
        left -= column.needed + GAP
    return [column for column in columns if column in kept]


def _line(cells: Sequence[Cell], columns: Sequence[Column], widths: Sequence[int]) -> Line:
    line: Line = []
    for position, (cell, column, width) in enumerate(zip(cells, columns, widths, strict=True)):
        text = cut(cell.text, width)
        padding = Cell(" " * (width - len(text)))
        gap = Cell(" " * GAP if position else "")
        line += [gap, padding, Cell(text, cell.style)] if column.right else [gap, Cell(text, cell.style), padding]
    return line
