"""A thousand malformed and hostile uploads: each gets a sentence, and neither the wall nor other pages notice them."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator

import pytest
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from posebus.bus.redis.connection import open_broker
from posebus.config.settings import Settings
from tests.contract.test_browser_camera import JPEG, PERSON, begin, picture, poses
from wall.app import application
from wall.context import WallContext

UPLOADS = 1000


def hundred_megapixels() -> bytes:
    """A JPEG file whose header says 10000x10000."""
    data = bytearray(JPEG)
    at = data.index(b"\xff\xc0")
    data[at + 5 : at + 9] = (10_000).to_bytes(2) * 2
    return bytes(data)


HUGE = hundred_megapixels()
KINDS: tuple[Callable[[random.Random], bytes | str], ...] = (
    lambda rng: rng.randbytes(rng.randrange(3000)),
    lambda rng: rng.randbytes(rng.randrange(200)).decode("latin-1"),
    lambda rng: picture(1, HUGE, width=10_000, height=10_000),
    lambda rng: picture(1, JPEG[: rng.randrange(len(JPEG))]),
    lambda rng: picture(1, width=rng.choice([0, -1, 65, 10**9, "64", None, [64]])),
    lambda rng: picture(1, captured_at_ms=rng.choice([float("nan"), float("inf"), -1, 10**400, {}])),
    lambda rng: picture(1)[: rng.randrange(120)],
    lambda rng: (2**32 - 1 - rng.randrange(10)).to_bytes(4, "little") + rng.randbytes(100),
    lambda rng: "[" * rng.randrange(1, 30_000),
    lambda rng: json.dumps(poses(1, {**PERSON, "score": rng.choice([2, "x", None, float("nan")])})),
    lambda rng: json.dumps({"type": rng.choice(["start", "ack", "", None, {}, "x" * 30_000])}),
    lambda rng: json.dumps(poses(1, *[PERSON] * 60)),
    lambda rng: "9" * rng.randrange(1, 20_000),
)


@pytest.fixture
def hostile_wall(redis_server: str) -> Iterator[TestClient]:
    open_broker(redis_server).client.flushall()
    with TestClient(application(WallContext(Settings(redis=redis_server)))) as client:
        yield client


def test_a_thousand_hostile_uploads_harm_nobody(hostile_wall: TestClient, redis_server: str) -> None:
    rng, sent, connections = random.Random(7), 0, 0
    with hostile_wall.websocket_connect("/ws/camera") as other:
        begin(other, "pictures", page="f" * 16)
        while sent < UPLOADS:
            connections += 1
            with hostile_wall.websocket_connect("/ws/camera") as socket:
                begin(socket, rng.choice(["pictures", "poses"]), page=f"{connections:016x}")
                try:
                    while sent < UPLOADS:
                        message = rng.choice(KINDS)(rng)
                        sent += 1
                        if isinstance(message, bytes):
                            socket.send_bytes(message)
                        else:
                            socket.send_text(message)
                        answer = socket.receive_json()
                        assert answer["type"] == "problem", (message, answer)
                        assert answer["sentence"]
                except WebSocketDisconnect:
                    pass  # after twenty in a row
            other.send_bytes(picture(connections))
            assert other.receive_json()["seq"] == connections - 1
    assert connections >= 2
    broker = open_broker(redis_server)
    keys = [key.decode() for key in broker.client.keys("posebus:*")]
    frames = {key: broker.client.xlen(key) for key in keys if ":frames:" in key or ":poses:" in key}
    assert sum(frames.values()) == connections, "only those of the other page"


@pytest.mark.parametrize(
    "first", ["{}", "", "[]", '{"type": "stop"}', '{"type": "start", "mode": "pictures", "page": 1}']
)
def test_a_connection_that_does_not_begin_as_a_camera_is_closed_with_a_sentence(
    first: str, hostile_wall: TestClient
) -> None:
    with hostile_wall.websocket_connect("/ws/camera") as socket:
        socket.send_text(first)
        assert socket.receive_json()["final"]
        with pytest.raises(WebSocketDisconnect):
            socket.receive_json()


def test_no_further_page_is_a_camera_where_there_are_too_many(
    hostile_wall: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("wall.browser_camera.cameras.MAX_CAMERAS", 1)
    with hostile_wall.websocket_connect("/ws/camera") as one, hostile_wall.websocket_connect("/ws/camera") as other:
        assert begin(one, "poses")["type"] == "started"
        assert begin(other, "poses", page="f" * 16)["sentence"].startswith("1 browsers are cameras here already")
