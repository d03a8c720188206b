"""Zones and lines of rules, drawn into a picture, and a grid to read their points from."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import cv2
import numpy as np

from posebus.config.cameras.polygon import MAX_POINTS
from recordings.results.draw import Color, Image

SHOWN_PX = 60_000
HIGHLIGHT: Color = (60, 170, 255)
QUIET: Color = (190, 190, 190)
INK: Color = (24, 20, 18)
GRID: Color = (255, 255, 255)
GRID_STEPS_PX = (10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 20_000)
MOST_LINES = 14


def draw_rules(
    image_bgr: Image, rules: Mapping[str, Any], size_px: tuple[int, int], stand_out: Collection[str] = ()
) -> None:
    """Draw the zones and lines of `rules` (as in the configuration) into a picture (H, W, 3).

    size_px: (width, height) of the picture in which their points are; `image_bgr` may be smaller. stand_out: names of
    rules that are drawn in colour with their names, and lines with the letters of their sides. Rules of other packages
    without points that can be drawn are left out.
    """
    for name, rule in sorted(rules.items(), key=lambda item: item[0] in stand_out):
        points_px = _points_px(rule, size_px, (image_bgr.shape[1], image_bgr.shape[0]))
        if points_px is not None:
            _draw_shape(image_bgr, name, points_px, stands_out=name in stand_out)


def draw_grid(image_bgr: Image, size_px: tuple[int, int]) -> None:
    """Draw a grid with coordinates in pixels of the source, of (width, height) `size_px`."""
    height_px, width_px = image_bgr.shape[:2]
    step_px = next(step for step in GRID_STEPS_PX if max(size_px) / step <= MOST_LINES)
    for axis, length_px in enumerate(size_px):
        scale = (width_px, height_px)[axis] / length_px
        for at_px in range(step_px, length_px, step_px):
            place = round(at_px * scale)
            first, last = ((place, 0), (place, height_px)) if axis == 0 else ((0, place), (width_px, place))
            cv2.line(image_bgr, first, last, GRID, 1)
            _write(image_bgr, str(at_px), (place - 10, 14) if axis == 0 else (4, place + 5), GRID)


def _draw_shape(image_bgr: Image, name: str, points_px: Any, *, stands_out: bool) -> None:
    color, width_px = (HIGHLIGHT, 2) if stands_out else (QUIET, 1)
    closed = len(points_px) > 2
    cv2.polylines(image_bgr, [points_px], closed, INK, width_px + 2, cv2.LINE_AA)
    cv2.polylines(image_bgr, [points_px], closed, color, width_px, cv2.LINE_AA)
    if stands_out:
        left_px, top_px = points_px.min(axis=0).tolist()
        _write(image_bgr, name, (max(2, left_px + 4), max(14, top_px - 5)), color)
        if not closed:
            _write_sides(image_bgr, points_px, color)


def _write_sides(image_bgr: Image, points_px: Any, color: Color) -> None:
    """Write a and b beside the middle of a line: a is left of the way from the first to the second point."""
    way = points_px[1] - points_px[0]
    left = np.array((way[1], -way[0])) / max(float(np.hypot(*way)), 1e-9)
    away_px = max(12.0, min(image_bgr.shape[:2]) / 20)
    for letter, side in (("a", 1.0), ("b", -1.0)):
        x, y = (points_px.mean(axis=0) + side * away_px * left).tolist()
        _write(image_bgr, letter, (int(x) - 4, int(y) + 5), color)


def _write(image_bgr: Image, text: str, place: tuple[int, int], color: Color) -> None:
    cv2.putText(image_bgr, text, place, cv2.FONT_HERSHEY_SIMPLEX, 0.45, INK, 3, cv2.LINE_AA)
    cv2.putText(image_bgr, text, place, cv2.FONT_HERSHEY_SIMPLEX, 0.45, color, 1, cv2.LINE_AA)


def _points_px(rule: Any, size_px: tuple[int, int], image_px: tuple[int, int]) -> Any:
    """Return the points of a rule in the picture, (N, 2) int32; None for a rule without any that can be drawn."""
    points = rule.get("points") if isinstance(rule, Mapping) else None
    if not isinstance(points, list | tuple) or not 2 <= len(points) <= MAX_POINTS:
        return None
    try:
        source = np.array(points, np.float64)
    except (ValueError, TypeError):
        return None
    if source.shape != (len(points), 2) or not np.isfinite(source).all() or np.abs(source).max() > SHOWN_PX:
        return None
    sides = (1.0, 1.0) if source.max() <= 1 else size_px
    return np.round(source * np.array(image_px) / np.array(sides)).astype(np.int32)
