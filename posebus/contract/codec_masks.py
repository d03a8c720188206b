"""Outlines of people on the wire: how many points each has (`mask_points`), and all points one after the other
(`masks`)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from posebus.arrays import Float32Array
from posebus.errors import MalformedMessage

_WIRE_COUNT = np.dtype("<u2")
MAX_MASK_POINTS = 256
"""Of one person. A thousand people take at most 2 MB."""


def mask_points_bytes(masks: Sequence[Float32Array]) -> bytes:
    """Field `mask_points` of N polygons (M, 2): N little-endian 16-bit numbers, M of each."""
    return np.array([len(mask) for mask in masks], dtype=_WIRE_COUNT).tobytes()


def mask_points(data: bytes, people: int) -> list[int]:
    """What `mask_points_bytes` made of the polygons of `people`; raises MalformedMessage."""
    expected = _WIRE_COUNT.itemsize * people
    if len(data) != expected:
        raise MalformedMessage(f"field mask_points has {len(data)} bytes, {people} people need {expected}")
    points: list[int] = np.frombuffer(data, dtype=_WIRE_COUNT).tolist()
    if max(points, default=0) > MAX_MASK_POINTS:
        raise MalformedMessage(
            f"field mask_points has {max(points)} points for one person, more than {MAX_MASK_POINTS}"
        )
    return points


def joined(masks: Sequence[Float32Array]) -> Float32Array:
    """The points (sum of M, 2) of all polygons."""
    return np.concatenate((np.zeros((0, 2), np.float32), *masks))


def divided(points_px: Float32Array, points: Sequence[int]) -> tuple[Float32Array, ...]:
    """`joined` undone, given the number of points of each polygon."""
    ends = np.cumsum(points, dtype=np.intp)
    return tuple(points_px[end - count : end].copy() for end, count in zip(ends, points, strict=True))
