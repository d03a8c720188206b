"""The WebSocket of the wall with a real broker: pictures with the tracks of the same frame, for those who look."""

from __future__ import annotations

import json
import random
import shutil
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import samples
from starlette.testclient import TestClient, WebSocketTestSession

from posebus.config.settings import Settings
from posebus.contract.public_json import event_fields
from tests.conftest import start_redis_server
from tests.contract.conftest import client_of
from tests.numbered_camera import NumberedCamera, jpeg_of, number_in
from tests.polling import wait_until
from tests.repeating import repeated
from wall.access.people import Role, Visitor
from wall.app import application
from wall.context import WallContext


@pytest.fixture
def url(redis_server: str) -> str:
    client_of(redis_server).flushall()
    return redis_server


@pytest.fixture
def wall(url: str) -> Iterator[TestClient]:
    with TestClient(application(WallContext(Settings(redis=url)))) as client:
        yield client


@contextmanager
def playing(*cameras: NumberedCamera, **arguments: Any) -> Iterator[None]:
    """Cameras deliver 50 frames a second until the context ends."""

    def play() -> None:
        for camera in cameras:
            camera.step(**arguments)

    with repeated(play, 0.02):
        yield


class Page:
    """One page: reads its messages, and confirms frames."""

    def __init__(self, socket: WebSocketTestSession) -> None:
        self.socket = socket

    def watch(self, *cameras: str, width_px: int = 640, pictures: bool = True) -> None:
        tiles = [{"camera": one, "width_px": width_px, "pictures": pictures} for one in cameras]
        self.socket.send_json({"type": "watch", "tiles": tiles, "max_fps": 30})

    def until(self, wanted: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """Return the first JSON message that is wanted."""
        while True:
            message = self.socket.receive()
            if message.get("text") is not None and wanted(found := json.loads(message["text"])):
                return dict(found)
            assert message["type"] == "websocket.send", message

    def frame(self, *, confirm: bool = True) -> tuple[dict[str, Any], bytes]:
        """Return the header of the next frame, and its picture."""
        while True:
            message = self.socket.receive()
            assert message["type"] == "websocket.send", message
            data = message.get("bytes")
            if data is None:
                continue
            size = int.from_bytes(data[:4], "little")
            header = json.loads(data[4 : 4 + size])
            if confirm:
                shown = {key: header[key] for key in ("camera", "epoch", "seq")}
                self.socket.send_json({"type": "shown", **shown})
            return header, data[4 + size :]


@contextmanager
def page(wall: TestClient) -> Iterator[Page]:
    with wall.websocket_connect("/ws") as socket:
        opened = Page(socket)
        hello = json.loads(socket.receive()["text"])
        assert (hello["type"], hello["privacy"]) == ("hello", "heads")
        yield opened


@pytest.mark.parametrize("width_px", [640, 320, 100])
def test_picture_and_tracks_are_of_one_frame_at_every_size(url: str, wall: TestClient, width_px: int) -> None:
    camera = NumberedCamera(url)
    with playing(camera), page(wall) as viewer:
        viewer.watch("door", width_px=width_px)
        for _ in range(20):
            header, jpeg = viewer.frame()
            if header["picture"] is not None:
                assert number_in(jpeg) == header["seq"]
                assert header["blurred"]
                assert header["picture"][0] <= width_px / 0.75
        assert header["picture"] is not None


def test_first_picture_is_sent_to_a_page_that_opens(url: str, wall: TestClient) -> None:
    with playing(NumberedCamera(url)), page(wall) as viewer:
        cameras = viewer.until(lambda one: one["type"] == "cameras")["cameras"]
        assert [(one["name"], one["state"]) for one in cameras] == [("door", "no ingest")]
        viewer.watch("door")
        header, jpeg = viewer.frame()
        assert number_in(jpeg) == header["seq"]


def test_skeletons_alone_come_for_every_frame_and_no_picture_is_read(url: str, wall: TestClient) -> None:
    camera = NumberedCamera(url)
    with page(wall) as viewer, Commands(url) as commands, playing(camera, picture=False):
        viewer.watch("door", pictures=False)
        headers = [viewer.frame()[0] for _ in range(10)]
    assert all(header["picture"] is None and header["tracks"] for header in headers)
    assert any("tracks:door" in one for one in commands.found)
    assert not any("frames:door" in one for one in commands.found)


def test_wall_that_nobody_looks_at_asks_the_broker_for_nothing_and_keeps_nothing(url: str, wall: TestClient) -> None:
    camera = NumberedCamera(url)
    with page(wall) as viewer, playing(camera):
        viewer.watch("door")
        viewer.frame()
    client = client_of(url)
    keys = set(client.keys())
    wait_until(lambda: not any("xread" in one["cmd"] for one in client.client_list()), "the end of all reading")
    with Commands(url) as commands:
        camera.step()
        time.sleep(0.5)
    assert not [one for one in commands.found if "XREAD" in one]
    assert set(client.keys()) == keys
    assert client.xlen("posebus:{0}:frames:door") == 0


class Commands:
    """The commands that a broker gets until the context ends."""

    def __init__(self, url: str) -> None:
        self.found: list[str] = []
        self._client = client_of(url)
        self._url = url
        self._thread = threading.Thread(target=self._listen)
        self._listening = threading.Event()

    def __enter__(self) -> Commands:
        self._thread.start()
        assert self._listening.wait(60)
        return self

    def __exit__(self, *_: object) -> None:
        client_of(self._url).echo("the end")
        self._thread.join()

    def _listen(self) -> None:
        with self._client.monitor() as monitor:
            self._listening.set()
            for one in monitor.listen():
                if "the end" in one["command"]:
                    return
                self.found.append(one["command"])


def test_role_without_pictures_gets_skeletons_whatever_the_page_asks_for(
    url: str, wall: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("wall.live.socket.person_of", lambda _: Visitor("guard", Role.PRIVACY_VIEWER))
    with playing(NumberedCamera(url)), page(wall) as viewer:
        viewer.watch("door", pictures=True)
        for _ in range(5):
            header, jpeg = viewer.frame()
            assert (header["picture"], jpeg) == (None, b"")


def test_page_that_confirms_nothing_gets_two_frames_and_delays_nobody(url: str, wall: TestClient) -> None:
    with playing(NumberedCamera(url)), page(wall) as slow, page(wall) as quick:
        slow.watch("door")
        quick.watch("door")
        first = [slow.frame(confirm=False)[0]["seq"] for _ in range(2)]
        newest = [quick.frame()[0]["seq"] for _ in range(20)][-1]
        slow.socket.send_json({"type": "shown", "camera": "door", "epoch": 1, "seq": first[1]})
        # The next one is the newest there is, not the one after those that it has.
        assert slow.frame()[0]["seq"] >= newest > first[1] + 1


def test_camera_whose_pictures_cannot_be_decoded_is_shown_by_its_skeletons(url: str, wall: TestClient) -> None:
    with playing(NumberedCamera(url), data=b"no picture"), page(wall) as viewer:
        viewer.watch("door")
        header, jpeg = viewer.frame()
        assert (header["picture"], jpeg) == (None, b"")
        assert header["tracks"]


def test_camera_that_sends_no_pictures_is_shown_by_its_skeletons(url: str, wall: TestClient) -> None:
    with playing(NumberedCamera(url), picture=False), page(wall) as viewer:
        viewer.watch("door")
        assert viewer.frame()[0]["picture"] is None


def test_camera_without_privacy_is_shown_as_it_is(url: str, wall: TestClient) -> None:
    with playing(NumberedCamera(url, privacy="none")), wall.websocket_connect("/ws") as socket:
        viewer = Page(socket)
        viewer.watch("door")
        header, jpeg = viewer.frame()
        assert not header["blurred"]
        assert jpeg == jpeg_of(header["seq"])


def test_events_come_to_all_pages_with_what_the_rules_of_the_camera_are(url: str, wall: TestClient) -> None:
    rules = {"yard": {"kind": "zone", "points": [[0, 0], [1, 0], [1, 1]]}, "many": {"kind": "crowd", "people": 3}}
    NumberedCamera(url, rules=rules)
    with page(wall) as one, page(wall) as other:
        (camera,) = one.until(lambda found: found["type"] == "cameras")["cameras"]
        assert camera["rules"] == [
            {"name": "yard", "kind": "zone", "shape": "polygon", "points": [[0, 0], [1, 0], [1, 1]]}
        ]
        for _ in range(20):  # until the readers follow the stream
            client_of(url).xadd("posebus:{0}:events", event_fields(samples.event()))
            time.sleep(0.05)
        for viewer in (one, other):
            found = viewer.until(lambda found: found["type"] == "event")["event"]
            assert (found["specversion"], found["id"]) == ("1.0", samples.event().id)


def hostile(rng: random.Random) -> dict[str, Any]:
    """Return a message that no page of ours sends."""
    texts = [
        "", "null", "[" * 5000, '{"type":"watch"}', '{"type":"watch","tiles":[{}],"max_fps":1}', "\ud800", "\x00" * 50,
        '{"type":"shown","camera":"door","epoch":1,"seq":99999999999999999999}', "9" * 9000, '{"type":' * 500,
        '{"type":"watch","tiles":[{"camera":"../../etc","width_px":1,"pictures":true}],"max_fps":1e308}',
        '{"type":"follow","deployment":"yes"}', '{"type":"hello"}', "x" * 70_000,
    ]  # fmt: skip
    if rng.random() < 0.3:
        return {"type": "websocket.receive", "bytes": rng.randbytes(rng.randrange(2000))}
    return {"type": "websocket.receive", "text": rng.choice(texts)}


def test_hostile_messages_end_their_own_connection_and_nothing_else(
    url: str, wall: TestClient, caplog: pytest.LogCaptureFixture
) -> None:
    rng, sent, refused = random.Random(1), 0, 0
    with playing(NumberedCamera(url)), page(wall) as viewer:
        viewer.watch("door")
        while sent < 1000:
            with wall.websocket_connect("/ws") as socket:
                for _ in range(50):
                    socket.send(hostile(rng))
                    sent += 1
                while (message := socket.receive())["type"] != "websocket.close":
                    assert message["type"] == "websocket.send"
                assert message["code"] == 1008
                refused += 1
            viewer.frame()
        seq = viewer.frame()[0]["seq"]
        assert viewer.frame()[0]["seq"] > seq
    assert refused == 20
    assert not [record for record in caplog.records if record.levelname in ("ERROR", "WARNING")]


def test_page_learns_that_the_broker_is_gone_and_back_and_goes_on(tmp_path: Path) -> None:
    program = shutil.which("redis-server")
    assert program is not None
    process, url = start_redis_server(program, tmp_path)
    port = url.rpartition(":")[2].partition("/")[0]
    with TestClient(application(WallContext(Settings(redis=url)))) as wall, page(wall) as viewer:
        with playing(NumberedCamera(url)):
            viewer.watch("door")
            viewer.frame()
        process.kill()
        process.wait()
        gone = viewer.until(lambda one: one["type"] == "broker")
        assert (gone["there"], "broker" in gone["sentence"]) == (False, True)
        again = subprocess.Popen([program, "--port", port, "--bind", "127.0.0.1", "--save", "", "--dir", str(tmp_path)])
        try:
            assert viewer.until(lambda one: one["type"] == "broker")["there"]
            with playing(NumberedCamera(url)):
                header, jpeg = viewer.frame()
                while header["picture"] is None:
                    header, jpeg = viewer.frame()
                assert number_in(jpeg) == header["seq"]
        finally:
            again.kill()
            again.wait()


def test_wall_with_the_rights_of_a_subscriber_shows_skeletons_and_says_why(url: str) -> None:
    admin = client_of(url)
    keys = [f"~posebus:{{0}}:{kind}" for kind in ("tracks:*", "events", "cameras", "processes")]
    admin.execute_command("ACL", "SETUSER", "looker", "on", ">secret", "+@all", *keys)
    try:
        own = url.replace("redis://", "redis://looker:secret@")
        served = TestClient(application(WallContext(Settings(redis=own))))
        with served as wall, playing(NumberedCamera(url)), page(wall) as viewer:
            viewer.watch("door")
            assert viewer.frame()[0]["picture"] is None
            sentence = viewer.until(lambda one: one["type"] == "problem")["sentence"]
        assert sentence.startswith("the wall shows skeletons alone: ")
        assert "secret" not in sentence
    finally:
        admin.execute_command("ACL", "DELUSER", "looker")
