"""The committed JSON Schemas equal those of the code, and messages and examples follow them."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
import yaml
from architecture.tree import ROOT

from posebus.config.settings import SettingsFile
from posebus.contract.events import TABLE, published
from posebus.contract.public_json import event_to_json, track_frame_to_json
from posebus.json_schemas import FOLDER, config_schema, event_schema, render, tracks_schema
from posebus.messages import (
    CaptureClock,
    Delivery,
    Event,
    EventType,
    Provenance,
    Renaming,
    Track,
    TrackFrame,
    TrackState,
)
from tracking.rules.engine import Rules

ASYNCAPI = "asyncapi.json"
"""It is no schema, and has tests of its own."""


@pytest.mark.parametrize("name", sorted(render()))
def test_schema_file_is_up_to_date_and_valid(name: str) -> None:
    import jsonschema

    assert (FOLDER / name).read_text(encoding="utf-8") == render()[name], "run: python -m posebus.json_schemas"
    if name != ASYNCAPI:
        jsonschema.Draft202012Validator.check_schema(json.loads(render()[name]))


def test_folder_has_no_other_schema_files() -> None:
    assert {path.name for path in FOLDER.iterdir()} == set(render())


@pytest.mark.parametrize("path", sorted(ROOT.glob("**/examples/*.yaml")), ids=lambda path: path.name)
def test_example_configurations_follow_the_schema(path: object) -> None:
    import jsonschema

    jsonschema.Draft202012Validator(config_schema()).validate(yaml.safe_load(open(str(path), encoding="utf-8")))  # noqa: PTH123, SIM115


def test_config_schema_has_every_section_and_refuses_invalid_values() -> None:
    import jsonschema

    assert set(config_schema()["properties"]) == set(SettingsFile.model_fields)
    validator = jsonschema.Draft202012Validator(config_schema())
    for wrong in (
        {"shard": 1},
        {"worker": {"imgsz": 33}},
        {"cameras": {"a b": {"source": "x"}}},
        {"cameras": {"a": {}}},
    ):
        with pytest.raises(jsonschema.ValidationError):
            validator.validate(wrong)


def track(number: int, state: TrackState, keypoints: bool) -> Track:
    poses = np.full((17, 3), 0.5, np.float32) if keypoints else None
    return Track(number, np.array([-1.5, 0, 10, 20], np.float32), 0.75, poses, state, 1.25)


def test_tracks_messages_follow_their_schema() -> None:
    import jsonschema

    tracks = tuple(track(number, state, number % 2 == 0) for number, state in enumerate(TrackState))
    seen = replace(tracks[0], keypoint_visibility=np.arange(17, dtype=np.uint8) % 3, pose_index=0)
    seen = replace(seen, position_m=(1.0, 2.0), speed_m_s=1.5, distance_m=3.0, action="Walking", action_score=0.9)
    frame = TrackFrame("door", 0, 7, 1_000, (640, 480), (seen, *tracks[1:]), renamed=(Renaming(0, 2, 5),))
    data = json.loads(json.dumps(track_frame_to_json(frame, Provenance(CaptureClock.FILE, Delivery.LIVE, 5), 6)))
    schema = tracks_schema()
    jsonschema.Draft202012Validator(schema).validate(data)
    assert set(data) == set(schema["properties"])
    for name in ("tracks", "renamed"):
        assert set(data[name][0]) == set(schema["properties"][name]["items"]["properties"])
    data["tracks"][0]["box_xyxy_px"].pop()
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.Draft202012Validator(schema).validate(data)


def test_tracks_messages_of_the_previous_release_follow_the_schema() -> None:
    import jsonschema

    frame = TrackFrame("door", 0, 7, 1_000, (640, 480), (track(1, TrackState.CONFIRMED, True),))
    data = track_frame_to_json(frame, Provenance(CaptureClock.FILE, Delivery.LIVE, 5), 6)
    for name in ("velocity_px_s", "keypoint_visibility", "pose_index", "coasted"):
        del data["tracks"][0][name]
    del data["renamed"]
    jsonschema.Draft202012Validator(tracks_schema()).validate(data)


@pytest.mark.parametrize("event_type", EventType)
def test_events_follow_their_schema(event_type: EventType) -> None:
    import jsonschema

    fields = dict.fromkeys(TABLE[event_type].data)
    values = {"rule": "till", "kind": "zone", "happening": "h", "phase": "once", "captured_at_ns": 5, "track_id": 7}
    known = {name: value for name, value in values.items() if name in fields}
    event = Event(
        "door/0/7/1", event_type, "posebus/door", "door/1", 1_700_000_000_000_000_000, "door", 0, 7, {"id": 1, **known}
    )
    (event,) = published([replace(event, dataref="posebus-evidence:door/0/7")], 1_700_000_000_000_000_001)
    data = json.loads(json.dumps(event_to_json(event)))
    validator = jsonschema.Draft202012Validator(
        event_schema(), format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER
    )
    validator.validate(data)
    assert set(data) == set(event_schema()["properties"])
    optional = ("sequence", "recordedtime", "dataref")
    validator.validate({name: value for name, value in data.items() if name not in optional})
    for name in known:
        wrong = {**data, "data": {**data["data"], name: [name]}}
        with pytest.raises(jsonschema.ValidationError):
            validator.validate(wrong)
    del data["data"]["camera"]
    with pytest.raises(jsonschema.ValidationError):
        validator.validate(data)


def test_events_of_rules_that_people_cause_follow_their_schema() -> None:
    """A person walks over a line into a zone, stays there, and leaves."""
    import jsonschema

    rules = {
        "gate": {"kind": "line", "points": [[300, 0], [300, 480]]},
        "till": {"kind": "zone", "points": [[350, 0], [600, 0], [600, 480], [350, 480]], "dwell_s": 2, "max_people": 1},
    }
    engine = Rules(rules, "door", (640, 480))
    way_px = [100 + 10 * n for n in range(40)] + [500] * 40 + [500 - 10 * n for n in range(40)]
    events = []
    for seq, x in enumerate(way_px):
        people = tuple(
            Track(number, np.array([x - 20, 200, x + 20, 400], np.float32), 0.9, None, TrackState.CONFIRMED, seq / 10)
            for number in (1, 2)
        )
        events += engine.update(TrackFrame("door", 1, seq, seq * 100_000_000, (640, 480), people))
    validator = jsonschema.Draft202012Validator(
        event_schema(), format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER
    )
    onvif = set()
    for one in published(events, 1_700_000_000_000_000_001):
        data = json.loads(json.dumps(event_to_json(one)))
        validator.validate(data)
        onvif.add(data["data"]["onvif"]["Topic"].split("/")[1])
    assert {one.type for one in events} == {
        *("posebus.line.crossed", "posebus.zone.entered", "posebus.zone.dwelled", "posebus.zone.left"),
        *("posebus.zone.occupied", "posebus.zone.cleared"),
    }
    assert onvif == {"LineDetector", "FieldDetector", "LoiteringDetector", "CountAggregation"}
