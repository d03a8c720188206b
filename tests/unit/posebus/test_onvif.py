"""The names of ONVIF in events of rules, as its specification and Home Assistant's parsers of it have them."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from posebus.contract.onvif import ACTIVITIES, HUMAN_ACTIVITIES, TOPICS, onvif_of
from posebus.contract.public_json import dump, event_from_json, event_to_json
from tests.samples import event

RULE = {"rule": "till", "track_id": 7, "since_ns": 1_700_000_000_000_000_000, "people": 3}


@pytest.mark.parametrize(
    ("kind", "topic", "items"),
    [
        ("line.crossed", "tns1:RuleEngine/LineDetector/Crossed", {"ObjectId": "7"}),
        ("zone.entered", "tns1:RuleEngine/FieldDetector/ObjectsInside", {"ObjectId": "7", "IsInside": True}),
        ("zone.left", "tns1:RuleEngine/FieldDetector/ObjectsInside", {"ObjectId": "7", "IsInside": False}),
        (
            "loiter.detected",
            "tns1:RuleEngine/LoiteringDetector/ObjectIsLoitering",
            {"ObjectId": "7", "Since": "2023-11-14T22:13:20.000000Z"},
        ),
        ("zone.occupied", "tns1:RuleEngine/CountAggregation/OccupancyCounter", {"Count": 3}),
    ],
)
def test_an_event_has_the_topic_and_the_items_of_onvif(kind: str, topic: str, items: dict[str, Any]) -> None:
    sent = replace(event(kind=f"posebus.{kind}"), data=dict(RULE))
    data = json.loads(dump(event_to_json(sent)))
    found = data["data"]["onvif"]
    assert (found["Topic"], found["Data"]) == (topic, items)
    assert found["Source"] == {"VideoSource": "door", "Rule": "till"}
    assert event_from_json(data) == sent
    assert event_to_json(event_from_json(data)) == event_to_json(sent)


def test_a_property_says_whether_it_begins_changes_or_ends() -> None:
    operations = {kind: name.operation for kind, name in TOPICS.items()}
    assert operations["posebus.line.crossed"] is None
    assert {"Initialized", "Changed", "Deleted", None} == set(operations.values())
    found = onvif_of("posebus.loiter.ended", "door", RULE)
    assert found is not None
    assert found["PropertyOperation"] == "Deleted"


def test_activities_have_the_names_of_onvif() -> None:
    assert set(ACTIVITIES.values()) <= set(HUMAN_ACTIVITIES)
    assert onvif_of("posebus.fall.detected", "door", {}) == {"Activity": "Fallen"}
    assert onvif_of("posebus.action.detected", "door", {"action": "sitting"}) == {"Activity": "Sitting"}
    assert onvif_of("posebus.action.detected", "door", {"action": "juggling"}) is None


@pytest.mark.parametrize("data", [{}, {"track_id": None}, {"track_id": "7"}], ids=str)
def test_an_event_without_the_fields_has_no_names(data: dict[str, Any]) -> None:
    assert onvif_of("posebus.zone.entered", "door", data) is None


def test_other_types_keep_a_field_of_that_name() -> None:
    sent = replace(event(kind="com.example.gate"), data={"onvif": {"Topic": "ours"}})
    assert event_from_json(event_to_json(sent)) == sent
    assert "onvif" not in event_to_json(event())["data"]
