"""Tracks and events as any language reads them."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from posebus.errors import MalformedMessage
from posebus.messages import Event, Track, TrackFrame
from posebus.public_json import (
    dump,
    event_from_json,
    event_to_json,
    parse,
    track_frame_from_json,
    track_frame_to_json,
)
from tests.samples import PROVENANCE, event, track_frame

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=12,
)


def test_track_frames_survive_to_the_stated_precision() -> None:
    sent = track_frame(3, ids=(1, 5, 9))
    text = dump(track_frame_to_json(sent, PROVENANCE, published_at_ns=6))
    got, provenance = track_frame_from_json(parse(text.encode()))
    assert provenance == PROVENANCE
    assert [track.id for track in got.tracks] == [1, 5, 9]
    for before, after in zip(sent.tracks, got.tracks, strict=True):
        assert after.keypoints_px is not None
        assert before.keypoints_px is not None
        assert np.abs(before.keypoints_px[:, :2] - after.keypoints_px[:, :2]).max() < 0.0051
        assert np.abs(before.keypoints_px[:, 2] - after.keypoints_px[:, 2]).max() < 0.000051
        assert (after.state, after.age_s) == (before.state, pytest.approx(before.age_s))


def test_numbers_are_short() -> None:
    box = np.array([0.1, 1 / 3, 2e4 / 3, 7], np.float32)
    sent = TrackFrame("door", 1, 0, 0, (640, 480), (Track(1, box, 2 / 3, None, "confirmed", 1 / 3),))
    (track,) = track_frame_to_json(sent, PROVENANCE, 0)["tracks"]
    assert json.dumps(track["box_xyxy_px"]) == "[0.1, 0.33, 6666.67, 7.0]"
    assert (track["score"], track["age_s"], track["keypoints_px"]) == (0.6667, 0.333, None)


def test_an_event_is_a_cloud_event() -> None:
    sent = event(25)
    data = event_to_json(sent)
    assert data["specversion"] == "1.0"
    assert data["time"] == "1970-01-01T00:00:01.000000Z"
    assert {"id", "source", "type", "subject", "datacontenttype", "data"} <= data.keys()
    assert event_from_json(json.loads(dump(data))) == sent


@given(st.integers(0, 2**62), st.dictionaries(st.text(min_size=1).map("x".__add__), json_values, max_size=3))
def test_events_survive_whatever_their_data(time_ns: int, data: dict[str, object]) -> None:
    sent = Event("1", "t", "s", "u", time_ns, "door", 1, 2, json.loads(json.dumps(data)))
    assert event_from_json(json.loads(dump(event_to_json(sent)))) == sent


@given(json_values)
def test_anything_else_is_refused(value: object) -> None:
    for decode in (track_frame_from_json, event_from_json):
        with pytest.raises(MalformedMessage):
            decode(value)


def test_no_json_is_refused() -> None:
    for raw in (b"", b"{", b"\xff", b"[" * 100_000):
        with pytest.raises(MalformedMessage):
            parse(raw)
