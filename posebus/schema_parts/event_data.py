"""The schema of the `data` of each type of event, from the tables of events."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType

from posebus.contract.events import TABLE
from posebus.contract.onvif import ACTION, ACTIVITIES, HUMAN_ACTIVITIES, TOPICS
from posebus.schema_parts.values import Schema, keypoint, numbers, score, whole

_TEXTS = ("rule", "kind", "happening", "phase", "reason", "advice", "view", "before", "direction", "action", "limit")
_WHOLES = ("since_seq", "first_seq", "last_seq", "skipped", "frames", "shot", "ended", "imgsz", "people")
_OBJECTS = ("reasons", "counts")
_TRACKS = ("track_id", "other_track_id", "renamed_to")
_VISIT: Schema = {"rule": {"type": "string"}, "t_s": {"type": "number"}}
_OF_JOURNEYS: Mapping[str, Schema] = MappingProxyType(
    {
        "path": {"type": "array", "items": numbers(3, "")},
        "path_m": {"type": "array", "items": {"anyOf": [numbers(2, ""), {"type": "null"}]}},
        "best": {
            "type": "object",
            "properties": {
                **{name: {"type": "integer"} for name in ("epoch", "seq", "captured_at_ns")},
                "box_xyxy_px": numbers(4, ""),
            },
        },
        "zones": {
            "type": "array",
            "items": {"type": "object", "properties": {**_VISIT, "duration_s": {"type": "number"}}},
        },
        "lines": {
            "type": "array",
            "items": {"type": "object", "properties": {**_VISIT, "direction": {"type": "string"}}},
        },
    }
)
ALWAYS_OF_RULES = ("rule", "kind", "track_id", "happening", "phase", "captured_at_ns")
"""Fields that every event of a rule has."""


def by_type() -> list[Schema]:
    """For each type of event that posebus emits: if an event has it, what its `data` holds."""
    found = {kind.value: _data(kind.value, spec.data) for kind, spec in TABLE.items()}
    return [
        {"if": {"properties": {"type": {"const": type_}}}, "then": {"properties": {"data": data}}}
        for type_, data in found.items()
        if data["properties"]
    ]


def _data(type_: str, fields: Mapping[str, str]) -> Schema:
    properties = {name: {**_value(name), "description": what} for name, what in fields.items()}
    required = {"required": list(ALWAYS_OF_RULES)} if "happening" in fields else {}
    return {"properties": {**properties, **dict(_onvif(type_))}, **required}


def _value(name: str) -> Schema:
    """The type of a field by its name; any value where the name says nothing."""
    if name in _OF_JOURNEYS:
        return _OF_JOURNEYS[name]
    if name in _TEXTS:
        return {"type": "string"}
    if name in _TRACKS:
        return {"type": ["integer", "null"], "minimum": 0}
    if name in _WHOLES or name.endswith("_ns"):
        return {"type": "integer"}
    if name in _OBJECTS:
        return {"type": "object", "additionalProperties": {"type": "integer"}}
    if name == "confidence":
        return {**score(""), "type": ["number", "null"]}
    if name == "box_xyxy_px":
        return numbers(4, "")
    if name == "keypoints_px":
        return {"type": "array", "items": keypoint()}
    if name == "exchanged":
        return {"type": "boolean"}
    return {"type": "number"} if name.endswith(("_s", "_m")) else {}


def _onvif(type_: str) -> Iterator[tuple[str, Schema]]:
    """The field `onvif` of the types for which ONVIF has a name."""
    what = "The names of ONVIF for this event; missing where a field that they need is missing"
    if type_ in TOPICS:
        name = TOPICS[type_]
        items = {item: _item(item) for item in name.items}
        properties: Schema = {
            "Topic": {"const": name.topic},
            "Source": {"type": "object", "properties": {"VideoSource": {"type": "string"}, "Rule": {"type": "string"}}},
            "Data": {"type": "object", "properties": items, "required": list(items)},
        }
        if name.operation is not None:
            properties["PropertyOperation"] = {"const": name.operation}
        yield "onvif", {"type": "object", "description": what, "properties": properties, "required": list(properties)}
    elif type_ in ACTIVITIES or type_ == ACTION:
        names = [ACTIVITIES[type_]] if type_ in ACTIVITIES else list(HUMAN_ACTIVITIES)
        yield "onvif", {"type": "object", "description": what, "properties": {"Activity": {"enum": names}}}


def _item(item: str) -> Schema:
    if item == "ObjectId":
        return {"type": "string"}
    if item == "Since":
        return {"type": "string", "format": "date-time"}
    return {"type": "boolean"} if item == "IsInside" else whole("Number of people")
