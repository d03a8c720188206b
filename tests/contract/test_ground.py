"""Metres and finished tracks through the broker: a person walks before a camera whose ground plane is known."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from unit.tracking.walks import SIZE_PX, ground, walk

import posebus
from posebus import TrackFrame, subscribe
from posebus.bus.pose_consumer import PoseConsumer
from posebus.bus.redis.connection import open_broker
from posebus.bus.registry import CameraRecord, Registry
from posebus.config.settings import RetentionSettings, TrackerSettings
from posebus.contract.codec import encode_poses
from posebus.contract.public_json import track_frame_to_json
from posebus.messages import Delivery, EndOfStream, Event, EventType, PoseFrame
from recordings.results.formats.table import open_writer
from recordings.results.formats.writer import Target
from tests.samples import PROVENANCE, timeless
from tracking.track_stage import TrackStage

FPS = 10
SECONDS = 5.0
WALK_M_S = 1.4
FRAMES = round(FPS * SECONDS)
CHANGED_AT = 30
MOVED_M = 100.0


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tracking.track_stage.LOSSLESS_PAUSE_S", 0.0)
    monkeypatch.setattr("tracking.track_stage.BLOCK_MS", 1)
    monkeypatch.setattr("tracking.track_stage.CAMERAS_REFRESH_S", 0.0)


def poses() -> list[PoseFrame]:
    frames = []
    for frame in walk(lambda t: (-3.0 + WALK_M_S * t, 9.0), FPS, SECONDS, noise_px=1.0):
        (person,) = frame.tracks
        assert person.keypoints_px is not None
        frames.append(
            PoseFrame(
                *("yard", 1, frame.seq, frame.captured_at_ns, SIZE_PX, person.box_xyxy_px[None]),
                *(np.array([0.9], np.float32), person.keypoints_px[None]),
            )
        )
    return frames


def track_all(url: str, *, kill_every: int | None = None) -> None:
    """Track the walk, with a killed tracker now and then; the origin of the floor moves at frame CHANGED_AT."""
    broker = open_broker(url)
    broker.client.flushall()
    registry, usual = Registry(broker), ground()
    moved = usual.model_copy(update={"metres": tuple((x + MOVED_M, y) for x, y in usual.metres)})
    registry.add_camera(CameraRecord("yard", Delivery.LOSSLESS, "file", ground=usual))
    key = broker.topology.poses("yard")

    def new_tracker(number: int) -> TrackStage:
        broker.client.delete(broker.topology.lease("yard", "tracker"))
        name = f"tracker-{number}"
        return TrackStage(broker, PoseConsumer(broker, name, RetentionSettings()), name, TrackerSettings())

    stage = new_tracker(0)
    for body in [*poses(), EndOfStream("yard", 1, FRAMES, round(SECONDS * 1e9), Delivery.LOSSLESS)]:
        if body.seq == CHANGED_AT:
            registry.add_camera(CameraRecord("yard", Delivery.LOSSLESS, "file", ground=moved))
        provenance = PROVENANCE if isinstance(body, PoseFrame) else None
        broker.client.xadd(key, encode_poses(body, provenance, 7))  # type: ignore[arg-type]
        if kill_every is not None and body.seq % kill_every == kill_every - 1:
            stage = new_tracker(body.seq)
        while broker.client.xlen(key):
            stage.step(float(body.seq))


def received(url: str) -> tuple[list[TrackFrame], list[Event]]:
    with subscribe(url, kinds=["tracks", "events"], after="start") as subscription:
        bodies = [message.body for message in subscription.poll(0.2)]
    return [one for one in bodies if isinstance(one, TrackFrame)], [one for one in bodies if isinstance(one, Event)]


def test_subscribers_get_metres_and_the_finished_track_and_kills_change_nothing(real_url: str, tmp_path: Path) -> None:
    track_all(real_url)
    frames, events = received(real_url)
    assert len(frames) == FRAMES
    for frame in frames[20:]:
        (person,) = frame.tracks
        moved_m = MOVED_M if frame.seq >= CHANGED_AT else 0.0
        assert person.position_m == pytest.approx((moved_m - 3.0 + WALK_M_S * frame.seq / FPS, 9.0), abs=0.3)
        if not CHANGED_AT <= frame.seq < CHANGED_AT + 10:  # the line begins anew on another floor
            assert person.speed_m_s == pytest.approx(WALK_M_S, rel=0.1)
    (finished,) = (event for event in events if event.type == EventType.TRACK_FINISHED)
    assert finished.data["distance_m"] == pytest.approx(WALK_M_S * SECONDS, rel=0.1)
    assert finished.data["path_m"][0] == pytest.approx((-3.0, 9.0), abs=0.4)
    track_all(real_url, kill_every=7)
    frames_again, events_again = received(real_url)
    assert [timeless(event) for event in events_again] == [timeless(event) for event in events]
    assert [track_frame_to_json(frame, PROVENANCE, 0) for frame in frames_again] == [
        track_frame_to_json(frame, PROVENANCE, 0) for frame in frames
    ]
    read_back(frames, tmp_path)


def read_back(frames: list[TrackFrame], folder: Path) -> None:
    """The files of results hold what was published."""
    for name in ("csv", "parquet", "jsonl"):
        (folder / name).mkdir()
        writer = open_writer(name, Target(folder / name, "yard"))
        for frame in frames:
            writer.write(frame, track_frame_to_json(frame, PROVENANCE, 0))
        writer.complete()
        table = posebus.read_tracks(folder / name)
        for column, values in {
            "position_x_m": [person.position_m and person.position_m[0] for frame in frames for person in frame.tracks],
            "speed_m_s": [person.speed_m_s for frame in frames for person in frame.tracks],
            "distance_m": [person.distance_m for frame in frames for person in frame.tracks],
        }.items():
            wanted = np.array([np.nan if one is None else one for one in values], np.float32)
            np.testing.assert_allclose(table[column], wanted, atol=1e-5, equal_nan=True)
