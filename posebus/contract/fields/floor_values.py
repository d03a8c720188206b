"""The fields of a track in metres: written where they are known, checked when they are read."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from posebus.messages import Track

METRE_DECIMALS = 3


def floor_to_json(track: Track) -> dict[str, Any]:
    """The fields of `track` in metres that are known."""
    data: dict[str, Any] = {}
    if track.position_m is not None:
        data["position_m"] = [round(float(metres), METRE_DECIMALS) for metres in track.position_m]
    if track.speed_m_s is not None:
        data["speed_m_s"] = round(float(track.speed_m_s), METRE_DECIMALS)
    if track.distance_m is not None:
        data["distance_m"] = round(float(track.distance_m), METRE_DECIMALS)
    return data


def floor_from_json(data: Mapping[str, Any]) -> dict[str, Any]:
    """The same fields as arguments of `Track`. Raises ValueError or TypeError for wrong ones."""
    position = data.get("position_m")
    return {
        "position_m": None if position is None else _position(position),
        "speed_m_s": _length(data.get("speed_m_s")),
        "distance_m": _length(data.get("distance_m")),
    }


def _position(data: Any) -> tuple[float, float]:
    x_m, y_m = (float(metres) for metres in data)
    if not (math.isfinite(x_m) and math.isfinite(y_m)):
        raise ValueError("expected finite metres")
    return x_m, y_m


def _length(data: Any) -> float | None:
    if data is None:
        return None
    length = float(data)
    if not 0 <= length < math.inf:
        raise ValueError("expected a length from 0")
    return length
