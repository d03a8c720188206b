"""The WebSocket of the wall with a real broker: pictures with the tracks of the same frame, for those who look."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from starlette.testclient import TestClient, WebSocketTestSession

from posebus.config.settings import Settings
from tests.contract.conftest import client_of
from tests.numbered_camera import NumberedCamera, number_in
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
    ended = threading.Event()

    def play() -> None:
        while not ended.wait(0.02):
            for camera in cameras:
                camera.step(**arguments)

    thread = threading.Thread(target=play)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


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
