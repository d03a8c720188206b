"""The capture stage between real sources and a real broker."""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ingest.capture import CaptureStage
from ingest.process import build_capture
from posebus.bus.redis.connection import Broker, open_broker
from posebus.bus.registry import Registry
from posebus.config.settings import CameraSettings
from posebus.contract.codec import decode_frame
from posebus.messages import EndOfStream, Frame
from posebus.runtime.embedded import EmbeddedBroker
from posebus.telemetry.report_json import report_to_json
from tests.integration.made_videos import LEVELS, make_video
from tests.integration.rtsp_server import RtspServer
from tests.polling import wait_until

CAMERA = "door"


@pytest.fixture
def broker() -> Iterator[Broker]:
    with EmbeddedBroker() as url:
        yield open_broker(url)


def step_until(stage: CaptureStage, happened: Callable[[], bool]) -> bool:
    """Step until the condition holds, and return the last result of `step`."""
    more = True

    def step() -> None:
        nonlocal more
        more = stage.step(time.monotonic())

    wait_until(lambda: not more or happened(), lambda: f"it happens; {stage.report()}", meanwhile=step, poll_s=0.0)
    return more


def frames_of(broker: Broker) -> list[Frame | EndOfStream]:
    entries = broker.client.xrange(broker.topology.frames(CAMERA))
    return [decode_frame(fields) for _, fields in entries]


def events_of(broker: Broker) -> list[dict[str, object]]:
    entries = broker.client.xrange(broker.topology.events(broker.topology.shard(CAMERA)))
    return [json.loads(fields[b"data"]) for _, fields in entries]


def kinds(broker: Broker) -> list[str]:
    """Return the kinds of all events but gaps: a busy machine may lose a picture."""
    found = [str(event["type"]).removeprefix("posebus.camera.") for event in events_of(broker)]
    return [kind for kind in found if kind != "gap"]


def test_file_waits_for_slow_workers_and_loses_nothing(broker: Broker, tmp_path: Path) -> None:
    path = make_video(tmp_path / "a.mp4", 100)
    settings = CameraSettings(source=str(path), encoding="raw", max_backlog_bytes=10 * 160 * 120 * 3)
    stage = build_capture(CAMERA, settings, broker, events_kept=100)
    key = broker.topology.frames(CAMERA)
    taken: list[Frame | EndOfStream] = []
    most = 0
    more = True
    while more:
        more = stage.step(time.monotonic())
        most = max(most, broker.client.xlen(key))
        if broker.client.xlen(key) > 5:
            for entry_id, fields in broker.client.xrange(key, count=3):
                taken.append(decode_frame(fields))
                broker.client.xdel(key, entry_id)
    stage.close()
    taken += frames_of(broker)
    assert [item.seq for item in taken] == list(range(101))
    assert isinstance(taken[-1], EndOfStream)
    assert most <= 11
    shown = [round((sum(item.data) / len(item.data) - 16) / 8) for item in taken if isinstance(item, Frame)]
    assert shown == [number % LEVELS for number in range(100)]


def test_a_live_camera_without_workers_stays_within_its_budget_and_marks_skipped_frames(broker: Broker) -> None:
    settings = CameraSettings(source="synthetic:bus?fps=60&width=320&height=240", max_backlog_bytes=150_000)
    stage = build_capture(CAMERA, settings, broker, events_kept=100)
    step_until(stage, lambda: stage.report().captures[CAMERA].frames >= 40)
    stage.drain()
    stage.close()
    frames = [frame for frame in frames_of(broker) if isinstance(frame, Frame)]
    assert sum(len(frame.data) for frame in frames) <= 150_000
    assert frames[-1].seq == stage.report().captures[CAMERA].frames - 1
    assert broker.client.xlen(broker.topology.poses(CAMERA)) == frames[0].seq
    assert kinds(broker) == ["online", "offline"]


def test_a_camera_that_reconnects_starts_a_new_epoch_without_wrong_pictures(broker: Broker) -> None:
    server = RtspServer()
    settings = CameraSettings(
        source=server.url.replace("rtsp://", "rtsp://admin:hunter2@"),
        encoding="raw",
        read_timeout_s=1.0,
        reconnect_min_s=0.05,
        reconnect_max_s=0.2,
        max_backlog_bytes=100_000_000,
    )
    stage = build_capture(CAMERA, settings, broker, events_kept=100)
    step_until(stage, lambda: stage.report().captures[CAMERA].frames >= 10)
    server.stalled = True
    step_until(stage, lambda: kinds(broker) == ["online", "offline"])
    server.close()
    step_until(stage, lambda: "refuses" in str(stage.report().captures[CAMERA].trouble))
    again = RtspServer(port=server.port, size_px=(320, 240))
    first = int(broker.client.get(broker.topology.epoch(CAMERA)) or 0)
    step_until(stage, lambda: int(broker.client.get(broker.topology.epoch(CAMERA)) or 0) == first + 1)
    step_until(stage, lambda: len(frames_of(broker)) >= 25)
    report = stage.report()
    stage.drain()
    stage.close()
    again.close()
    assert kinds(broker) == ["online", "offline", "online", "offline"]
    frames = [frame for frame in frames_of(broker) if isinstance(frame, Frame)]
    assert {(frame.epoch, frame.size_px) for frame in frames} == {(first, (160, 120)), (first + 1, (320, 240))}
    for earlier, later in itertools.pairwise(frames):
        assert (later.epoch, later.seq) in {(earlier.epoch, earlier.seq + 1), (earlier.epoch + 1, 0)}
        assert later.captured_at_ns > earlier.captured_at_ns
        assert later.data != earlier.data
    assert "hunter2" not in json.dumps(events_of(broker)) + json.dumps(report_to_json(report))


def test_pictures_are_reduced_to_the_largest_inference_size(broker: Broker, tmp_path: Path) -> None:
    path = make_video(tmp_path / "a.mp4", 300, size_px=(320, 240))
    stage = build_capture(CAMERA, CameraSettings(source=str(path), realtime=True, loop=True), broker, events_kept=100)
    registry = Registry(broker)

    def sizes_px() -> list[tuple[int, int]]:
        return [frame.image_size_px for frame in frames_of(broker) if isinstance(frame, Frame)]

    step_until(stage, lambda: len(sizes_px()) >= 3)
    registry.report("small", "worker", {"ready": True, "imgsz": 160})
    step_until(stage, lambda: sizes_px()[-1] == (160, 120))
    registry.report("large", "worker", {"ready": True, "imgsz": 224})
    step_until(stage, lambda: sizes_px()[-1] == (224, 168))
    stage.close()
    assert set(sizes_px()) == {(320, 240), (160, 120), (224, 168)}
    assert {frame.size_px for frame in frames_of(broker) if isinstance(frame, Frame)} == {(320, 240)}


def test_a_recording_keeps_the_size_with_which_it_started(broker: Broker, tmp_path: Path) -> None:
    path = make_video(tmp_path / "a.mp4", 60, size_px=(320, 240))
    Registry(broker).report("small", "worker", {"ready": True, "imgsz": 160})
    stage = build_capture(CAMERA, CameraSettings(source=str(path)), broker, events_kept=100)
    step_until(stage, lambda: len(frames_of(broker)) >= 3)
    Registry(broker).report("large", "worker", {"ready": True, "imgsz": 320})
    step_until(stage, lambda: isinstance(frames_of(broker)[-1], EndOfStream))
    stage.close()
    assert {frame.image_size_px for frame in frames_of(broker) if isinstance(frame, Frame)} == {(160, 120)}


def test_the_address_of_a_camera_is_never_stored_in_the_broker(broker: Broker) -> None:
    settings = CameraSettings(source="rtsp://admin:hunter2@127.0.0.1:1/live", reconnect_min_s=0.05)
    stage = build_capture(CAMERA, settings, broker, events_kept=100)
    step_until(stage, lambda: kinds(broker) == ["offline"])
    stage.close()
    for key in broker.client.keys("*"):
        assert b"hunter2" not in (broker.client.dump(key) or b"")
