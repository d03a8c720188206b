"""JSON Schemas for users: of the YAML configuration, of a `tracks` message, and of an event; all streams as AsyncAPI.

The files in `posebus/schemas/` are generated from the code by `python -m posebus.json_schemas`; a test fails when they
are out of date. Editors check and complete a configuration that begins with

    # yaml-language-server: $schema=PATH/posebus/schemas/config.json
"""

from __future__ import annotations

import json
from pathlib import Path

from posebus.coco import COCO_KEYPOINT_NAMES
from posebus.config.settings import CAMERA_NAME_PATTERN, SettingsFile
from posebus.contract.fields.json_values import MAX_VISIBILITY
from posebus.contract.public_json import MAX_RENAMED
from posebus.contract.wire import MAX_SIDE_PX
from posebus.messages import SCHEMA_VERSION, CaptureClock, Delivery, EventType, TrackState
from posebus.schema_parts.asyncapi import document
from posebus.schema_parts.event_data import by_type
from posebus.schema_parts.values import Schema, choice, head, keypoint, lineage, numbers, object_of, score, whole

FOLDER = Path(__file__).parent / "schemas"


def render() -> dict[str, str]:
    """Content of each schema file by file name."""
    schemas = {
        "config.json": config_schema(),
        "tracks.json": tracks_schema(),
        "event.json": event_schema(),
        "asyncapi.json": document({"tracks": tracks_schema(), "events": event_schema()}),
    }
    return {name: json.dumps(schema, indent=2, ensure_ascii=False) + "\n" for name, schema in schemas.items()}


def write(folder: Path = FOLDER) -> None:
    """Write all schema files into `folder`."""
    folder.mkdir(exist_ok=True)
    for name, text in render().items():
        (folder / name).write_text(text, encoding="utf-8")


def config_schema() -> Schema:
    """Schema of the configuration file, `posebus.yaml`."""
    schema = SettingsFile.model_json_schema()
    schema["properties"]["cameras"]["propertyNames"] = {"pattern": CAMERA_NAME_PATTERN}
    return {**head("config", "posebus.yaml"), **schema, "title": "Configuration of posebus"}


def tracks_schema() -> Schema:
    """Schema of the JSON in the field `data` of an entry of `tracks` (see `posebus.contract.public_json`)."""
    properties = {
        "schema_version": {"const": SCHEMA_VERSION},
        **lineage(),
        "captured_at_ns": whole(
            "When the frame was captured: Unix time in ns; with the clock 'file', ns from the start of the recording"
        ),
        "clock": choice(CaptureClock, "The clock of captured_at_ns, best first"),
        "delivery": choice(
            Delivery, "Whether the source waits for the workers (lossless) or drops its oldest frames (live)"
        ),
        "frame_published_at_ns": whole("When ingest published the frame (Unix time in ns)"),
        "inference_ns": whole("Duration of the inference of the frame in ns; 0 if it is not known"),
        "published_at_ns": whole("When the tracker published this message (Unix time in ns)"),
        "size_px": {
            "description": "Width and height of the source frame in pixels; all coordinates refer to this size",
            "type": "array",
            "items": {"type": "integer", "minimum": 1, "maximum": MAX_SIDE_PX},
            "minItems": 2,
            "maxItems": 2,
        },
        "tracks": {"type": "array", "items": _track()},
    }
    added = {
        "inferred": {
            "type": "boolean",
            "description": "Whether inference was run on this frame. If not, the frame was left out on purpose and all "
            "its tracks are predicted. If an older message lacks the field: true",
        },
        "view": {
            "description": "How the picture entered the network: 640 means that its longest side was 640 pixels there, "
            "1280/2x1 that it was cut into 2x1 tiles of 1280 pixels; null if that is not known",
            "anyOf": [{"type": "string"}, {"type": "null"}],
        },
        "renamed": {
            "description": "Corrections of earlier frames of the same epoch, which this frame announces; it uses the "
            "corrected numbers itself. All of them apply at once, so two of them exchange the numbers of two people. "
            "If an older message lacks the field: none",
            "type": "array",
            "items": _renaming(),
            "maxItems": MAX_RENAMED,
        },
    }
    return {**head("tracks", "The identities of one camera in one frame"), **object_of(properties, added)}


def event_schema() -> Schema:
    """Schema of the JSON in the field `data` of an entry of `events`: CloudEvents 1.0 in its JSON format."""
    data = {
        "schema_version": {"const": SCHEMA_VERSION},
        **lineage(),
        "time_ns": whole("The attribute time as Unix time in ns"),
    }
    times = {
        "detected_at_ns": whole("When the event was detected (Unix time in ns)"),
        "published_at_ns": whole("When it was published (Unix time in ns)"),
        "left_out": {
            "type": "array",
            "items": {"type": "string"},
            "description": "Fields that are missing because the event would have been too large",
        },
    }
    properties = {
        "specversion": {"const": "1.0"},
        "id": {
            "type": "string",
            "minLength": 1,
            "description": "Stays the same when the same frames are processed again",
        },
        "type": {
            "type": "string",
            "pattern": r"^[a-z0-9]+(\.[a-z0-9_]+)+$",
            "examples": [event_type.value for event_type in EventType],
        },
        "source": {"type": "string", "minLength": 1},
        "subject": {"type": "string", "minLength": 1},
        "time": {"type": "string", "format": "date-time"},
        "datacontenttype": {"const": "application/json"},
        "data": object_of(data, times),
    }
    added = {
        "sequence": {
            "type": "string",
            "pattern": r"^\d{16}-\d{12}-\d{20}$",
            "description": "Place among the events of the camera, as text that sorts: epoch, seq, place in the frame",
        },
        "recordedtime": {"type": "string", "format": "date-time", "description": "When the event was published"},
        "dataref": {"type": "string", "minLength": 1, "description": "The evidence of the event, as a URI"},
    }
    return {**head("event", "An event, as CloudEvents 1.0"), **object_of(properties, added), "allOf": by_type()}


def _track() -> Schema:
    names = ", ".join(COCO_KEYPOINT_NAMES)
    properties = {
        "id": whole("Number of the identity, unique within its camera and epoch; a later frame may correct it"),
        "state": choice(
            TrackState,
            "tentative: detected too briefly to be confirmed; confirmed: present, detected in this frame or coasted; "
            "lost: missed without a known reason, predicted for a moment, then not reported until it is detected again "
            "or ends; ended: its last message",
        ),
        "score": score("Score of the detected box"),
        "age_s": {"type": "number", "minimum": 0, "description": "Seconds since the identity's first frame"},
        "box_xyxy_px": numbers(4, "Left, top, right, bottom in pixels of the source frame"),
        "keypoints_px": {
            "description": f"Rows of x, y (pixels of the source frame) and confidence: {names}; null without keypoints",
            "anyOf": [{"type": "array", "items": keypoint()}, {"type": "null"}],
        },
    }
    added = {
        "velocity_px_s": numbers(2, "Velocity x, y of the centre of the box in pixels of the source frame per second"),
        "keypoint_visibility": {
            "description": "A flag for each keypoint, as in COCO: 0 unknown, 1 hidden (its position is predicted), "
            "2 visible in this frame; null if the flags were not determined",
            "anyOf": [
                {"type": "array", "items": {"type": "integer", "minimum": 0, "maximum": MAX_VISIBILITY}},
                {"type": "null"},
            ],
        },
        "pose_index": {
            "description": "Row of this person in the poses of the same frame, where box and keypoints are as the "
            "network detected them; null if the person was not detected in this frame",
            "anyOf": [{"type": "integer", "minimum": 0}, {"type": "null"}],
        },
        "coasted": {
            "type": "boolean",
            "description": "Whether box and keypoints are predicted because the person was not detected in this frame. "
            "A confirmed track coasts when its detection was missed for a moment, or another person occludes it. If an "
            "older message lacks the field: true for lost and ended tracks, else false",
        },
        "action": {
            "type": "string",
            "description": "What the person does, such as Walking, where the camera's setting `actions` is on; missing "
            "where that is not known",
        },
        "action_score": score("Probability of the action; missing where there is none"),
        **_on_the_floor(),
    }
    return object_of(properties, added)


def _on_the_floor() -> Schema:
    """Fields of a track that are written where the camera has a ground plane and they are known."""
    return {
        "position_m": {
            "description": "Where the feet are on the floor, x and y in metres of the camera's setting `ground`; "
            "missing where that is not known",
            "type": "array",
            "items": {"type": "number"},
            "minItems": 2,
            "maxItems": 2,
        },
        "speed_m_s": {
            "description": "Metres per second on the floor over about the last second; missing where not known",
            "type": "number",
            "minimum": 0,
        },
        "distance_m": {
            "description": "Metres walked on the floor since the identity's first frame; missing where not known",
            "type": "number",
            "minimum": 0,
        },
    }


def _renaming() -> Schema:
    return object_of(
        {
            "from_id": whole("The number that was reported until now"),
            "to_id": whole("The number of the person that it is"),
            "since_seq": whole("The first frame whose tracks of the number from_id are the person to_id"),
        }
    )


if __name__ == "__main__":
    write()
