"""A broker that forgot everything (FLUSHALL, or killed and started empty): cameras, groups and leases come back."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

import posebus
from ingest.process import build_capture
from posebus.bus.frame_consumer import FrameConsumer, FrameEntry, PoseResult
from posebus.bus.pose_consumer import PoseConsumer
from posebus.bus.redis.connection import open_broker
from posebus.bus.registry import Registry
from posebus.config.settings import CameraSettings, RetentionSettings, TrackerSettings
from posebus.errors import BrokerUnavailable
from posebus.messages import EndOfStream, Frame, Provenance
from tests.brokers import Server
from tests.integration.made_videos import make_video
from tests.polling import wait_until
from tests.samples import pose_frame
from tracking.track_stage import TrackStage

FILM_FRAMES = 400


class Deployment:
    """A live camera, a recording, a worker without a network, a tracker and two subscribers, step by step."""

    def __init__(self, url: str, folder: Path) -> None:
        film = make_video(folder / "film.mp4", FILM_FRAMES)
        self.cameras = {
            "door": CameraSettings(source="synthetic:bus?fps=30&width=160&height=120", encoding="raw"),
            "film": CameraSettings(source=str(film), encoding="raw", max_backlog_bytes=20 * 160 * 120 * 3),
        }
        self.captures = {
            name: build_capture(name, settings, open_broker(url), events_kept=1000)
            for name, settings in self.cameras.items()
        }
        self.registry = Registry(open_broker(url))
        self.worker = FrameConsumer(open_broker(url), "worker")
        tracker = open_broker(url)
        reader = PoseConsumer(tracker, "tracker", RetentionSettings())
        self.tracker = TrackStage(tracker, reader, "tracker", TrackerSettings())
        self.plain = posebus.subscribe(url, after="start")
        self.grouped = posebus.subscribe(url, after="start", group="app")
        self.kept: list[FrameEntry] = []
        self.seen: list[posebus.Message] = []
        self.seen_by_group: list[posebus.Message] = []

    def step(self) -> None:
        """Let each part do a little; while the broker is away, it does nothing."""
        for act in (*(capture.step for capture in self.captures.values()), self.work, self.tracker.step, self.read):
            try:
                act(time.monotonic())
            except BrokerUnavailable:
                time.sleep(0.01)

    def work(self, now_s: float) -> None:
        """Answer the frames of the step before: so some are always in flight, as in a real worker."""
        for entry in self.kept:
            self.worker.commit([answer(entry)])
        self.kept = []
        self.kept = self.worker.read([record.camera for record in self.registry.cameras()], 2, None)

    def read(self, now_s: float) -> None:
        self.seen += self.plain.poll(0.001)
        for message in self.grouped.poll(0.001):
            self.seen_by_group.append(message)
            self.grouped.acknowledge(message)

    def epochs(self, camera: str, messages: list[posebus.Message]) -> set[int]:
        return {one.body.epoch for one in messages if one.camera == camera and isinstance(one.body, posebus.TrackFrame)}

    def newest_epochs(self) -> list[int]:
        """The newest epoch of each camera that each subscriber has tracks of; 0: of none."""
        received = (self.seen, self.seen_by_group)
        return [max(self.epochs(camera, messages), default=0) for camera in self.cameras for messages in received]

    def close(self) -> None:
        for capture in self.captures.values():
            capture.close()
        self.tracker.close()
        self.plain.close()
        self.grouped.close()


def answer(entry: FrameEntry) -> PoseResult:
    frame = entry.body
    if isinstance(frame, EndOfStream):
        return PoseResult(entry, frame)
    assert isinstance(frame, Frame)
    source = Provenance(frame.clock, frame.delivery, frame_published_at_ns=frame.published_at_ns)
    poses = replace(pose_frame(0, frame.camera), epoch=frame.epoch, seq=frame.seq, captured_at_ns=frame.captured_at_ns)
    return PoseResult(entry, poses, source)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    with Server(tmp_path / "broker", "--save", "") as running:
        yield running


def flush(server: Server) -> None:
    server.client().flushall()


def restart_empty(server: Server) -> None:
    server.kill()
    server.start()


@pytest.mark.parametrize("lose", [flush, restart_empty])
def test_everything_goes_on_after_the_broker_lost_its_memory(
    server: Server, tmp_path: Path, lose: Callable[[Server], None]
) -> None:
    deployment = Deployment(server.url, tmp_path)
    try:
        wait_until(
            lambda: all(deployment.newest_epochs()) and any(entry.camera == "film" for entry in deployment.kept),
            "tracks of both cameras, and a frame in flight",
            meanwhile=deployment.step,
            poll_s=0.0,
        )
        before = deployment.newest_epochs()
        lose(server)
        wait_until(
            lambda: all(new > old for new, old in zip(deployment.newest_epochs(), before, strict=True)),
            "tracks of new epochs",
            meanwhile=deployment.step,
            poll_s=0.0,
        )
        assert {record.camera for record in deployment.registry.cameras()} == set(deployment.cameras)
    finally:
        deployment.close()
    for messages in (deployment.seen, deployment.seen_by_group):
        frames = [one.body for one in messages if isinstance(one.body, posebus.TrackFrame)]
        keys = [(frame.camera, frame.epoch, frame.seq) for frame in frames]
        assert len(keys) == len(set(keys)), "a consumer would take the second for a duplicate"
        ids = [one.body.id for one in messages if isinstance(one.body, posebus.Event)]
        assert len(ids) == len(set(ids))
    online = [one.body for one in deployment.seen if one.kind == "events" and one.body.type.endswith("online")]
    assert len({event.id for event in online}) >= 4
