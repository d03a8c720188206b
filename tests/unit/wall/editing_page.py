"""The wall's editing part behind a test client, with a configuration file of its own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from starlette.applications import Starlette
from starlette.testclient import TestClient

from posebus.config.settings import Settings
from wall.context import WallContext
from wall.editing.routes import editing_routes

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
def page(file: Path | None, command: tuple[str, ...] | None = None, redis: str = REDIS) -> Iterator[TestClient]:
    """A client of the routes that change things. command: takes test pictures."""
    app = Starlette(routes=editing_routes())
    app.state.context = WallContext(Settings(redis=redis), settings_file=file, test_picture_command=command)
    with TestClient(app) as client:
        yield client


def drawing(client: TestClient, camera: str = "hall") -> dict[str, object]:
    """What the page is given of a camera."""
    answer = client.get(f"/api/cameras/{camera}/drawing")
    assert answer.status_code == 200, answer.text
    return dict(answer.json())
