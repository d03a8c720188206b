"""Outline masks by polygons of few points."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
import numpy.typing as npt

from posebus.arrays import BoolArray, Float32Array

MAX_POINTS = 64
"""Points of one person's outline at most: 512 bytes on the wire, about as much as keypoints and appearance."""
TOLERANCE_PX = 0.75
"""Largest distance of the polygon from the mask's edge, unless that needs more than `MAX_POINTS`."""
COARSER = 1.5
UNION_CELLS = 256
"""Cells on the longer side of the grid in which polygons are united."""
MAX_PARTS = 4
LEAST_PART = 0.05
"""Parts smaller than this share of the largest are artefacts of the network beside the person."""


def outline(mask: BoolArray) -> Float32Array:
    """Return the closed polygon (M, 2) around the pixels of `mask` (H, W), x and y from its upper left corner.

    M is at most `MAX_POINTS`. Pixel (x, y) covers the square from (x, y) to (x + 1, y + 1). Holes are filled. A mask in
    several parts, such as of a person behind a pole, is one polygon whose parts are joined by lines there and back,
    which enclose nothing. An empty mask gives (0, 2). The polygon is simplified after Douglas and Peucker (1973), more
    coarsely where it has too many points.
    """
    padded = np.pad(mask.astype(np.uint8), ((0, 1), (0, 1)))
    # Mark all corners of set pixels: a contour through the pixels' centres would be too small by half a pixel.
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
    """Return the closed polygon (M, 2) around the union of these (M_i, 2), as exact as UNION_CELLS allow.

    It is (0, 2) where none encloses anything.
    """
    some = [polygon for polygon in polygons if len(polygon) >= 3]
    if len(some) < 2:
        return some[0] if some else np.zeros((0, 2), np.float32)
    corners = np.concatenate(some)
    start, extent = corners.min(axis=0), float(np.ptp(corners, axis=0).max())
    scale = UNION_CELLS / max(extent, 1e-6)
    columns, rows = np.ceil(np.ptp(corners, axis=0) * scale).astype(int) + 1
    mask = np.zeros((rows, columns), np.uint8)
    for polygon in some:
        # One at a time: filled together, the overlap of two would count as outside.
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
    """Join several polygons into one, the largest first, by lines between their nearest points, there and back."""
    polygon = np.zeros((0, 2), np.float32)
    for part in parts:
        if len(part) < 3:
            continue
        if not len(polygon):
            polygon = part
            continue
        apart = np.linalg.norm(polygon[:, None] - part[None], axis=2)
        near, far = np.unravel_index(apart.argmin(), apart.shape)
        round_trip = (part[far:], part[: far + 1])
        polygon = np.concatenate((polygon[: near + 1], *round_trip, polygon[near:]))
    return polygon
