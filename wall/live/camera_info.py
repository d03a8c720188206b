"""Cameras and the deployment as pages show them, from what `posebus top` shows and the records of the cameras. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from posebus.bus.registry import CameraRecord
from posebus.config.cameras.ground import GroundSettings
from posebus.telemetry.overview import CameraRow, Overview

MOST_RULES = 200
_LINE = "line"


def camera_infos(shown: Overview, records: Iterable[CameraRecord]) -> list[dict[str, Any]]:
    """Return each camera as `CameraInfo` of wall/web/src/protocol.ts has it."""
    by_name = {record.camera: record for record in records}
    return [_camera(row, by_name[row.name]) for row in shown.cameras if row.name in by_name]


def deployment_info(shown: Overview) -> dict[str, Any]:
    """Return the deployment as `Deployment` of wall/web/src/protocol.ts has it."""
    return {
        "processes": [
            {"id": row.id, "role": row.role, "host": row.host, "pid": row.pid, "fps": row.fps, "does": row.does}
            for row in shown.processes
        ],
        "bottlenecks": shown.bottlenecks,
        "warnings": shown.warnings,
        "broker_used_bytes": shown.broker_used_bytes,
        "broker_limit_bytes": shown.broker_limit_bytes,
    }


def rule_shapes(rules: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the rules that have a place in the picture. Records come from the broker, so any field may be wrong."""
    shapes = []
    for name, fields in list(rules.items())[:MOST_RULES]:
        kind = fields.get("kind") if isinstance(fields, Mapping) else None
        points = _points(fields.get("points")) if isinstance(kind, str) else []
        is_line = kind == _LINE
        if len(points) == 2 if is_line else len(points) >= 3:
            shape = "line" if is_line else "polygon"
            shapes.append({"name": str(name), "kind": kind, "shape": shape, "points": points})
    return shapes


def floor_bounds(ground: GroundSettings | None) -> list[float] | None:
    """Return the floor plan in metres (least x, least y, greatest x, greatest y); None without a ground plane."""
    if ground is None:
        return None
    if ground.floor_size_m is not None:
        return [0.0, 0.0, *ground.floor_size_m]
    across, down = zip(*ground.metres, strict=True)
    return [min(across), min(down), max(across), max(down)]


def _camera(row: CameraRow, record: CameraRecord) -> dict[str, Any]:
    return {
        "name": row.name,
        "source": row.source,
        "state": row.state,
        "trouble": row.trouble,
        "fps_in": row.fps_in,
        "fps_out": row.fps_out,
        "age_ms": row.age_ms,
        "people": row.people,
        "dropped": row.dropped,
        "rules": rule_shapes(record.rules),
        "floor": floor_bounds(record.ground),
    }


def _points(value: Any) -> list[list[float]]:
    if not isinstance(value, list | tuple):
        return []
    points = [point for point in value if isinstance(point, list | tuple) and len(point) == 2]
    numbers = all(isinstance(one, int | float) and not isinstance(one, bool) for point in points for one in point)
    return [[float(x), float(y)] for x, y in points] if numbers and len(points) == len(value) else []
