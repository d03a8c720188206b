"""The setting `actions`: what it may be, and its way to the tracker and to readers of tracks."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from ingest.announcing import live_fields
from posebus.bus.registry import CameraRecord, camera_value, read_record
from posebus.config.cameras.camera_settings import APPLIED_LIVE
from posebus.config.loading import load_settings
from posebus.config.settings import CameraSettings
from posebus.contract.public_json import dump, parse, track_frame_from_json, track_frame_to_json
from posebus.errors import ConfigError, MalformedMessage
from posebus.messages import Delivery
from tests.samples import PROVENANCE, track_frame


def config(folder: Path, value: str) -> Path:
    path = folder / "posebus.yaml"
    path.write_text(f"cameras:\n  yard:\n    source: yard.mp4\n    actions: {value}\n")
    return path


@pytest.mark.parametrize("value", ["off", "builtin", "/models/stgcn.onnx"])
def test_values_that_are_settings(tmp_path: Path, value: str) -> None:
    assert load_settings(config(tmp_path, value), {}, {}).cameras["yard"].actions == value


@pytest.mark.parametrize("value", ["everything", "model.pt", "true"])
def test_a_wrong_value_is_one_sentence_with_its_line(tmp_path: Path, value: str) -> None:
    with pytest.raises(ConfigError, match=r"posebus\.yaml:4:\d+: cameras\.yard\.actions: must be ") as refused:
        load_settings(config(tmp_path, value), {}, {})
    assert "\n" not in str(refused.value)


def test_the_tracker_gets_it_with_the_camera_and_while_the_camera_runs() -> None:
    assert "actions" in APPLIED_LIVE
    assert live_fields(CameraSettings(source="x", actions="builtin"))["actions"] == "builtin"
    record = CameraRecord("yard", Delivery.LIVE, "usb", actions="builtin")
    assert read_record("yard", camera_value(record).encode()) == record
    assert b"actions" not in camera_value(replace(record, actions="off")).encode()
    with pytest.raises(MalformedMessage):
        read_record("yard", camera_value(record).encode().replace(b"builtin", b"nothing"))


def test_tracks_carry_it_only_where_it_is_known() -> None:
    frame = track_frame(3, ids=(1, 5))
    acting = replace(frame.tracks[0], action="Walking", action_score=0.87654321)
    frame = replace(frame, tracks=(acting, frame.tracks[1]))
    message = track_frame_to_json(frame, PROVENANCE, published_at_ns=6)
    assert message["tracks"][0]["action_score"] == 0.8765
    assert "action" not in message["tracks"][1]
    got, _ = track_frame_from_json(parse(dump(message).encode()))
    assert [(track.action, track.action_score) for track in got.tracks] == [("Walking", 0.8765), (None, None)]
    message["tracks"][0]["action_score"] = 1.5
    with pytest.raises(MalformedMessage):
        track_frame_from_json(message)
