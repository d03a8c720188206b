"""Decoding arbitrary bytes from a stream or a key gives a message or raises MalformedMessage, and no other error."""

from __future__ import annotations

import contextlib
from typing import Any

import numpy as np
import pytest
from fuzz.inputs import EVENTS, FRAMES, POSES, TRACKS, fields, fuzz, json_text, snapshots

from posebus.config.settings import TrackerSettings
from posebus.contract.codec import decode_frame, decode_poses, skipped_frame
from posebus.contract.public_json import (
    dump,
    event_from_json,
    event_to_json,
    parse,
    track_frame_from_json,
    track_frame_to_json,
)
from posebus.contract.snapshot import unpack_state
from posebus.contract.wire import MAX_COORDINATE
from posebus.errors import MalformedMessage
from posebus.messages import Delivery, PoseFrame
from posebus.subscribing.subscription import StreamEntry, decode_entry
from tests.samples import pose_frame
from tracking.camera_tracking import CameraTracking
from tracking.tracker import PoseTracker

pytestmark = pytest.mark.timeout(1800)


def test_damaged_frames_are_decoded_or_refused(thorough: bool) -> None:
    def check(raw: dict[bytes, bytes]) -> None:
        skipped_frame(raw, "because")
        with contextlib.suppress(MalformedMessage):
            frame = decode_frame(raw)
            assert 0 <= frame.seq < 2**63

    fuzz(fields(FRAMES), 20_000 if thorough else 1000, check)


def test_damaged_poses_are_decoded_or_refused(thorough: bool) -> None:
    def check(raw: dict[bytes, bytes]) -> None:
        with contextlib.suppress(MalformedMessage):
            body, _ = decode_poses(raw)
            if isinstance(body, PoseFrame):
                assert len(body.scores) == len(body.boxes_xyxy_px)
                assert np.abs(body.boxes_xyxy_px).max(initial=0) <= MAX_COORDINATE
                assert body.masks is None or len(body.masks) == len(body.scores)

    fuzz(fields(POSES), 20_000 if thorough else 1000, check)


def test_damaged_tracks_are_decoded_or_refused(thorough: bool) -> None:
    def check(text: bytes) -> None:
        decode_entry(StreamEntry("tracks", "posebus:{0}:tracks:door", "1-0", {b"data": text}))
        with contextlib.suppress(MalformedMessage):
            frame, provenance = track_frame_from_json(parse(text))
            dump(track_frame_to_json(frame, provenance, 7))

    fuzz(json_text(TRACKS), 15_000 if thorough else 1000, check)


def test_damaged_events_are_decoded_or_refused(thorough: bool) -> None:
    def check(text: bytes) -> None:
        decode_entry(StreamEntry("events", "posebus:{0}:events", "1-0", {b"data": text}))
        with contextlib.suppress(MalformedMessage):
            event = event_from_json(parse(text))
            if event.time_ns >= 0:
                event_to_json(event)

    fuzz(json_text(EVENTS), 10_000 if thorough else 1000, check)


def states() -> list[dict[str, Any]]:
    """The state of a whole camera in a tracker, and of its identities alone."""
    tracker = PoseTracker(TrackerSettings())
    for seq in range(4):
        tracker.update(pose_frame(seq))
    return [CameraTracking("door", Delivery.LIVE, TrackerSettings()).state_dict(), tracker.state_dict()]


def test_damaged_snapshots_are_unpacked_or_refused(thorough: bool) -> None:
    def check(data: bytes) -> None:
        with contextlib.suppress(MalformedMessage):
            unpack_state(data)

    fuzz(snapshots(states()), 10_000 if thorough else 1000, check)
