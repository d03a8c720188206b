"""From a mask to the polygon around it, of few points."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
import numpy.typing as npt

from posebus.arrays import BoolArray, Float32Array

MAX_POINTS = 64
"""Of one person: 512 bytes on the wire, about what keypoints and appearance take."""
TOLERANCE_PX = 0.75
"""How far from the mask's edge the polygon may run, unless that takes more than `MAX_POINTS`."""
COARSER = 1.5
UNION_CELLS = 256
"""On the longer side of the grid in which polygons are put together."""
MAX_PARTS = 4
LEAST_PART = 0.05
"""Parts below this share of the largest are crumbs that the network left beside somebody."""


def outline(mask: BoolArray) -> Float32Array:
    """The closed polygon (M, 2) around the pixels of `mask` (H, W), x and y from its upper left corner.

    M is at most `MAX_POINTS`. Pixel (x, y) covers the square from (x, y) to (x + 1, y + 1). Holes are filled. Somebody
    whom a pole divides, say, is one polygon: its parts are joined by lines that lead there and back, and enclose
    nothing. (0, 2) where nothing is set. Simplified after Douglas and Peucker (1973), more coarsely where the points
    are too many.
    """
    padded = np.pad(mask.astype(np.uint8), ((0, 1), (0, 1)))
    # Every corner of a pixel that is set: a contour through the pixels themselves would be too small by half of one.
    corners = cv2.dilate(padded, np.ones((2, 2), np.uint8), anchor=(1, 1), borderType=cv2.BORDER_CONSTANT)
    contours, _ = cv2.findContours(corners, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    parts = _worth_keeping(contours)
    tolerance_px = TOLERANCE_PX
    polygon = _joined([_simplified(part, tolerance_px) for part in parts])
    while len(polygon) > MAX_POINTS:
        tolerance_px *= COARSER
        polygon = _joined([_simplified(part, tolerance_px) for part in parts])
    return polygon


def union(polygons: Sequence[Float32Array]) -> Float32Array:
    """The closed polygon (M, 2) around all that any of these (M_i, 2) encloses, as exact as UNION_CELLS allow; (0, 2)
    where none encloses anything."""
    some = [polygon for polygon in polygons if len(polygon) >= 3]
    if len(some) < 2:
        return some[0] if some else np.zeros((0, 2), np.float32)
    corners = np.concatenate(some)
    start, extent = corners.min(axis=0), float(np.ptp(corners, axis=0).max())
    scale = UNION_CELLS / max(extent, 1e-6)
    columns, rows = np.ceil(np.ptp(corners, axis=0) * scale).astype(int) + 1
    mask = np.zeros((rows, columns), np.uint8)
    for polygon in some:
        # Each for itself: together, what two enclose would count as outside.
        cv2.fillPoly(mask, [np.floor((polygon - start) * scale).astype(np.int32)], 1)
    around: Float32Array = outline(mask > 0) / np.float32(scale) + start
    return around


def _worth_keeping(contours: Sequence[npt.NDArray[np.int32]]) -> list[npt.NDArray[np.int32]]:
    areas = [cv2.contourArea(contour) for contour in contours]
    order = sorted(range(len(contours)), key=lambda index: -areas[index])[:MAX_PARTS]
    return [contours[index] for index in order if areas[index] >= LEAST_PART * areas[order[0]]]


def _simplified(contour: npt.NDArray[np.int32], tolerance_px: float) -> Float32Array:
    simple: Float32Array = cv2.approxPolyDP(contour, tolerance_px, True)[:, 0].astype(np.float32)
    return simple


def _joined(parts: Sequence[Float32Array]) -> Float32Array:
    """One polygon of several, the largest first: from the nearest point to the next one and back again."""
    polygon = np.zeros((0, 2), np.float32)
    for part in parts:
        if len(part) < 3:
            continue
        if not len(polygon):
            polygon = part
            continue
        apart = np.linalg.norm(polygon[:, None] - part[None], axis=2)
        here, there = np.unravel_index(apart.argmin(), apart.shape)
        round_trip = (part[there:], part[: there + 1])
        polygon = np.concatenate((polygon[: here + 1], *round_trip, polygon[here:]))
    return polygon
