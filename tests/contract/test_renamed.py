"""Corrections of identities on their way from a tracker to subscribers and to the files of a run."""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import posebus
from posebus.bus.pose_consumer import PoseConsumer
from posebus.bus.redis.connection import open_broker
from posebus.bus.registry import CameraRecord, Registry
from posebus.config.settings import RetentionSettings, TrackerSettings
from posebus.contract.codec import encode_poses
from posebus.messages import Delivery, Event, EventType, PoseFrame, Renaming, Track, TrackFrame
from posebus.subscribing.subscriber import subscribe
from recordings.inputs import Recording
from recordings.recording_analysis import RecordingAnalysis, RecordingResult
from recordings.results.tracks_writer import TracksWriter
from tests.contract.conftest import client_of
from tests.samples import PROVENANCE, end, pose_frame
from tracking.track_stage import TrackStage

FRAMES = 70
LEFT_PX = {"Ann": 100.0, "Bob": 300.0}
NUMBERS = {"Ann": 3, "Bob": 5}
"""The people of each frame with their true numbers, as the files of a run must show them."""
RENAMED = {40: (Renaming(3, 5, 20), Renaming(5, 3, 20)), 50: (Renaming(7, 3, 45),)}


class ScriptedTracker:
    """Confuses Ann and Bob from frame 20 to 39, and loses Ann in frame 45, who is the new number 7 up to frame 49."""

    tracks = ()
    is_cut = False

    def __init__(self, settings: TrackerSettings | None = None) -> None:
        self.updates = 0

    def update(self, frame: PoseFrame) -> TrackFrame:
        self.updates += 1
        seq = frame.seq
        shown = {3: "Bob", 5: "Ann"} if 20 <= seq < 40 else {3: "Ann", 5: "Bob"}
        tracks = [track(number, name, age_s=seq / 25) for number, name in shown.items()]
        if 45 <= seq < 50:
            lost = track(3, "Ann", age_s=seq / 25, state="lost", coasted=True)
            tracks = [lost, tracks[1], track(7, "Ann", age_s=(seq - 45) / 25)]
        return TrackFrame(
            frame.camera,
            frame.epoch,
            seq,
            frame.captured_at_ns,
            frame.size_px,
            tuple(tracks),
            renamed=RENAMED.get(seq, ()),
        )

    def end_source(self) -> None:
        pass

    def state_dict(self) -> dict[str, Any]:
        return {"updates": self.updates}

    def load_state(self, state: dict[str, Any]) -> None:
        self.updates = int(state["updates"])


def track(number: int, name: str, age_s: float, state: str = "confirmed", *, coasted: bool = False) -> Track:
    left_px = LEFT_PX[name]
    return Track(
        number, np.array([left_px, 50, left_px + 60, 200], np.float32), 0.9, None, state, age_s, coasted=coasted
    )


def track_all(url: str, *, kill_every: int | None = None) -> None:
    """Track the poses of a recording, frame by frame; a killed tracker releases nothing, another one continues."""
    broker = open_broker(url)
    broker.client.flushall()
    Registry(broker).add_camera(CameraRecord("door", Delivery.LOSSLESS, "file"))
    key = broker.topology.poses("door")

    def new_tracker(number: int) -> TrackStage:
        broker.client.delete(broker.topology.lease("door", "tracker"))
        name = f"tracker-{number}"
        return TrackStage(broker, PoseConsumer(broker, name, RetentionSettings()), name, TrackerSettings())

    stage = new_tracker(0)
    for seq in range(FRAMES + 1):
        body = pose_frame(seq) if seq < FRAMES else end(FRAMES)
        broker.client.xadd(key, encode_poses(body, PROVENANCE if seq < FRAMES else None, 7))  # type: ignore[arg-type]
        if kill_every is not None and seq % kill_every == 0:
            stage = new_tracker(seq)
        if seq % 3 == 0 or seq >= FRAMES - 1:
            stage.step(seq / 10)
    while broker.client.xlen(key):
        stage.step(FRAMES)


@pytest.fixture(autouse=True)
def script(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tracking.camera_tracking.PoseTracker", ScriptedTracker)
    monkeypatch.setattr("tracking.track_stage.LOSSLESS_PAUSE_S", 0.0)
    monkeypatch.setattr("tracking.track_stage.BLOCK_MS", 1)


def events(url: str) -> list[Event]:
    with subscribe(url, kinds=["events"], after="start") as subscription:
        return [message.body for message in subscription.poll(0.1) if isinstance(message.body, Event)]


def people(frames: list[TrackFrame]) -> list[dict[int, float]]:
    """The numbers of each frame with the left side of their boxes."""
    return [{one.id: float(one.box_xyxy_px[0]) for one in frame.tracks} for frame in frames]


def frames_of(subscription: posebus.Subscription, count: int) -> list[TrackFrame]:
    return [one.body for one in itertools.islice(subscription, count) if isinstance(one.body, TrackFrame)]


RIGHT = {NUMBERS[name]: LEFT_PX[name] for name in NUMBERS}


def test_subscribers_get_corrections_or_final_numbers_and_kills_change_no_event(real_url: str) -> None:
    track_all(real_url)
    undisturbed = events(real_url)
    track_all(real_url, kill_every=7)
    assert events(real_url) == undisturbed
    changes = [event for event in undisturbed if event.type in (EventType.TRACK_RENAMED, EventType.TRACK_ENDED)]
    assert [(event.type.rpartition(".")[2], event.data["track_id"], event.seq) for event in changes] == [
        ("renamed", 3, 40),
        ("renamed", 5, 40),
        ("renamed", 7, 50),
        ("ended", 7, 50),
        ("ended", 3, FRAMES),
        ("ended", 5, FRAMES),
    ]
    with subscribe(real_url, kinds=["tracks"], after="start") as subscription:
        frames = frames_of(subscription, FRAMES)
    assert {frame.seq: frame.renamed for frame in frames if frame.renamed} == RENAMED
    assert sum(shown != RIGHT for shown in people(frames)) == 25
    with subscribe(real_url, kinds=["final_tracks"], after="start") as subscription:
        final = frames_of(subscription, 10)
        cursor = subscription.cursor
    with subscribe(real_url, kinds=["final_tracks"], after=cursor) as subscription:
        final += frames_of(subscription, FRAMES - 10)
        assert list(subscription.poll(0.01)) == []
    assert [frame.seq for frame in final] == list(range(FRAMES))
    assert people(final) == [RIGHT] * FRAMES
    assert all(one.state == "confirmed" for frame in final for one in frame.tracks)


def test_files_of_a_run_show_the_final_numbers(redis_server: str, tmp_path: Path) -> None:
    track_all(redis_server)
    recording = Recording(source="clip.mp4", name="clip", camera="door", size_px=(640, 480), frames_expected=FRAMES)
    analysis = RecordingAnalysis(recording, TracksWriter(tmp_path, "clip"))
    with subscribe(redis_server, after="start") as subscription:
        while not analysis.is_over():
            for message in subscription.poll(0.1):
                analysis.add(message)
    result: RecordingResult = analysis.complete()
    lines = [json.loads(line) for line in (tmp_path / "clip.tracks.jsonl").read_text().splitlines()]
    assert [{one["id"]: one["box_xyxy_px"][0] for one in line["tracks"]} for line in lines] == [RIGHT] * FRAMES
    rows = [row.split(",") for row in (tmp_path / "clip.mot.txt").read_text().splitlines()]
    assert [(int(row[0]), int(row[1]), float(row[2])) for row in rows] == [
        (frame, number, left_px) for frame in range(1, FRAMES + 1) for number, left_px in RIGHT.items()
    ]
    assert result.tally.identities == set(RIGHT)


def test_kinds_that_contradict_one_another_are_refused(redis_server: str) -> None:
    client_of(redis_server).flushall()
    with pytest.raises(ValueError, match="subscribe twice"):
        posebus.subscribe(redis_server, kinds=["tracks", "final_tracks"])
    with pytest.raises(ValueError, match="leave out group"):
        posebus.subscribe(redis_server, kinds=["final_tracks"], group="app")
