"""Zones and lines of rules, drawn into a picture. Pure, but for the picture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import cv2
import numpy as np

from posebus.config.cameras.polygon import in_fractions
from recordings.results.draw import Color, Image, color_of

_INK: Color = (24, 20, 18)
GRID_STEPS_PX = (10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 20_000)
MOST_LINES = 14


def draw_rules(
    image_bgr: Image, rules: Mapping[str, Any], size_px: tuple[int, int], active: Sequence[str] = ()
) -> None:
    """Draw the zones and lines of `rules` (as in the configuration) into a picture (H, W, 3).

    size_px: (width, height) of the picture in which their points are; `image_bgr` may be smaller. `active`: names of
    rules that are filled. A line has the letters of its sides.
    """
    height_px, width_px = image_bgr.shape[:2]
    shapes = [(name, rule) for name, rule in rules.items() if rule.get("points")]
    for number, (name, rule) in enumerate(shapes):
        points = [(float(x), float(y)) for x, y in rule["points"]]
        unit = (1, 1) if in_fractions(points) else size_px
        corners = np.array(points) * (np.array((width_px, height_px)) / np.array(unit, float))
        color = color_of(number + 4)
        if name in active and rule["kind"] != "line":
            _fill(image_bgr, corners, color)
        width = max(1, round(min(width_px, height_px) / 240))
        cv2.polylines(
            image_bgr, [np.round(corners).astype(np.int32)], rule["kind"] != "line", color, width, cv2.LINE_AA
        )
        _label(image_bgr, name, corners.mean(axis=0) if rule["kind"] != "line" else corners[0], color)
        if rule["kind"] == "line":
            _sides(image_bgr, corners, color)


def _fill(image_bgr: Image, corners: np.ndarray[Any, Any], color: Color) -> None:
    filled = image_bgr.copy()
    cv2.fillPoly(filled, [np.round(corners).astype(np.int32)], color)
    cv2.addWeighted(filled, 0.25, image_bgr, 0.75, 0, dst=image_bgr)


def _sides(image_bgr: Image, corners: np.ndarray[Any, Any], color: Color) -> None:
    """Write a and b beside the middle of a line: a is left of the way from the first to the second point."""
    way = corners[1] - corners[0]
    left = np.array((way[1], -way[0])) / max(float(np.hypot(*way)), 1e-9)
    away_px = max(12.0, min(image_bgr.shape[:2]) / 20)
    for letter, side in (("a", 1.0), ("b", -1.0)):
        _label(image_bgr, letter, corners.mean(axis=0) + side * away_px * left, color)


def _label(image_bgr: Image, text: str, place: np.ndarray[Any, Any], color: Color) -> None:
    scale = max(0.35, min(image_bgr.shape[:2]) / 1100)
    font = cv2.FONT_HERSHEY_SIMPLEX
    (width, height), _ = cv2.getTextSize(text, font, scale, 1)
    left = int(np.clip(place[0] - width / 2, 2, max(2, image_bgr.shape[1] - width - 4)))
    bottom = int(np.clip(place[1] + height / 2, height + 2, max(height + 2, image_bgr.shape[0] - 4)))
    cv2.rectangle(image_bgr, (left - 2, bottom - height - 3), (left + width + 2, bottom + 3), color, cv2.FILLED)
    cv2.putText(image_bgr, text, (left, bottom), font, scale, _INK, 1, cv2.LINE_AA)


def draw_grid(image_bgr: Image, size_px: tuple[int, int]) -> None:
    """Draw a grid with coordinates in pixels of the source, of (width, height) `size_px`, to read points from."""
    height_px, width_px = image_bgr.shape[:2]
    step_px = next(step for step in GRID_STEPS_PX if max(size_px) / step <= MOST_LINES)
    color: Color = (255, 255, 255)
    for axis, length_px in enumerate(size_px):
        scale = (width_px, height_px)[axis] / length_px
        for at_px in range(step_px, length_px, step_px):
            place = round(at_px * scale)
            first, last = ((place, 0), (place, height_px)) if axis == 0 else ((0, place), (width_px, place))
            cv2.line(image_bgr, first, last, color, 1)
            _label(image_bgr, str(at_px), np.array((place, 12) if axis == 0 else (18, place), float), color)
