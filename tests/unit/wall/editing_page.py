"""The wall's editing part behind a test client, with a configuration file of its own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from starlette.applications import Starlette
from starlette.testclient import TestClient
from starlette.types import ASGIApp, Receive, Scope, Send

from posebus.config.settings import Settings
from wall.access.guard import PERSON
from wall.access.people import LOCAL, Visitor
from wall.context import WallContext
from wall.editing.camera_routes import ROUTES as CAMERA_ROUTES
from wall.editing.drawing_routes import routes as drawing_routes
from wall.editing.sample_picture import routes as sample_picture_routes

REDIS = "redis://127.0.0.1:1"
"""Nothing answers there."""
FILE = """\
# my cameras
defaults: {max_fps: 5}   # slow
cameras:
  hall:   # at the front
    source: rtsp://me:secret@192.0.2.1/live
    rules:
      # the gate of the yard
      gate:
        kind: line
        points: [[10, 20], [300, 20]]   # measured
        settle_s: 0.5
      desk: {kind: zone, points: [[0, 0], [0.5, 0], [0.5, 0.5]], dwell_s: 20}
  yard: {source: "usb:0", paused: true}   # broken

fleet: {workers: 1}   # enough
"""
GATE = {
    "name": "gate",
    "kind": "line",
    "shape": "line",
    "points": [[10, 20], [300, 20]],
    "settings": {"settle_s": 0.5},
}
DESK = {
    "name": "desk",
    "kind": "zone",
    "shape": "polygon",
    "points": [[0, 0], [0.5, 0], [0.5, 0.5]],
    "settings": {"dwell_s": 20},
}


@contextmanager
def page(
    file: Path | None, command: tuple[str, ...] | None = None, redis: str = REDIS, person: Visitor | None = LOCAL
) -> Iterator[TestClient]:
    """A client of the routes that change things. command: takes test pictures. person: who opens the page."""
    context = WallContext(Settings(redis=redis), file, test_picture_command=command)
    with TestClient(served(context, person=person)) as client:
        yield client


def served(context: WallContext, limit_s: float = 60.0, person: Visitor | None = LOCAL) -> ASGIApp:
    """The routes as the wall serves them, by default to somebody on this machine."""
    app = Starlette(routes=[*CAMERA_ROUTES, *drawing_routes(), *sample_picture_routes(limit_s)])
    app.state.context = context

    async def as_person(scope: Scope, receive: Receive, send: Send) -> None:
        scope[PERSON] = person
        await app(scope, receive, send)

    return as_person


def drawing(client: TestClient, camera: str = "hall") -> dict[str, object]:
    """What the page is given of a camera."""
    answer = client.get(f"/api/cameras/{camera}/drawing")
    assert answer.status_code == 200, answer.text
    return dict(answer.json())
