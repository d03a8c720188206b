"""Where a track was, in few points: its whole way, however long it took. Pure.

When there are too many points, the one goes that is nearest to a steady walk between its neighbours. The distance
counts for both neighbours from then on, so that they stay longer (SQUISH: J. Muckell et al., "SQUISH: an online
approach for GPS trajectory compression", 2011). So the path keeps turns and stops, and its first and last point.
"""

from __future__ import annotations

import math
from typing import NamedTuple

MAX_POINTS = 32


class PathPoint(NamedTuple):
    """A place: capture time, pixels of the picture, metres on the floor (not a number where they are unknown)."""

    at_ns: int
    x_px: float
    y_px: float
    x_m: float
    y_m: float
    owed_px: float = 0.0
    """How far points beside it that were left out may have been from the path."""


def with_point(path: list[PathPoint], point: PathPoint) -> list[PathPoint]:
    """Return `path` with a later point, of MAX_POINTS at most."""
    return simplified([*path, point], MAX_POINTS)


def simplified(path: list[PathPoint], points: int) -> list[PathPoint]:
    """Return `path` with at most so many points, two or more."""
    kept = list(path)
    while len(kept) > max(points, 2):
        costs = _errors_px(kept)
        least = min(range(len(costs)), key=costs.__getitem__)
        for neighbour in (least, least + 2):
            kept[neighbour] = kept[neighbour]._replace(owed_px=kept[neighbour].owed_px + costs[least])
        del kept[least + 1]
    return kept


def _errors_px(path: list[PathPoint]) -> list[float]:
    """How far the person was from where they would have been, walking steadily from one neighbour to the other.

    There is a distance for each point but the first and the last.
    """
    found = []
    (before_ns, before_x, before_y, *_), (at_ns, x, y, _, _, owed_px) = path[0], path[1]
    for after_ns, after_x, after_y, _, _, next_owed_px in path[2:]:
        share = (at_ns - before_ns) / max(after_ns - before_ns, 1)
        off_x, off_y = x - (before_x + share * (after_x - before_x)), y - (before_y + share * (after_y - before_y))
        found.append(owed_px + math.hypot(off_x, off_y))
        before_ns, before_x, before_y = at_ns, x, y
        at_ns, x, y, owed_px = after_ns, after_x, after_y, next_owed_px
    return found
