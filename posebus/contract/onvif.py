"""The names that ONVIF has for events of rules, so that tools for cameras understand them. Pure.

From the ONVIF Analytics Service Specification (github.com/onvif/specs, doc/Analytics.xml, the annex of rules: Line
Detector, Field Detector, Loitering Detector, Occupancy Counting) and, for what a person does, its schema of human
bodies (wsdl/ver20/analytics/humanbody.xsd, HumanActivity), as of 26.06. It has no element for skeletons.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from posebus.contract.fields.json_values import rfc3339

_LINE = "tns1:RuleEngine/LineDetector/Crossed"
_FIELD = "tns1:RuleEngine/FieldDetector/ObjectsInside"
_LOITERING = "tns1:RuleEngine/LoiteringDetector/ObjectIsLoitering"
_OCCUPANCY = "tns1:RuleEngine/CountAggregation/OccupancyCounter"


@dataclass(frozen=True, slots=True)
class OnvifName:
    """How ONVIF calls an event: topic, what happens to the property (None: the topic is no property), and its items.

    The value of an item is the field of our `data` that holds it, or true or false itself.
    """

    topic: str
    operation: str | None
    items: Mapping[str, str | bool]


_PERSON = {"ObjectId": "track_id"}
TOPICS: Mapping[str, OnvifName] = MappingProxyType(
    {
        "posebus.line.crossed": OnvifName(_LINE, None, _PERSON),
        "posebus.zone.entered": OnvifName(_FIELD, "Changed", {**_PERSON, "IsInside": True}),
        "posebus.zone.left": OnvifName(_FIELD, "Changed", {**_PERSON, "IsInside": False}),
        # ONVIF's loitering is what we call dwelling, with or without an area.
        "posebus.zone.dwelled": OnvifName(_LOITERING, "Initialized", {**_PERSON, "Since": "since_ns"}),
        "posebus.loiter.detected": OnvifName(_LOITERING, "Initialized", {**_PERSON, "Since": "since_ns"}),
        "posebus.loiter.ended": OnvifName(_LOITERING, "Deleted", {**_PERSON, "Since": "since_ns"}),
        "posebus.zone.occupied": OnvifName(_OCCUPANCY, "Changed", {"Count": "people"}),
        "posebus.zone.cleared": OnvifName(_OCCUPANCY, "Changed", {"Count": "people"}),
    }
)
"""The topics of events, by type. Events of other types have none."""

ACTIVITIES: Mapping[str, str] = MappingProxyType(
    {
        "posebus.fall.detected": "Fallen",
        "posebus.fallen.detected": "Fallen",
        "posebus.running.detected": "Running",
        "posebus.crouch.detected": "Squatting",
    }
)
"""What a person does by an event, in the names of HumanActivity."""
HUMAN_ACTIVITIES = ("Walking", "Running", "Fallen", "Squatting", "Sitting", "Standing")
"""The names of HumanActivity that a skeleton shows; the others are Driving and Other."""
ACTION = "posebus.action.detected"


def onvif_of(type_: str, camera: str, data: Mapping[str, Any]) -> dict[str, Any] | None:
    """`data.onvif` of an event with this type and data: topic, source and items, or the activity; None for no name.

    None also for an event that lacks a field, such as one of another release.
    """
    name = TOPICS.get(type_)
    if name is not None:
        return _named(name, camera, data)
    activity = ACTIVITIES.get(type_) or (_activity(data) if type_ == ACTION else None)
    return None if activity is None else {"Activity": activity}


def has_name(type_: str) -> bool:
    """Whether ONVIF may have a name for events of this type, so that their `data.onvif` is made here."""
    return type_ in TOPICS or type_ in ACTIVITIES or type_ == ACTION


def _named(name: OnvifName, camera: str, data: Mapping[str, Any]) -> dict[str, Any] | None:
    items: dict[str, Any] = {}
    for item, field in name.items.items():
        value = data.get(field) if isinstance(field, str) else field
        if not isinstance(value, int):
            return None
        items[item] = _value(item, value)
    found = {"Topic": name.topic, "Source": {"VideoSource": camera, "Rule": str(data.get("rule", ""))}, "Data": items}
    return found if name.operation is None else {**found, "PropertyOperation": name.operation}


def _value(item: str, value: int) -> Any:
    """The value in the type that ONVIF gives the item: ObjectId is text, and Since a date."""
    if item == "Since":
        return rfc3339(value)
    return str(value) if item == "ObjectId" else value


def _activity(data: Mapping[str, Any]) -> str | None:
    action = data.get("action")
    return next((name for name in HUMAN_ACTIVITIES if isinstance(action, str) and name.lower() == action.lower()), None)
