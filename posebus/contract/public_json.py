"""The two public messages as JSON, for programs in any language: entries of `tracks` and `events`.

JSON Schemas of both are in `posebus/schemas/`. Coordinates are rounded to 0.01 px, velocities to 0.01 px/s, scores to
0.0001 and metres to 0.001. A release may add fields without a new schema version: readers ignore fields that they do
not know, and for fields that a message of an earlier release lacks, the functions here use the defaults of the
dataclass; only `coasted` is then derived from the state.
"""

from __future__ import annotations

import json
from typing import Any

from posebus.contract.events import EVENT_BYTES
from posebus.contract.fields.floor_values import floor_from_json, floor_to_json
from posebus.contract.fields.json_values import (
    COORDINATE_DECIMALS,
    SCORE_DECIMALS,
    flag,
    flags,
    floats,
    rfc3339,
    rounded,
    rounded_keypoints,
    row,
    share,
    summary,
    text,
    whole,
)
from posebus.contract.foreign_json import MAX_BYTES, WRONG_DATA, load_json
from posebus.contract.onvif import has_name, onvif_of
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

MAX_JSON_BYTES = MAX_BYTES
ENTRY_BYTES = 400
"""Bytes of an entry of `events` beside its JSON: type, camera and what the broker needs for each entry."""
LEFT_OUT = 8
"""Names in `left_out` of an event that was too large."""
_LINEAGE = ("schema_version", "camera", "epoch", "seq", "time_ns", "detected_at_ns", "published_at_ns")
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
        "box_xyxy_px": rounded(track.box_xyxy_px, COORDINATE_DECIMALS),
        "keypoints_px": None if track.keypoints_px is None else rounded_keypoints(track.keypoints_px),
        "velocity_px_s": rounded(track.velocity_px_s, COORDINATE_DECIMALS),
        "keypoint_visibility": None if track.keypoint_visibility is None else track.keypoint_visibility.tolist(),
        "pose_index": track.pose_index,
        "coasted": track.coasted,
        **floor_to_json(track),
    }
    if track.action is not None and track.action_score is not None:
        data |= {"action": track.action, "action_score": round(track.action_score, SCORE_DECIMALS)}
    return data


def track_frame_from_json(data: Any) -> tuple[TrackFrame, Provenance]:
    """The TrackFrame in a JSON object and its provenance. Raises MalformedMessage."""
    try:
        _check_version(data["schema_version"])
        frame = TrackFrame(
            camera=text(data["camera"]),
            epoch=whole(data["epoch"]),
            seq=whole(data["seq"]),
            captured_at_ns=whole(data["captured_at_ns"]),
            size_px=(whole(data["size_px"][0]), whole(data["size_px"][1])),
            tracks=tuple(_track_from_json(track) for track in data["tracks"]),
            inferred=flag(data.get("inferred", True)),
            renamed=_renamed_from_json(data.get("renamed", ()), whole(data["seq"])),
        )
        provenance = Provenance(
            clock=CaptureClock(data["clock"]),
            delivery=Delivery(data["delivery"]),
            frame_published_at_ns=whole(data["frame_published_at_ns"]),
            published_at_ns=whole(data["published_at_ns"]),
            inference_ns=whole(data.get("inference_ns", 0)),
            view=None if data.get("view") is None else parse_view(text(data["view"])),
        )
    except WRONG_DATA as error:
        raise MalformedMessage(f"not a tracks message: {summary(error)}") from error
    return frame, provenance


def _track_from_json(data: Any) -> Track:
    keypoints = data["keypoints_px"]
    return Track(
        id=whole(data["id"]),
        box_xyxy_px=floats(data["box_xyxy_px"], (4,)),
        score=float(data["score"]),
        keypoints_px=None if keypoints is None else floats(keypoints, (len(keypoints), 3)),
        state=text(data["state"]),
        age_s=float(data["age_s"]),
        velocity_px_s=floats(data.get("velocity_px_s", (0.0, 0.0)), (2,)),
        keypoint_visibility=flags(data.get("keypoint_visibility"), keypoints),
        pose_index=row(data.get("pose_index")),
        # Before this field existed, confirmed tracks were always detected, and undetected ones were lost or ended.
        coasted=flag(data.get("coasted", text(data["state"]) in {TrackState.LOST, TrackState.ENDED})),
        action=None if data.get("action") is None else text(data["action"]),
        action_score=None if data.get("action_score") is None else share(data["action_score"]),
        **floor_from_json(data),
    )


def _renamed_from_json(data: Any, seq: int) -> tuple[Renaming, ...]:
    if len(data) > MAX_RENAMED:
        raise ValueError(f"expected at most {MAX_RENAMED} renamings")
    renamed = tuple(
        Renaming(from_id=whole(one["from_id"]), to_id=whole(one["to_id"]), since_seq=whole(one["since_seq"]))
        for one in data
    )
    if len({one.from_id for one in renamed}) != len(renamed) or any(one.from_id == one.to_id for one in renamed):
        raise ValueError("expected one other number for each renamed track")
    if any(not 0 <= one.since_seq <= seq for one in renamed):
        raise ValueError("expected renamings since an earlier frame of the epoch")
    return renamed


def event_to_json(event: Event) -> dict[str, Any]:
    """`event` as a CloudEvents 1.0 JSON object, with camera, epoch, seq and any names of ONVIF in its data.

    What an event has only once it was published is left out before: `sequence`, `recordedtime` and its times.
    """
    published = event.published_at_ns
    attributes = {
        "sequence": event.sequence or None,
        "recordedtime": rfc3339(published) if published else None,
        "dataref": event.dataref,
    }
    times = {"detected_at_ns": event.detected_at_ns, "published_at_ns": published}
    onvif = onvif_of(event.type, event.camera, event.data)
    return {
        "specversion": "1.0",
        "id": event.id,
        "type": event.type,
        "source": event.source,
        "subject": event.subject,
        "time": rfc3339(event.time_ns),
        **{name: value for name, value in attributes.items() if value is not None},
        "datacontenttype": "application/json",
        "data": {
            "schema_version": SCHEMA_VERSION,
            "camera": event.camera,
            "epoch": event.epoch,
            "seq": event.seq,
            "time_ns": event.time_ns,
            **{name: value for name, value in times.items() if value},
            **event.data,
            **({} if onvif is None else {"onvif": onvif}),
        },
    }


def event_fields(event: Event) -> dict[Any, Any]:
    """The fields of `event` as an entry of the stream of events; they take at most EVENT_BYTES.

    Of an event that is larger, the largest fields of its data are left out, and named in `left_out`.
    """
    data = dump(event_to_json(event))
    if len(data.encode()) > EVENT_BYTES - ENTRY_BYTES:
        data = dump(_shortened(event_to_json(event)))
    return {"type": event.type, "camera": event.camera, "data": data}


def _shortened(content: dict[str, Any]) -> dict[str, Any]:
    data = content["data"]
    own = [name for name in data if name not in _LINEAGE]
    left_out: list[str] = []
    for name in sorted(own, key=lambda name: len(dump(data[name]).encode()), reverse=True):
        if len(dump(content).encode()) <= EVENT_BYTES - ENTRY_BYTES:
            break
        del data[name]
        left_out = [*left_out, name][:LEFT_OUT]
        data["left_out"] = left_out
    return content


def event_from_json(data: Any) -> Event:
    """The Event in a CloudEvents JSON object. Raises MalformedMessage."""
    try:
        body = dict(data["data"])
        _check_version(body.pop("schema_version"))
        if has_name(text(data["type"])):
            body.pop("onvif", None)  # it says nothing that the other fields do not say
        return Event(
            id=text(data["id"]),
            type=text(data["type"]),
            source=text(data["source"]),
            subject=text(data["subject"]),
            time_ns=whole(body.pop("time_ns")),
            camera=text(body.pop("camera")),
            epoch=whole(body.pop("epoch")),
            seq=whole(body.pop("seq")),
            # Before these existed, events had none of them.
            dataref=None if data.get("dataref") is None else text(data["dataref"]),
            sequence=text(data.get("sequence", "")),
            detected_at_ns=whole(body.pop("detected_at_ns", 0)),
            published_at_ns=whole(body.pop("published_at_ns", 0)),
            data=body,
        )
    except WRONG_DATA as error:
        raise MalformedMessage(f"not an event: {summary(error)}") from error


def parse(raw: bytes) -> Any:
    """Parse the JSON of one stream field. Raises MalformedMessage."""
    return load_json(raw, "field data", MAX_JSON_BYTES)


def dump(data: Any) -> str:
    """Compact JSON text, for a stream field or a line of a file."""
    return json.dumps(data, separators=(",", ":"), ensure_ascii=False)


def _check_version(version: Any) -> None:
    if version != SCHEMA_VERSION:
        raise MalformedMessage(
            f"schema version {str(version)[:40]} is not known here (this is {SCHEMA_VERSION}): update posebus"
        )
