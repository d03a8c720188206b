"""Tracks and events as JSON."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from posebus.contract.public_json import (
    MAX_RENAMED,
    dump,
    event_from_json,
    event_to_json,
    parse,
    track_frame_from_json,
    track_frame_to_json,
)
from posebus.errors import MalformedMessage
from posebus.messages import Event, Renaming, Track, TrackFrame, TrackState
from tests.samples import PROVENANCE, track_frame

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=12,
)


def test_decoded_track_frame_equals_the_encoded_one_to_the_stated_precision() -> None:
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
        assert np.abs(before.velocity_px_s - after.velocity_px_s).max() < 0.0051
        assert after.velocity_px_s.dtype == np.float32
        assert before.keypoint_visibility is not None
        assert after.keypoint_visibility is not None
        assert after.keypoint_visibility.tolist() == before.keypoint_visibility.tolist()
        assert after.keypoint_visibility.dtype == np.uint8
        assert (after.pose_index, after.coasted) == (before.pose_index, before.coasted)


def test_metres_are_written_where_they_are_known() -> None:
    sent = track_frame(3, ids=(1, 2))
    known = replace(sent.tracks[0], position_m=(1.23456, -7.0), speed_m_s=1.4004, distance_m=12.0)
    only_distance = replace(sent.tracks[1], distance_m=0.0)
    data = track_frame_to_json(replace(sent, tracks=(known, only_distance)), PROVENANCE, 6)
    first, second = data["tracks"]
    assert (first["position_m"], first["speed_m_s"], first["distance_m"]) == ([1.235, -7.0], 1.4, 12.0)
    assert second["distance_m"] == 0.0
    assert not {"position_m", "speed_m_s"} & set(second)
    one, other = track_frame_from_json(parse(dump(data).encode()))[0].tracks
    assert (one.position_m, one.speed_m_s, one.distance_m) == ((1.235, -7.0), 1.4, 12.0)
    assert (other.position_m, other.speed_m_s, other.distance_m) == (None, None, 0.0)


@pytest.mark.parametrize(
    "wrong",
    [
        {"position_m": [1.0]},
        {"position_m": [1.0, float("nan")]},
        {"position_m": "no"},
        {"speed_m_s": -1},
        {"speed_m_s": float("inf")},
        {"distance_m": "far"},
        {"distance_m": [1]},
    ],
)
def test_metres_that_are_none_are_refused(wrong: dict[str, object]) -> None:
    data = track_frame_to_json(track_frame(3, ids=(1,)), PROVENANCE, 6)
    data["tracks"][0].update(wrong)
    with pytest.raises(MalformedMessage):
        track_frame_from_json(data)


RENAMED = (Renaming(1, 5, 2), Renaming(5, 1, 3))


def test_renamings_are_encoded_and_messages_without_them_have_none() -> None:
    data = track_frame_to_json(replace(track_frame(3), renamed=RENAMED), PROVENANCE, 6)
    assert json.dumps(data["renamed"][0]) == '{"from_id": 1, "to_id": 5, "since_seq": 2}'
    assert track_frame_from_json(parse(dump(data).encode()))[0].renamed == RENAMED
    assert track_frame_to_json(track_frame(3), PROVENANCE, 6)["renamed"] == []
    del data["renamed"]
    assert track_frame_from_json(data)[0].renamed == ()


@pytest.mark.parametrize(
    "wrong",
    [
        None,
        7,
        "15",
        [[1, 5, 2]],
        [{"from_id": 1, "to_id": 5}],
        [{"from_id": 1.5, "to_id": 5, "since_seq": 2}],
        [{"from_id": 1, "to_id": True, "since_seq": 2}],
        [{"from_id": 1, "to_id": 2**63, "since_seq": 2}],
        [{"from_id": 1, "to_id": 5, "since_seq": "2"}],
        [{"from_id": 1, "to_id": 5, "since_seq": -1}],
        [{"from_id": 1, "to_id": 5, "since_seq": 4}],
        [{"from_id": 1, "to_id": 1, "since_seq": 2}],
        [{"from_id": 1, "to_id": 5, "since_seq": 2}, {"from_id": 1, "to_id": 6, "since_seq": 2}],
        [{"from_id": number, "to_id": number + 1, "since_seq": 2} for number in range(MAX_RENAMED + 1)],
    ],
    ids=lambda wrong: str(wrong)[:60],
)
def test_invalid_renamings_are_refused(wrong: Any) -> None:
    data = {**track_frame_to_json(track_frame(3), PROVENANCE, 6), "renamed": wrong}
    with pytest.raises(MalformedMessage, match="not a tracks message"):
        track_frame_from_json(data)


def every_state(coasted: bool) -> TrackFrame:
    """A track of each state, all detected or all coasted."""
    track = replace(track_frame().tracks[0], coasted=coasted)
    return replace(track_frame(), tracks=tuple(replace(track, state=state) for state in TrackState))


@pytest.mark.parametrize("coasted", [False, True])
def test_coasted_is_encoded_for_tracks_of_every_state(coasted: bool) -> None:
    data = track_frame_to_json(every_state(coasted), PROVENANCE, 6)
    assert [one["coasted"] for one in data["tracks"]] == [coasted] * len(TrackState)
    assert [one.coasted for one in track_frame_from_json(json.loads(dump(data)))[0].tracks] == [coasted] * 4


def test_message_without_coasted_counts_lost_and_ended_tracks_as_coasted() -> None:
    data = track_frame_to_json(every_state(False), PROVENANCE, 6)
    for track in data["tracks"]:
        del track["coasted"]
    got = {track.state: track.coasted for track in track_frame_from_json(data)[0].tracks}
    assert got == {"tentative": False, "confirmed": False, "lost": True, "ended": True}


def test_message_of_the_previous_release_is_decoded() -> None:
    """After an update, streams and files contain such messages, and trackers not yet updated still write them."""
    text = """{"schema_version":1,"camera":"door","epoch":1,"seq":3,"captured_at_ns":120000000,"clock":"file",
    "delivery":"lossless","frame_published_at_ns":5,"published_at_ns":6,"size_px":[640,480],"tracks":[{"id":4,
    "state":"lost","score":0.5,"age_s":0.12,"box_xyxy_px":[1.0,2.0,3.5,4.0],"keypoints_px":[[1.0,2.0,0.5]]}]}"""
    frame, _ = track_frame_from_json(parse(text.encode()))
    (track,) = frame.tracks
    assert track.velocity_px_s.tolist() == [0, 0]
    assert (track.keypoint_visibility, track.pose_index, track.coasted) == (None, None, True)
    written = track_frame_to_json(frame, PROVENANCE, 6)["tracks"][0]
    assert (written["velocity_px_s"], written["keypoint_visibility"], written["pose_index"]) == ([0, 0], None, None)


@pytest.mark.parametrize(
    "wrong",
    [
        {"velocity_px_s": [1.0]},
        {"velocity_px_s": ["fast", 0]},
        {"velocity_px_s": [float("nan"), 0]},
        {"keypoint_visibility": [2] * 16},
        {"keypoint_visibility": [3] * 17},
        {"keypoint_visibility": [1.5] * 17},
        {"keypoint_visibility": "2" * 17},
        {"keypoint_visibility": [2] * 17, "keypoints_px": None},
        {"pose_index": -1},
        {"pose_index": 0.5},
        {"pose_index": [0]},
        {"coasted": None},
        {"coasted": 1},
    ],
    ids=str,
)
def test_invalid_fields_are_refused(wrong: dict[str, Any]) -> None:
    data = track_frame_to_json(track_frame(), PROVENANCE, 6)
    data["tracks"][1].update(wrong)
    with pytest.raises(MalformedMessage, match="not a tracks message"):
        track_frame_from_json(data)


def test_numbers_are_rounded_and_printed_short() -> None:
    box = np.array([0.1, 1 / 3, 2e4 / 3, 7], np.float32)
    sent = TrackFrame("door", 1, 0, 0, (640, 480), (Track(1, box, 2 / 3, None, "confirmed", 1 / 3),))
    (track,) = track_frame_to_json(sent, PROVENANCE, 0)["tracks"]
    assert json.dumps(track["box_xyxy_px"]) == "[0.1, 0.33, 6666.67, 7.0]"
    assert (track["score"], track["age_s"], track["keypoints_px"]) == (0.6667, 0.333, None)
    fast = replace(sent.tracks[0], velocity_px_s=np.array([0.1, -200 / 3], np.float32))
    (track,) = track_frame_to_json(replace(sent, tracks=(fast,)), PROVENANCE, 0)["tracks"]
    assert json.dumps(track["velocity_px_s"]) == "[0.1, -66.67]"


@given(st.integers(0, 2**62), st.dictionaries(st.text(min_size=1).map("x".__add__), json_values, max_size=3))
def test_event_with_arbitrary_data_is_decoded(time_ns: int, data: dict[str, object]) -> None:
    sent = Event("1", "t", "s", "u", time_ns, "door", 1, 2, json.loads(json.dumps(data)))
    assert event_from_json(json.loads(dump(event_to_json(sent)))) == sent


@given(json_values)
def test_other_json_is_refused(value: object) -> None:
    for decode in (track_frame_from_json, event_from_json):
        with pytest.raises(MalformedMessage):
            decode(value)


def test_text_that_is_not_json_is_refused() -> None:
    for raw in (b"", b"{", b"\xff", b"[" * 100_000):
        with pytest.raises(MalformedMessage):
            parse(raw)
