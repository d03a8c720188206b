"""A server that speaks the wall's protocol and plays made frames, so that the page is tested without a deployment.

`python -m tests.wall.front_mock --port 8090` serves it to try the page.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import struct
import sys
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.staticfiles import StaticFiles
from starlette.websockets import WebSocket, WebSocketDisconnect

from tests.wall.front_people import FLOOR_M, HEIGHT, WIDTH, keypoints_of, person_at, picture
from tests.wall.serving import served

STATIC = Path(__file__).resolve().parents[2] / "wall" / "static"
CSP = "default-src 'self'; img-src 'self' blob: data:; frame-ancestors 'none'"
OPERATOR = ["poses", "pictures", "send", "change"]
ACTIONS = (None, "walking", "standing", None, "waving", None)
RULES = [
    {
        "name": "desk",
        "kind": "zone",
        "shape": "polygon",
        "points": [[0.08, 0.6], [0.4, 0.58], [0.44, 0.92], [0.06, 0.95]],
    },
    {"name": "gate", "kind": "line", "shape": "line", "points": [[620, 330], [760, 520]]},
]


@dataclass
class Mock:
    """What the server says; tests change it while it runs. `down`: no page can connect. `password`: of the login."""

    cameras: list[dict[str, Any]]
    rights: list[str] = field(default_factory=lambda: list(OPERATOR))
    events: list[dict[str, Any]] = field(default_factory=list)
    password: str | None = None
    fps: float = 5.0
    down: bool = False
    heard: list[dict[str, Any]] = field(default_factory=list)
    sent: int = 0
    sockets: set[WebSocket] = field(default_factory=set)
    loop: asyncio.AbstractEventLoop | None = None

    def say(self, message: dict[str, Any]) -> None:
        """Send a message to all pages."""
        assert self.loop is not None
        for socket in list(self.sockets):
            asyncio.run_coroutine_threadsafe(socket.send_json(message), self.loop).result(5)

    def say_bytes(self, message: bytes) -> None:
        """Send a binary message to all pages."""
        assert self.loop is not None
        for socket in list(self.sockets):
            asyncio.run_coroutine_threadsafe(socket.send_bytes(message), self.loop).result(5)

    def say_cameras(self) -> None:
        """Send the list of cameras to all pages."""
        self.say({"type": "cameras", "cameras": self.cameras})

    def emit(self, kind: str, camera: str, **data: Any) -> None:
        """Make an event, keep it and send it to all pages."""
        event = event_of(len(self.events), kind, camera, time.time(), data)
        self.events.insert(0, event)
        self.say({"type": "event", "event": event})

    def hang_up(self) -> None:
        """Close the connections of all pages."""
        assert self.loop is not None
        for socket in list(self.sockets):
            with contextlib.suppress(Exception):
                asyncio.run_coroutine_threadsafe(socket.close(1012), self.loop).result(5)


def camera(name: str, **changes: Any) -> dict[str, Any]:
    """A camera that is online, with `changes`."""
    figures = {"fps_in": 10.0, "fps_out": 10.0, "age_ms": 85.0, "people": 3, "dropped": 0}
    plain = {"name": name, "source": "rtsp://10.0.0.7/stream", "state": "online", "trouble": None, **figures}
    return {**plain, "rules": [], "floor": None, **changes}


def event_of(number: int, kind: str, camera_name: str, at_s: float, data: dict[str, Any]) -> dict[str, Any]:
    """An event as the public contract has it."""
    when = datetime.fromtimestamp(at_s, UTC).isoformat().replace("+00:00", "Z")
    lineage = {"camera": camera_name, "epoch": 1, "seq": 10 * number}
    plain = {"specversion": "1.0", "id": f"event-{number}", "source": "/posebus", "type": f"posebus.{kind}"}
    return {**plain, "subject": camera_name, "time": when, "data": {**lineage, **data}}


def frame_message(name: str, seq: int, seconds: float, people: int, width: int | None, hue: int) -> bytes:
    """A binary message: the frame of that moment, with its picture if `width` is given."""
    tracks = []
    for number in range(1, people + 1):
        keypoints, box = keypoints_of(number, seconds)
        floor = person_at(number, seconds)[2:]
        shown = {"keypoints": keypoints, "action": ACTIONS[number % len(ACTIONS)], "floor": floor}
        tracks.append({"id": number + hue, "state": "confirmed", "box": box, **shown})
    size = None if width is None else [width, round(width * HEIGHT / WIDTH)]
    lineage = {"type": "frame", "camera": name, "epoch": 1, "seq": seq, "captured_at_ms": time.time() * 1000}
    header = {**lineage, "size": [WIDTH, HEIGHT], "picture": size, "blurred": True, "tracks": tracks}
    encoded = json.dumps(header).encode()
    jpeg = b"" if width is None else picture(hue * 23, people, seconds, width)
    return struct.pack("<I", len(encoded)) + encoded + jpeg


def application(mock: Mock) -> Starlette:
    """The pages, the WebSocket and the addresses that the page asks."""

    @contextlib.asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        mock.loop = asyncio.get_running_loop()
        yield

    async def page(_: Request) -> Response:
        return FileResponse(STATIC / "index.html", headers={"Content-Security-Policy": CSP})

    async def me(request: Request) -> Response:
        if mock.password is not None and request.cookies.get("session") != "yes":
            return JSONResponse({"sentence": "log in first"}, 401)
        return JSONResponse(person(mock))

    async def login(request: Request) -> Response:
        if (await request.json()).get("password") != mock.password:
            return JSONResponse({"sentence": "The name or the password is wrong."}, 401)
        answer = Response(status_code=204)
        answer.set_cookie("session", "yes")
        return answer

    async def events(request: Request) -> Response:
        wanted = request.query_params.get("camera")
        found = [event for event in mock.events if not wanted or event["data"]["camera"] == wanted]
        begin, count = int(request.query_params.get("before", 0)), int(request.query_params.get("count", 50))
        more = str(begin + count) if begin + count < len(found) else None
        return JSONResponse({"events": found[begin : begin + count], "before": more})

    async def event_picture(_: Request) -> Response:
        return Response(picture(90, 3, 5.0, 960), media_type="image/jpeg")

    async def explain(_: Request) -> Response:
        sentences = ["Frames of 960 x 540 are inferred at 640.", "The rate is 10 frames a second, as the camera sends."]
        return JSONResponse({"sentences": sentences, "details": {"imgsz": 640, "policy": "steady"}})

    routes = [
        Route("/", page),
        Route("/api/me", me),
        Route("/api/login", login, methods=["POST"]),
        Route("/api/events", events),
        Route("/api/events/{id}/picture", event_picture),
        Route("/api/explain/{camera:path}", explain),
        WebSocketRoute("/ws", lambda socket: serve_page(mock, socket)),
        Mount("/static", StaticFiles(directory=STATIC)),
    ]
    return Starlette(routes=[*routes], lifespan=lifespan)


def person(mock: Mock) -> dict[str, Any]:
    """Who opens the page."""
    role = {4: "operator", 2: "viewer"}.get(len(mock.rights), "privacy viewer")
    return {"name": "local" if mock.password is None else "anna", "role": role, "rights": mock.rights}


async def serve_page(mock: Mock, socket: WebSocket) -> None:
    """Play frames to one page until it closes."""
    if mock.down:
        await socket.close(1013)
        return
    await socket.accept()
    await socket.send_json({"type": "hello", "person": person(mock), "version": "1.2.3", "privacy": "heads"})
    await socket.send_json({"type": "cameras", "cameras": mock.cameras})
    mock.sockets.add(socket)
    wishes: dict[str, dict[str, Any]] = {}
    on_the_way: dict[str, int] = {}
    player = asyncio.create_task(play(mock, socket, wishes, on_the_way))
    try:
        while True:
            said = await socket.receive_json()
            mock.heard.append(said)
            if said["type"] == "watch":
                wishes.clear()
                wishes.update({tile["camera"]: tile for tile in said["tiles"]})
            elif said["type"] == "shown":
                on_the_way[said["camera"]] = max(0, on_the_way.get(said["camera"], 0) - 1)
            elif said["deployment"]:
                await socket.send_json({"type": "deployment", "deployment": deployment()})
    except (WebSocketDisconnect, RuntimeError):
        pass
    finally:
        mock.sockets.discard(socket)
        player.cancel()


async def play(mock: Mock, socket: WebSocket, wishes: dict[str, dict[str, Any]], on_the_way: dict[str, int]) -> None:
    """Send a frame of each camera that the page wants, as long as it draws them."""
    began = time.monotonic()
    while True:
        seconds = time.monotonic() - began
        for number, known in enumerate(mock.cameras):
            wish = wishes.get(known["name"])
            if wish is None or known["state"] != "online" or on_the_way.get(known["name"], 0) >= 2:
                continue
            width = min(960, wish["width_px"]) if wish["pictures"] else None
            moment = seconds + 11 * number
            people = known["people"] or 0
            args = (known["name"], round(moment * mock.fps), moment, people, width, 3 * number)
            message = await asyncio.to_thread(frame_message, *args)
            on_the_way[known["name"]] = on_the_way.get(known["name"], 0) + 1
            mock.sent += 1
            await socket.send_bytes(message)
        await asyncio.sleep(1 / mock.fps)


def deployment() -> dict[str, Any]:
    """Processes as the wall reports them."""
    plain = {"host": "edge-1", "pid": 4711}
    processes = [
        {"id": "a1", "role": "ingest", "fps": 39.8, "does": "captures 4 cameras", **plain},
        {"id": "b2", "role": "worker", "fps": 38.1, "does": "yolo11n-pose by OpenVINO, busy 71 %", **plain},
        {"id": "c3", "role": "tracker", "fps": 38.0, "does": "tracks 4 cameras", **plain},
    ]
    limits = ["The workers are busy 96 % of the time: start another one with 'posebus scale --workers 2'."]
    memory = {"broker_used_bytes": 48_200_000, "broker_limit_bytes": 512_000_000}
    return {"processes": processes, "bottlenecks": limits, "warnings": [], **memory}


@contextlib.contextmanager
def serving(mock: Mock, port: int | None = None) -> Iterator[str]:
    """Serve in a thread; yields the address."""
    with served(application(mock), port, mock.hang_up) as address:
        yield address


def usual() -> Mock:
    """Four cameras, one of them offline, with rules, a floor and some events."""
    cameras = [
        camera("entrance", rules=RULES, floor=list(FLOOR_M)),
        camera("hall", people=5, floor=list(FLOOR_M)),
        camera("yard", state="offline", trouble="no route to host; tried again in 8 s", people=None, fps_out=None),
        camera("stairs", people=2, trouble="the picture is nearly black"),
    ]
    mock = Mock(cameras)
    now = time.time()
    kinds = [("line.crossed", {"rule": "gate", "direction": "a_to_b"}), ("zone.entered", {"rule": "desk"})]
    kinds += [("track.started", {}), ("fall.detected", {"rule": "falls"})]
    for number in range(150):
        kind, data = kinds[number % len(kinds)]
        name = "entrance" if number % 3 else "hall"
        mock.events.insert(0, event_of(number, kind, name, now - 60 * (150 - number), {"track_id": number, **data}))
    mock.events.insert(0, event_of(150, "camera.offline", "yard", now - 40, {"reason": "no route to host"}))
    return mock


def main() -> None:
    """Serve the usual cameras until Ctrl-C, with an event every few seconds."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, default=8090)
    parser.add_argument("--cameras", type=int, default=4)
    parsed = parser.parse_args()
    mock = usual()
    mock.cameras += [camera(f"camera-{number:02}", people=number % 5) for number in range(5, parsed.cameras + 1)]
    with serving(mock, parsed.port) as address:
        sys.stdout.write(f"{address}\n")
        while True:
            time.sleep(6)
            mock.emit("line.crossed", "entrance", rule="gate", track_id=1, direction="a_to_b")


if __name__ == "__main__":
    main()
