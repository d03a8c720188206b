"""Every route of the wall asks for a right, and each role gets what its rights allow: a new route needs a row here."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from posebus.config.settings import Settings
from posebus.control.folder import FOLDER_ENV
from tests.unit.wall.access.logins import PASSWORDS, ROLES, Clock, settings
from wall.access.access import PUBLIC, PUBLIC_FILES, Access
from wall.access.people import Right, Role
from wall.app import application
from wall.context import WallContext

NEEDS: dict[str, Right | None] = {
    "POST /api/login": None,
    "POST /api/logout": None,
    "GET /api/me": None,
    "GET /": None,
    "GET /camera": None,
    "MOUNT /static": None,
    "SOCKET /ws": Right.POSES,
    "SOCKET /ws/camera": Right.SEND,
    "GET /api/events": Right.POSES,
    "GET /api/events/{id:path}/picture": Right.PICTURES,
    "GET /api/explain/{camera}": Right.POSES,
    "GET /network/{name}": Right.SEND,
    "GET /api/cameras": Right.CHANGE,
    "POST /api/cameras": Right.CHANGE,
    "GET /api/cameras/{camera}": Right.CHANGE,
    "PATCH /api/cameras/{camera}": Right.CHANGE,
    "DELETE /api/cameras/{camera}": Right.CHANGE,
    "POST /api/cameras/{camera}/pause": Right.CHANGE,
    "POST /api/cameras/{camera}/resume": Right.CHANGE,
    "GET /api/cameras/{camera}/drawing": Right.CHANGE,
    "PUT /api/cameras/{camera}/drawing": Right.CHANGE,
    "POST /api/cameras/{camera}/drawing/check": Right.CHANGE,
    "POST /api/test-picture": Right.CHANGE,
}
"""The right that each route asks for; None: it is served without a login."""


@pytest.fixture
def wall(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> TestClient:
    """A wall that has not started: what it may answer is decided before anything else."""
    monkeypatch.setenv(FOLDER_ENV, str(tmp_path))
    deployment = Settings(redis="redis://127.0.0.1:1", wall=settings())
    app = application(WallContext(deployment), Access(deployment.wall, Clock()))
    return TestClient(app, raise_server_exceptions=False)


def routes(wall: TestClient) -> Iterator[tuple[str, str]]:
    """(method, path) of every route."""
    for route in wall.app.routes:  # type: ignore[attr-defined]
        if isinstance(route, Route):
            yield from ((method, route.path) for method in sorted((route.methods or set()) - {"HEAD"}))
        elif isinstance(route, WebSocketRoute):
            yield "SOCKET", route.path
        else:
            assert isinstance(route, Mount)
            yield "MOUNT", route.path


def status(wall: TestClient, method: str, path: str) -> int:
    """The status that a request gets; of a WebSocket 200 if it stays open, else 401 or 403."""
    path = re.sub(r"\{[^}]*\}", "door", path)
    if method != "SOCKET":
        return wall.request("GET" if method == "MOUNT" else method, path).status_code
    try:
        with wall.websocket_connect(path) as socket:
            socket.receive_text()
    except WebSocketDisconnect as closed:
        return {4401: 401, 4403: 403}[closed.code]
    except AttributeError:  # the route serves, and lacks what the start of the wall makes
        return 200
    return 200


def log_in(wall: TestClient, name: str) -> None:
    wall.headers["origin"] = "http://testserver"
    assert wall.post("/api/login", json={"name": name, "password": PASSWORDS[name]}).status_code == 204


def test_every_route_is_in_the_table_and_the_other_way_round(wall: TestClient) -> None:
    found = {f"{method} {path}" for method, path in routes(wall)}
    assert found == set(NEEDS), "give a new route its right in NEEDS"
    public = {name.partition(" ")[2] for name, right in NEEDS.items() if right is None}
    assert public == {*PUBLIC, PUBLIC_FILES.rstrip("/")}


def test_without_a_login_nothing_but_the_pages_is_served(wall: TestClient) -> None:
    wall.headers["origin"] = "http://testserver"
    for name, right in NEEDS.items():
        if right is not None:
            assert status(wall, *name.split(" ")) == 401, name


@pytest.mark.parametrize("person", ROLES)
def test_each_role_gets_what_its_rights_allow_and_nothing_else(person: str, wall: TestClient) -> None:
    log_in(wall, person)
    rights = Role(ROLES[person]).rights
    for name, right in NEEDS.items():
        if right is None:
            continue
        found = status(wall, *name.split(" "))
        if right in rights:
            assert found not in {401, 403}, f"{name} refuses a {ROLES[person]}"
        else:
            assert found == 403, f"{name} serves a {ROLES[person]}"


def test_the_rights_of_the_roles() -> None:
    assert {role.value: {right.value for right in role.rights} for role in Role} == {
        "operator": {"poses", "pictures", "send", "change"},
        "viewer": {"poses", "pictures"},
        "privacy viewer": {"poses"},
    }
