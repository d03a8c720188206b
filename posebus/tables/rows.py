"""Columns from the JSON objects of tracks messages. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import repeat
from typing import Any

import numpy as np

from posebus.coco import COCO_KEYPOINT_NAMES
from posebus.messages import SCHEMA_VERSION
from posebus.tables.columns import BOX_COLUMNS, COLUMNS, FLOOR_COLUMNS, KEYPOINTS, Array
from posebus.tables.times import TimeOrigin

Columns = dict[str, Array]
"""Columns by name, all of the same length."""

_NO_KEYPOINTS = [[float("nan")] * 3] * KEYPOINTS
_NO_VISIBILITY = [0] * KEYPOINTS
_NO_FLOOR = (float("nan"),) * len(FLOOR_COLUMNS)
_NO_POSITION = (float("nan"),) * 2


class RowBuilder:
    """Collects the tracks of messages, and returns them as columns, a part of the table at a time."""

    def __init__(self) -> None:
        self._times = TimeOrigin()
        self._frames: list[tuple[Any, ...]] = []
        self._tracks: list[tuple[Any, ...]] = []
        self._boxes: list[Sequence[float]] = []
        self._velocities: list[Sequence[float]] = []
        self._keypoints: list[Sequence[Sequence[float]]] = []
        self._visibilities: list[Sequence[int]] = []
        self._floor: list[Sequence[float]] = []

    def __len__(self) -> int:
        """Return the number of rows that `take` would return."""
        return len(self._tracks)

    def add(self, message: Mapping[str, Any]) -> None:
        """Add the tracks of a frame. Raises KeyError, TypeError or ValueError if it is no tracks message."""
        if message["schema_version"] != SCHEMA_VERSION:
            raise ValueError(f"schema version {message['schema_version']} is not {SCHEMA_VERSION}")
        time_s = self._times.time_s(message)
        width_px, height_px = message["size_px"]
        frame = (
            *(message["camera"], message["epoch"], message["seq"], time_s, message["captured_at_ns"]),
            *(message.get("inferred", True), width_px, height_px),
        )
        for track in message["tracks"]:
            state = track["state"]
            coasted = track.get("coasted", state in {"lost", "ended"})
            self._tracks.append((track["id"], state, coasted, track["score"], track["age_s"]))
            self._frames.append(frame)
            self._boxes.append(track["box_xyxy_px"])
            self._velocities.append(track.get("velocity_px_s", (0.0, 0.0)))
            keypoints = track["keypoints_px"] or _NO_KEYPOINTS
            flags = track.get("keypoint_visibility")
            self._keypoints.append(keypoints)
            self._visibilities.append(_NO_VISIBILITY if keypoints is _NO_KEYPOINTS or flags is None else flags)
            self._floor.append(floor_values(track))

    def take(self) -> Columns:
        """Return the columns of all messages since the last call. Raises TypeError or ValueError for wrong values."""
        rows = len(self)
        frames = list(zip(*self._frames, strict=True)) if rows else [()] * 8
        tracks = list(zip(*self._tracks, strict=True)) if rows else [()] * 5
        boxes = _numbers(self._boxes, (rows, 4))
        velocities = _numbers(self._velocities, (rows, 2))
        keypoints = _numbers(self._keypoints, (rows, KEYPOINTS, 3), missing=_NO_KEYPOINTS)
        visibilities = _whole(self._visibilities, np.uint8, (rows, KEYPOINTS))
        floor = _numbers(self._floor, (rows, len(FLOOR_COLUMNS)), missing=_NO_FLOOR, partly=True)
        columns: Columns = {
            "camera": _texts(frames[0]),
            "epoch": _whole(frames[1]),
            "frame": _whole(frames[2]),
            "time_s": np.array(frames[3], np.float64),
            "captured_at_ns": _whole(frames[4]),
            "track_id": _whole(tracks[0]),
            "state": _texts(tracks[1]),
            "coasted": _flags(tracks[2]),
            "inferred": _flags(frames[5]),
            "frame_width_px": _whole(frames[6], np.int32),
            "frame_height_px": _whole(frames[7], np.int32),
            "score": _numbers(tracks[3], (rows,)),
            "age_s": _numbers(tracks[4], (rows,)),
            **{name: np.ascontiguousarray(boxes[:, side]) for side, name in enumerate(BOX_COLUMNS)},
            "velocity_x_px_s": np.ascontiguousarray(velocities[:, 0]),
            "velocity_y_px_s": np.ascontiguousarray(velocities[:, 1]),
        }
        for index, keypoint in enumerate(COCO_KEYPOINT_NAMES):
            for part, name in enumerate(("x_px", "y_px", "confidence")):
                columns[f"{keypoint}_{name}"] = np.ascontiguousarray(keypoints[:, index, part])
            columns[f"{keypoint}_visibility"] = np.ascontiguousarray(visibilities[:, index])
        columns |= {name: np.ascontiguousarray(floor[:, index]) for index, name in enumerate(FLOOR_COLUMNS)}
        self._clear()
        return columns

    def _clear(self) -> None:
        for collected in (
            *(self._frames, self._tracks, self._boxes, self._velocities),
            *(self._keypoints, self._visibilities, self._floor),
        ):
            collected.clear()


def floor_values(track: Mapping[str, Any]) -> Sequence[float]:
    """Return the values of FLOOR_COLUMNS of a track in a message, not a number where they are unknown."""
    if "distance_m" not in track:
        return _NO_FLOOR
    return (*track.get("position_m", _NO_POSITION), track.get("speed_m_s", _NO_FLOOR[0]), track["distance_m"])


def joined(parts: Sequence[Columns]) -> Columns:
    """Return the rows of all `parts`, one after the other, with all columns of a table."""
    if not parts:
        return {column.name: column.empty(0) for column in COLUMNS}
    if len(parts) == 1:
        return parts[0]
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def _numbers(values: Sequence[Any], shape: tuple[int, ...], missing: Any = None, *, partly: bool = False) -> Array:
    found = np.array(values, np.float32) if len(values) else np.zeros(shape, np.float32)
    if found.shape != shape:
        raise ValueError(f"expected numbers of shape {shape[1:]}, not {found.shape[1:]}")
    known = found if missing is None else found[[one is not missing for one in values]]
    if np.isinf(known).any() or not (partly or np.isfinite(known).all()):
        raise ValueError("expected finite numbers")
    return found


def _whole(values: Sequence[Any], dtype: type[np.integer[Any]] = np.int64, shape: tuple[int, ...] = (-1,)) -> Array:
    if not len(values):
        return np.zeros(tuple(max(0, length) for length in shape), dtype)
    found = np.array(values)
    if found.dtype.kind != "i":
        raise ValueError("expected whole numbers of 64 bits")
    if not (np.iinfo(dtype).min <= found.min() and found.max() <= np.iinfo(dtype).max):
        raise ValueError(f"expected whole numbers of {np.iinfo(dtype).bits} bits")
    if shape != (-1,) and found.shape != shape:
        raise ValueError(f"expected numbers of shape {shape[1:]}")
    return found.astype(dtype)


def _flags(values: Sequence[Any]) -> Array:
    found = np.array(values, bool) if not len(values) else np.array(values)
    if found.dtype != np.bool_:
        raise ValueError("expected true or false")
    return found


def _texts(values: Sequence[Any]) -> Array:
    if not all(map(isinstance, values, repeat(str))):
        raise ValueError("expected text")
    return np.array(values, "U") if len(values) else np.zeros(0, "U1")
