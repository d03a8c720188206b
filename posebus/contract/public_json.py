"""The two public messages as JSON, for programs in any language: entries of `tracks` and `events`.

JSON Schemas of both are in `posebus/schemas/`. Coordinates are rounded to 0.01 px, velocities to 0.01 px/s, scores to
0.0001 and metres to 0.001. A release may add fields without a new schema version: readers ignore fields that they do
not know, and for fields that a message of an earlier release lacks, the functions here use the defaults of the
dataclass; only `coasted` is then derived from the state.
"""

from __future__ import annotations

import json
import math
from datetime import UTC, datetime
from typing import Any

import numpy as np

from posebus.arrays import Float32Array, UInt8Array
from posebus.contract.foreign_json import MAX_BYTES, WRONG_DATA, load_json
from posebus.errors import MalformedMessage
from posebus.messages import (
    SCHEMA_VERSION,
    CaptureClock,
    Delivery,
    Event,
    Provenance,
    Renaming,
    Track,
    TrackFrame,
    TrackState,
)
from posebus.views import parse_view

COORDINATE_DECIMALS = 2
SCORE_DECIMALS = 4
METRE_DECIMALS = 3
MAX_VISIBILITY = 2
MAX_JSON_BYTES = MAX_BYTES
MAX_RENAMED = 1000
"""Corrections in one frame. Each costs a reader that holds frames back a little for every one of them."""


def track_frame_to_json(frame: TrackFrame, provenance: Provenance, published_at_ns: int) -> dict[str, Any]:
    """An entry of `tracks` as a JSON object."""
    return {
        "schema_version": SCHEMA_VERSION,
        "camera": frame.camera,
        "epoch": frame.epoch,
        "seq": frame.seq,
        "captured_at_ns": frame.captured_at_ns,
        "clock": provenance.clock.value,
        "delivery": provenance.delivery.value,
        "frame_published_at_ns": provenance.frame_published_at_ns,
        "inference_ns": provenance.inference_ns,
        "published_at_ns": published_at_ns,
        "size_px": list(frame.size_px),
        "inferred": frame.inferred,
        "view": None if provenance.view is None else str(provenance.view),
        "tracks": [_track_to_json(track) for track in frame.tracks],
        "renamed": [{"from_id": one.from_id, "to_id": one.to_id, "since_seq": one.since_seq} for one in frame.renamed],
    }


def _track_to_json(track: Track) -> dict[str, Any]:
    data: dict[str, Any] = {
        "id": track.id,
        "state": track.state,
        "score": round(float(track.score), SCORE_DECIMALS),
        "age_s": round(float(track.age_s), 3),
        "box_xyxy_px": _rounded(track.box_xyxy_px, COORDINATE_DECIMALS),
        "keypoints_px": None if track.keypoints_px is None else _rounded_keypoints(track.keypoints_px),
        "velocity_px_s": _rounded(track.velocity_px_s, COORDINATE_DECIMALS),
        "keypoint_visibility": None if track.keypoint_visibility is None else track.keypoint_visibility.tolist(),
        "pose_index": track.pose_index,
        "coasted": track.coasted,
    }
    if track.position_m is not None:
        data["position_m"] = [round(float(metres), METRE_DECIMALS) for metres in track.position_m]
    if track.speed_m_s is not None:
        data["speed_m_s"] = round(float(track.speed_m_s), METRE_DECIMALS)
    if track.distance_m is not None:
        data["distance_m"] = round(float(track.distance_m), METRE_DECIMALS)
    return data


def track_frame_from_json(data: Any) -> tuple[TrackFrame, Provenance]:
    """The TrackFrame in a JSON object and its provenance. Raises MalformedMessage."""
    try:
        _check_version(data["schema_version"])
        frame = TrackFrame(
            camera=_text(data["camera"]),
            epoch=_whole(data["epoch"]),
            seq=_whole(data["seq"]),
            captured_at_ns=_whole(data["captured_at_ns"]),
            size_px=(_whole(data["size_px"][0]), _whole(data["size_px"][1])),
            tracks=tuple(_track_from_json(track) for track in data["tracks"]),
            inferred=_flag(data.get("inferred", True)),
            renamed=_renamed_from_json(data.get("renamed", ()), _whole(data["seq"])),
        )
        provenance = Provenance(
            clock=CaptureClock(data["clock"]),
            delivery=Delivery(data["delivery"]),
            frame_published_at_ns=_whole(data["frame_published_at_ns"]),
            published_at_ns=_whole(data["published_at_ns"]),
            inference_ns=_whole(data.get("inference_ns", 0)),
            view=None if data.get("view") is None else parse_view(_text(data["view"])),
        )
    except WRONG_DATA as error:
        raise MalformedMessage(f"not a tracks message: {_summary(error)}") from error
    return frame, provenance


def _track_from_json(data: Any) -> Track:
    keypoints = data["keypoints_px"]
    return Track(
        id=_whole(data["id"]),
        box_xyxy_px=_floats(data["box_xyxy_px"], (4,)),
        score=float(data["score"]),
        keypoints_px=None if keypoints is None else _floats(keypoints, (len(keypoints), 3)),
        state=_text(data["state"]),
        age_s=float(data["age_s"]),
        velocity_px_s=_floats(data.get("velocity_px_s", (0.0, 0.0)), (2,)),
        keypoint_visibility=_flags(data.get("keypoint_visibility"), keypoints),
        pose_index=_row(data.get("pose_index")),
        # Before this field existed, confirmed tracks were always detected, and undetected ones were lost or ended.
        coasted=_flag(data.get("coasted", _text(data["state"]) in {TrackState.LOST, TrackState.ENDED})),
        position_m=_position(data.get("position_m")),
        speed_m_s=_length(data.get("speed_m_s")),
        distance_m=_length(data.get("distance_m")),
    )


def _position(data: Any) -> tuple[float, float] | None:
    if data is None:
        return None
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


def _renamed_from_json(data: Any, seq: int) -> tuple[Renaming, ...]:
    if len(data) > MAX_RENAMED:
        raise ValueError(f"expected at most {MAX_RENAMED} renamings")
    renamed = tuple(
        Renaming(from_id=_whole(one["from_id"]), to_id=_whole(one["to_id"]), since_seq=_whole(one["since_seq"]))
        for one in data
    )
    if len({one.from_id for one in renamed}) != len(renamed) or any(one.from_id == one.to_id for one in renamed):
        raise ValueError("expected one other number for each renamed track")
    if any(not 0 <= one.since_seq <= seq for one in renamed):
        raise ValueError("expected renamings since an earlier frame of the epoch")
    return renamed


def event_to_json(event: Event) -> dict[str, Any]:
    """`event` as a CloudEvents 1.0 JSON object, with camera, epoch and seq in its data."""
    return {
        "specversion": "1.0",
        "id": event.id,
        "type": event.type,
        "source": event.source,
        "subject": event.subject,
        "time": _rfc3339(event.time_ns),
        "datacontenttype": "application/json",
        "data": {
            "schema_version": SCHEMA_VERSION,
            "camera": event.camera,
            "epoch": event.epoch,
            "seq": event.seq,
            "time_ns": event.time_ns,
            **event.data,
        },
    }


def event_fields(event: Event) -> dict[Any, Any]:
    """The fields of `event` as an entry of the stream of events."""
    return {"type": event.type, "camera": event.camera, "data": dump(event_to_json(event))}


def event_from_json(data: Any) -> Event:
    """The Event in a CloudEvents JSON object. Raises MalformedMessage."""
    try:
        body = dict(data["data"])
        _check_version(body.pop("schema_version"))
        return Event(
            id=_text(data["id"]),
            type=_text(data["type"]),
            source=_text(data["source"]),
            subject=_text(data["subject"]),
            time_ns=_whole(body.pop("time_ns")),
            camera=_text(body.pop("camera")),
            epoch=_whole(body.pop("epoch")),
            seq=_whole(body.pop("seq")),
            data=body,
        )
    except WRONG_DATA as error:
        raise MalformedMessage(f"not an event: {_summary(error)}") from error


def parse(raw: bytes) -> Any:
    """Parse the JSON of one stream field. Raises MalformedMessage."""
    return load_json(raw, "field data", MAX_JSON_BYTES)


def dump(data: dict[str, Any]) -> str:
    """Compact JSON text, for a stream field or a line of a file."""
    return json.dumps(data, separators=(",", ":"), ensure_ascii=False)


def _summary(error: Exception) -> str:
    return f"{type(error).__name__}: {str(error)[:200]}"


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError("expected text")
    return value


def _whole(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or abs(value) >= 2**63:
        raise ValueError("expected a whole number of 64 bits")
    return value


def _check_version(version: Any) -> None:
    if version != SCHEMA_VERSION:
        raise MalformedMessage(
            f"schema version {str(version)[:40]} is not known here (this is {SCHEMA_VERSION}): update posebus"
        )


def _rounded(array: Float32Array, decimals: int) -> list[Any]:
    # As float64, because a rounded float32 would print as 12.3400001…
    rounded: list[Any] = np.round(array.astype(np.float64), decimals).tolist()
    return rounded


def _rounded_keypoints(keypoints_px: Float32Array) -> list[Any]:
    wide = keypoints_px.astype(np.float64)
    wide[:, :2] = np.round(wide[:, :2], COORDINATE_DECIMALS)
    wide[:, 2] = np.round(wide[:, 2], SCORE_DECIMALS)
    rows: list[Any] = wide.tolist()
    return rows


def _floats(values: Any, shape: tuple[int, ...]) -> Float32Array:
    with np.errstate(over="ignore"):  # numbers beyond float32 become infinite, which is refused below
        array = np.array(values, dtype=np.float32)
    if array.size == 0 and 0 in shape:
        array = array.reshape(shape)
    if array.shape != shape or not np.isfinite(array).all():
        raise ValueError(f"expected finite numbers of shape {shape}")
    return array


def _flags(values: Any, keypoints: Any) -> UInt8Array | None:
    if values is None:
        return None
    flags = [int(value) for value in values]
    if flags != values or not all(0 <= flag <= MAX_VISIBILITY for flag in flags) or len(flags) != len(keypoints):
        raise ValueError(f"expected a flag from 0 to {MAX_VISIBILITY} for each keypoint")
    return np.array(flags, dtype=np.uint8)


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError("expected true or false")
    return value


def _row(value: Any) -> int | None:
    if value is None:
        return None
    row = int(value)
    if row != value or row < 0:
        raise ValueError("expected a whole number from 0")
    return row


def _rfc3339(time_ns: int) -> str:
    seconds, nanoseconds = divmod(time_ns, 1_000_000_000)
    moment = datetime.fromtimestamp(seconds, tz=UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{nanoseconds // 1000:06d}Z"
