"""Events as CloudEvents: their attributes, the times of their publication, and their order."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from posebus.contract.events import EVENT_BYTES, before_frame, published
from posebus.contract.public_json import dump, event_fields, event_from_json, event_to_json, parse
from posebus.errors import MalformedMessage
from tests.samples import event

PUBLISHED_NS = 1_700_000_000_123_456_789


def test_event_is_encoded_as_a_cloud_event() -> None:
    sent = event(25)
    data = event_to_json(sent)
    assert data["specversion"] == "1.0"
    assert data["time"] == "1970-01-01T00:00:01.000000Z"
    assert {"id", "source", "type", "subject", "datacontenttype", "data"} <= data.keys()
    assert not {"sequence", "recordedtime", "dataref"} & data.keys()
    assert event_from_json(json.loads(dump(data))) == sent


def test_a_published_event_has_its_times_and_its_evidence() -> None:
    (sent,) = published([replace(event(25), dataref="posebus-evidence:door/1/25")], PUBLISHED_NS, PUBLISHED_NS - 2)
    data = json.loads(event_fields(sent)["data"])
    assert data["recordedtime"] == "2023-11-14T22:13:20.123456Z"
    assert data["dataref"] == "posebus-evidence:door/1/25"
    assert (data["data"]["detected_at_ns"], data["data"]["published_at_ns"]) == (PUBLISHED_NS - 2, PUBLISHED_NS)
    got = event_from_json(data)
    assert event_to_json(got) == data
    assert got == sent == replace(event(25), dataref=sent.dataref)
    assert got.data == event(25).data
    assert got.id == event(25).id


def test_an_event_of_the_previous_release_is_decoded() -> None:
    text = """{"specversion":"1.0","id":"door/1/3/posebus.track.started/7","type":"posebus.track.started",
    "source":"posebus/cameras/door","subject":"door/tracks/7","time":"1970-01-01T00:00:00.120000Z",
    "datacontenttype":"application/json","data":{"schema_version":1,"camera":"door","epoch":1,"seq":3,
    "time_ns":120000000,"track_id":7}}"""
    got = event_from_json(parse(text.encode()))
    assert got == event(3)
    assert (got.dataref, got.sequence, got.detected_at_ns, got.published_at_ns) == (None, "", 0, 0)


@pytest.mark.parametrize("wrong", [{"sequence": 1}, {"dataref": 1}, {"data": {"published_at_ns": "soon"}}], ids=str)
def test_wrong_attributes_are_refused(wrong: dict[str, object]) -> None:
    data = event_to_json(event())
    inner = wrong.get("data", {})
    assert isinstance(inner, dict)
    with pytest.raises(MalformedMessage, match="not an event"):
        event_from_json({**data, **wrong, "data": {**data["data"], **inner}})


@given(st.lists(st.tuples(st.integers(0, 2**53), st.integers(0, 10**9)), min_size=1, max_size=8))
def test_sequence_sorts_by_epoch_frame_and_place_within_the_frame(frames: list[tuple[int, int]]) -> None:
    of_frames = [replace(event(), epoch=epoch, seq=seq) for epoch, seq in sorted(frames)]
    made = published(of_frames, PUBLISHED_NS)
    assert [one.sequence for one in made] == sorted({one.sequence for one in made})


def test_events_before_a_frame_come_before_those_of_the_frame_in_the_order_of_their_times() -> None:
    offline = before_frame(event(5, kind="posebus.camera.offline"), PUBLISHED_NS)
    online = before_frame(event(5, kind="posebus.camera.online"), PUBLISHED_NS + 1)
    made = published([event(4), event(5), event(5, kind="posebus.track.lost"), offline, online], 2 * PUBLISHED_NS)
    by_sequence = [one.type for one in sorted(made, key=lambda one: one.sequence)]
    started, lost = "posebus.track.started", "posebus.track.lost"
    assert by_sequence == [started, "posebus.camera.offline", "posebus.camera.online", started, lost]
    assert [one.detected_at_ns for one in made[3:]] == [PUBLISHED_NS, PUBLISHED_NS + 1]


def test_the_same_frames_give_the_same_sequence_in_any_transaction() -> None:
    events = [event(1), event(1, kind="posebus.track.lost"), event(2)]
    together = published(events, 1)
    apart = published(events[:2], 2) + published(events[2:], 3)
    assert [one.sequence for one in together] == [one.sequence for one in apart]


@given(st.dictionaries(st.text(min_size=1, max_size=30), st.text(max_size=2000), max_size=12))
def test_no_entry_is_larger_than_an_event_may_be(data: dict[str, str]) -> None:
    sent = replace(event(), data={f"x{name}": value for name, value in data.items()})
    fields = event_fields(sent)
    assert sum(len(str(value).encode()) for value in fields.values()) < EVENT_BYTES
    got = event_from_json(parse(fields["data"].encode()))
    assert {name: got.data[name] for name in got.data if name != "left_out"}.items() <= sent.data.items()
