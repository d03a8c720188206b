"""A browser as a camera of a deployment: what its page sends, and what other processes find in a real broker."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest
import simplejpeg
from numpy import zeros
from starlette.testclient import TestClient, WebSocketTestSession

from posebus.bus.lease import Lease
from posebus.bus.redis.connection import Broker, open_broker
from posebus.bus.registry import CameraRecord, Registry
from posebus.config.settings import CameraSettings, Settings
from posebus.contract.codec import decode_frame, decode_poses
from posebus.messages import CaptureClock, Delivery, EndOfStream, Frame, PoseFrame
from posebus.telemetry.process_report import CaptureReport
from posebus.telemetry.reports import capture_of, process_reports
from tests.polling import wait_until
from wall.app import application
from wall.browser_camera import cameras as all_cameras
from wall.context import WallContext

PAGE = "0123456789abcdef"
JPEG = simplejpeg.encode_jpeg(zeros((48, 64, 3), "uint8"), quality=80, colorspace="BGR")
PERSON = {"score": 0.9, "box": [10, 5, 30, 45], "keypoints": [[20.0, 10.5, 0.8]] * 17}


@pytest.fixture
def broker(redis_server: str) -> Broker:
    broker = open_broker(redis_server)
    broker.client.flushall()
    return broker


@pytest.fixture
def wall(redis_server: str, broker: Broker, monkeypatch: pytest.MonkeyPatch) -> Iterator[TestClient]:
    monkeypatch.setattr(all_cameras, "BEAT_S", 0.05)
    settings = Settings(redis=redis_server, cameras={"browser-desk": CameraSettings(source="video.mp4")})
    with TestClient(application(WallContext(settings))) as client:
        yield client


def begin(socket: WebSocketTestSession, mode: str, name: str | None = None, page: str = PAGE) -> dict[str, Any]:
    socket.send_json({"type": "start", "mode": mode, "name": name, "page": page})
    answer: dict[str, Any] = socket.receive_json()
    return answer


def picture(seq: int, jpeg: bytes = JPEG, **changes: object) -> bytes:
    now_ms = time.time() * 1000
    values = {"seq": seq, "captured_at_ms": now_ms - 20, "sent_at_ms": now_ms, "width": 64, "height": 48}
    header = json.dumps({**values, **changes}).encode()
    return len(header).to_bytes(4, "little") + header + jpeg


def poses(seq: int, *people: object, **changes: object) -> dict[str, object]:
    now_ms = time.time() * 1000
    values = {"seq": seq, "captured_at_ms": now_ms - 20, "sent_at_ms": now_ms, "width": 64, "height": 48}
    return {"type": "poses", **values, "people": people, **changes}


def report(broker: Broker) -> CaptureReport:
    return capture_of(process_reports(Registry(broker)), "browser-1")


def events(broker: Broker) -> list[tuple[str, str | None]]:
    found = [json.loads(fields[b"data"]) for _, fields in broker.client.xrange(broker.topology.events(0))]
    return [(event["type"].removeprefix("posebus.camera."), event["data"].get("reason")) for event in found]


def test_pictures_of_a_page_become_frames_of_a_live_camera(wall: TestClient, broker: Broker) -> None:
    with wall.websocket_connect("/ws/camera") as socket:
        assert begin(socket, "pictures")["camera"] == "browser-1"
        began_ns = time.time_ns()
        for seq in range(3):
            socket.send_bytes(picture(seq + 7))
            ack = socket.receive_json()
            assert (ack["type"], ack["frame"], ack["seq"]) == ("ack", seq + 7, seq)
        frames = [decode_frame(fields) for _, fields in broker.client.xrange(broker.topology.frames("browser-1"))]
        assert [frame.seq for frame in frames] == [0, 1, 2]
        for frame in frames:
            assert isinstance(frame, Frame)
            assert (frame.epoch, frame.data, frame.size_px) == (ack["epoch"], JPEG, (64, 48))
            assert (frame.clock, frame.delivery) == (CaptureClock.ARRIVAL, Delivery.LIVE)
            assert began_ns - 50_000_000 < frame.captured_at_ns <= frame.published_at_ns
        record = Registry(broker).camera("browser-1")
        assert record is not None
        assert (record.source, record.delivery) == ("browser", Delivery.LIVE)
        wait_until(lambda: (report(broker).state, report(broker).frames) == ("online", 3), "the report")
    wait_until(lambda: report(broker).state == "offline", "the report that it is offline")
    assert events(broker) == [("online", None), ("offline", "its page was closed")]


def test_poses_of_a_page_go_to_the_tracker_and_no_picture_is_anywhere(wall: TestClient, broker: Broker) -> None:
    with wall.websocket_connect("/ws/camera") as socket:
        assert begin(socket, "poses", "phone")["camera"] == "browser-phone"
        socket.send_json(poses(0, PERSON, {**PERSON, "box": [40, 5, 60, 47]}))
        assert socket.receive_json()["seq"] == 0
        socket.send_json(poses(1, imgsz=320, inference_ms=12.5))
        assert socket.receive_json()["seq"] == 1
        socket.send_bytes(picture(2))
        answer = socket.receive_json()
        assert answer["type"] == "problem"
        assert answer["sentence"] == "this camera sends poses, and nothing else"
    entries = [decode_poses(fields) for _, fields in broker.client.xrange(broker.topology.poses("browser-phone"))]
    (first, _), (second, provenance) = entries
    assert isinstance(first, PoseFrame)
    assert isinstance(second, PoseFrame)
    assert first.boxes_xyxy_px.tolist() == [[10, 5, 30, 45], [40, 5, 60, 47]]
    assert first.keypoints_px is not None
    assert first.keypoints_px.shape == (2, 17, 3)
    assert first.keypoints_px[1, 3].tolist() == pytest.approx([20.0, 10.5, 0.8])
    assert len(second.scores) == 0
    assert (str(provenance.view), provenance.inference_ns, provenance.delivery) == ("320", 12_500_000, Delivery.LIVE)
    assert broker.client.xlen(broker.topology.frames("browser-phone")) == 0


def test_a_page_that_stops_ends_its_source_and_is_listed_no_more(wall: TestClient, broker: Broker) -> None:
    key = broker.topology.frames("browser-1")
    with wall.websocket_connect("/ws/camera") as socket:
        begin(socket, "pictures")
        socket.send_bytes(picture(0))
        socket.receive_json()
        socket.send_json({"type": "stop"})
    wait_until(lambda: broker.client.xlen(key) == 2, "the end of the source")
    assert isinstance(decode_frame(broker.client.xrange(key)[-1][1]), EndOfStream)
    assert Registry(broker).camera("browser-1") is not None, "its last frames wait for a worker"
    broker.client.xtrim(key, maxlen=0)
    wait_until(lambda: Registry(broker).camera("browser-1") is None, "the camera to be listed no more")
    assert events(broker) == [("online", None), ("offline", "the person stopped it")]
    wait_until(lambda: broker.client.ttl(broker.topology.checkpoint("browser-1")) > 0, "keys that expire")
    assert 86_000 < broker.client.ttl(broker.topology.checkpoint("browser-1")) <= 86_400
    with wall.websocket_connect("/ws/camera") as socket:
        begin(socket, "poses")
        assert broker.client.ttl(broker.topology.checkpoint("browser-1")) == -1, "it is back, so nothing is forgotten"


def test_a_page_that_does_not_come_back_ends_after_a_while(
    wall: TestClient, broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(all_cameras, "AWAY_S", 0.2)
    with wall.websocket_connect("/ws/camera") as socket:
        begin(socket, "poses")
        socket.send_json(poses(0, PERSON))
        socket.receive_json()
    key = broker.topology.poses("browser-1")
    wait_until(lambda: broker.client.xlen(key) == 2, "the end of the source")
    end, _ = decode_poses(broker.client.xrange(key)[-1][1])
    assert isinstance(end, EndOfStream), "the end of poses goes to the tracker, like the poses"


def test_a_page_that_comes_back_goes_on_as_the_same_camera(wall: TestClient, broker: Broker) -> None:
    with wall.websocket_connect("/ws/camera") as socket:
        begin(socket, "pictures")
        socket.send_bytes(picture(0))
        first = socket.receive_json()
    with wall.websocket_connect("/ws/camera") as socket:
        assert begin(socket, "pictures")["camera"] == "browser-1"
        socket.send_bytes(picture(1))
        second = socket.receive_json()
        assert second["epoch"] > first["epoch"], "what happened meanwhile is not known"
        with wall.websocket_connect("/ws/camera") as newer:
            assert begin(newer, "pictures")["camera"] == "browser-1"
            socket.send_bytes(picture(2))
            answer = socket.receive_json()
            assert answer["final"]
            assert answer["sentence"] == "camera browser-1 goes on in another connection"
            newer.send_bytes(picture(3))
            assert newer.receive_json()["type"] == "ack"
    assert [kind for kind, _ in events(broker)][:3] == ["online", "offline", "online"]


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("desk", "browser-desk is a camera of the configuration; choose another name"),
        ("hall", "browser-hall is a camera of the configuration; choose another name"),
        ("other", "another browser is the camera browser-other now; choose another name"),
        ("far", "another browser is the camera browser-far now; choose another name"),
        ("a b", "camera name 'browser-a b' is not allowed"),
    ],
)
def test_names_of_others_are_refused(
    name: str, sentence: str, wall: TestClient, broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(all_cameras, "TAKE_WITHIN_S", 0.1)
    Registry(broker).add_camera(CameraRecord("browser-hall", Delivery.LIVE, "rtsp"))
    far = Lease(broker, "browser-far", "ingest", "another wall", 60.0)
    assert far.acquire()
    with wall.websocket_connect("/ws/camera") as other, wall.websocket_connect("/ws/camera") as socket:
        assert begin(other, "pictures", "other")["type"] == "started"
        answer = begin(socket, "pictures", name, page="f" * 16)
        assert answer["type"] == "problem"
        assert answer["final"]
        assert answer["sentence"].startswith(sentence)


def test_another_process_that_takes_the_camera_ends_it_with_a_sentence(wall: TestClient, broker: Broker) -> None:
    with wall.websocket_connect("/ws/camera") as socket:
        begin(socket, "poses")
        socket.send_json(poses(0, PERSON))
        socket.receive_json()
        broker.client.set(broker.topology.lease("browser-1", "ingest"), b"somebody:9")
        socket.send_json(poses(1, PERSON))
        answer = socket.receive_json()
        assert answer["final"]
        assert answer["sentence"] == "another ingest process has camera browser-1 now"
    assert broker.client.xlen(broker.topology.poses("browser-1")) == 1, "all or nothing"


def test_cameras_of_a_wall_that_was_killed_end(
    redis_server: str, broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(all_cameras, "BEAT_S", 0.05)
    monkeypatch.setattr(all_cameras, "AWAY_S", 0.0)
    Registry(broker).add_camera(CameraRecord("browser-1", Delivery.LIVE, "browser"))
    Registry(broker).add_camera(CameraRecord("door", Delivery.LIVE, "rtsp"))
    with TestClient(application(WallContext(Settings(redis=redis_server)))):
        wait_until(lambda: [record.camera for record in Registry(broker).cameras()] == ["door"], "one camera")
