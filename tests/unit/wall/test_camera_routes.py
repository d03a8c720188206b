"""Cameras from the page: what becomes of the file, of passwords, of files on this machine, and of test pictures."""

from __future__ import annotations

import asyncio
import logging
import os
from pathlib import Path
from typing import Any

import httpx
import pytest
from ruamel.yaml import YAML
from small_deployment import running
from starlette.testclient import TestClient

from posebus.config.settings import Settings
from posebus.runtime.python_child import python_command
from tests.unit.wall.editing_page import FILE, page, served
from wall.access.people import Role, Visitor
from wall.context import WallContext

JPEG = "b'\\xff\\xd8 a picture'"


def cameras(file: Path) -> Any:
    return YAML(typ="safe", pure=True).load(file)["cameras"]


def add(client: TestClient, name: str, **fields: object) -> Any:
    return client.post("/api/cameras", json={"name": name, "fields": fields})


def test_the_list_has_states_and_no_passwords(file: Path, client: TestClient) -> None:
    found = client.get("/api/cameras").json()
    assert (found["file"], found["runs"]) == ("posebus.yaml", False)
    assert [(one["name"], one["source"], one["paused"]) for one in found["cameras"]] == [
        ("hall", "rtsp://***@192.0.2.1/live", False),
        ("yard", "usb:0", True),
    ]
    with running(file, file.parent / "sockets"):
        listed = client.get("/api/cameras").json()
        assert listed["runs"]
        assert [one["state"] for one in listed["cameras"]] == ["starting", "paused"] or "online" in str(listed)


def test_a_camera_is_added_changed_paused_and_removed_while_a_deployment_runs(file: Path, client: TestClient) -> None:
    with running(file, file.parent / "sockets") as small:
        answer = add(client, "door", source="rtsp://me:other-secret@192.0.2.2/x", max_fps=2)
        assert answer.status_code == 201, answer.text
        assert "door: online after" in answer.json()["saved"]
        assert small.settings.cameras["door"].max_fps == 2
        assert add(client, "door", source="usb:0").status_code == 409
        read = client.get("/api/cameras/door")
        assert read.json()["fields"]["source"] == "rtsp://***@192.0.2.2/x"
        assert "other-secret" not in answer.text + read.text
        # The page sends back what it was shown.
        fields = {**read.json()["fields"], "rotate": 90}
        changed = client.patch("/api/cameras/door", json={"fields": fields})
        assert changed.status_code == 200, changed.text
        assert cameras(file)["door"] == {"source": "rtsp://me:other-secret@192.0.2.2/x", "max_fps": 2, "rotate": 90}
        assert client.patch("/api/cameras/door", json={"fields": {"max_fps": None}}).status_code == 200
        assert small.settings.cameras["door"].max_fps == 5  # that of `defaults` again
        assert "paused after" in client.post("/api/cameras/door/pause").json()["saved"]
        assert "online after" in client.post("/api/cameras/door/resume").json()["saved"]
        assert "removed after" in client.delete("/api/cameras/door").json()["saved"]
        assert client.delete("/api/cameras/door").status_code == 404
    assert file.read_text() == FILE


@pytest.mark.parametrize(
    ("source", "sentence"),
    [
        ("rtsp://***@192.0.2.9/live", "write the whole address"),
        ("", "write the address"),
        ("/etc/passwd", "from a page, files are read from these folders alone"),
        ("file:///etc/passwd", "from a page, files are read from these folders alone"),
        ("../../../etc/passwd", "from a page, files are read from these folders alone"),
        ("file://server/x.mp4", "names a file on the computer server"),
        ("pipe:0", "an address must begin with"),
        ("concat:/etc/passwd|/etc/group", "an address must begin with"),
        ("udp://0.0.0.0:5000", "an address must begin with"),
        ("usb:/dev/sda", "write usb:0"),
        ("a\u0000b", "characters that cannot be shown"),
    ],
)
def test_sources_that_a_page_may_not_name(file: Path, client: TestClient, source: str, sentence: str) -> None:
    answer = add(client, "door", source=source)
    assert answer.status_code == 400
    assert sentence in answer.json()["sentence"]
    assert file.read_text() == FILE


def test_another_kind_opens_no_file_elsewhere(file: Path, client: TestClient) -> None:
    assert add(client, "door", source="rtsp:/../../etc/passwd", kind="file").status_code == 400
    assert add(client, "door", source="/etc/passwd", kind="network").status_code == 400
    assert client.patch("/api/cameras/hall", json={"fields": {"kind": "file"}}).status_code == 400
    assert file.read_text() == FILE


def test_files_beside_the_configuration_and_beside_other_cameras_may_be_cameras(
    file: Path, client: TestClient, tmp_path_factory: pytest.TempPathFactory
) -> None:
    clips = tmp_path_factory.mktemp("clips")
    (clips / "one.mp4").touch()
    file.write_text(FILE.replace("usb:0", str(clips / "one.mp4")))
    assert add(client, "a", source=str(clips / "two.mp4")).status_code == 201
    assert add(client, "b", source=str(file.parent / "below" / "x.mp4")).status_code == 201
    (file.parent / "link").symlink_to("/etc")
    assert add(client, "c", source=str(file.parent / "link" / "passwd")).status_code == 400
    assert list(cameras(file)) == ["hall", "yard", "a", "b"]


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ({"source": "usb:0", "max_fps": -1}, "max_fps"),
        ({"source": "usb:0", "max_fps": "many"}, "max_fps"),
        ({"source": "usb:0", "rotate": 45}, "rotate"),
        ({"source": "usb:0", "privacy": "none"}, "privacy"),
        ({"source": "usb:0", "linked_files": "any"}, "linked_files"),
        ({"source": "usb:0", "actions": "/tmp/x.onnx"}, "actions"),
        ({"source": ["usb:0"]}, "source"),
        ({}, "source"),
    ],
)
def test_wrong_fields_are_said_at_their_place(
    file: Path, client: TestClient, fields: dict[str, object], path: str
) -> None:
    answer = add(client, "door", **fields)
    assert (answer.status_code, answer.json()["path"]) == (400, path)
    assert answer.json()["sentence"]
    assert file.read_text() == FILE


def test_wrong_names_are_said(file: Path, client: TestClient) -> None:
    for name in ("a b", "../x", "a" * 64, "{x}"):
        answer = add(client, name, source="usb:0")
        assert (answer.status_code, answer.json()["path"]) == (400, "name")
    assert file.read_text() == FILE


def test_every_change_has_an_audit_line_without_a_password(
    client: TestClient, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "posebus.wall.audit")
    add(client, "door", source="rtsp://me:secret@192.0.2.2/x")
    client.patch("/api/cameras/door", json={"fields": {"rotate": 90}})
    client.delete("/api/cameras/door")
    said = [record.getMessage() for record in caplog.records if record.name == "posebus.wall.audit"]
    assert [one.split(": ")[0] for one in said] == [
        "local (operator) added the camera door",
        "local (operator) changed rotate of the camera door",
        "local (operator) removed the camera door",
    ]
    assert "secret" not in caplog.text


def child(code: str) -> tuple[str, ...]:
    """A child that does `code` with the one camera of the settings as `camera`."""
    head = "import sys, json, time; camera = json.load(sys.stdin)['cameras']['camera']; "
    return tuple(python_command("-c", head + code))


def test_a_test_picture_of_a_new_address_and_of_a_saved_one(file: Path) -> None:
    with page(file, child(f"sys.stdout.buffer.write({JPEG} + camera['source'].encode())")) as client:
        new = client.post("/api/test-picture", json={"source": "rtsp://a:b@192.0.2.7/x"})
        assert (new.status_code, new.headers["content-type"]) == (200, "image/jpeg")
        assert new.content.endswith(b"rtsp://a:b@192.0.2.7/x")
        known = client.post("/api/test-picture", json={"source": "rtsp://***@192.0.2.1/live", "camera": "hall"})
        assert known.content.endswith(b"rtsp://me:secret@192.0.2.1/live")
        elsewhere = client.post("/api/test-picture", json={"source": "rtsp://***@192.0.2.66/live", "camera": "hall"})
        assert elsewhere.status_code == 400
        assert client.post("/api/test-picture", json={"source": "/etc/passwd"}).status_code == 400


def test_a_test_picture_that_fails_says_why_without_the_password(file: Path) -> None:
    code = "sys.exit('no answer from ' + camera['source'] + ' with the login me and secret')"
    with page(file, child(code)) as client:
        answer = client.post("/api/test-picture", json={"camera": "hall"})
        assert answer.status_code == 400
        assert "no answer from rtsp://***@192.0.2.1/live" in answer.json()["sentence"]
        assert "secret" not in answer.text
    with page(file, child("sys.stdout.buffer.write(b'<html>')")) as client:
        assert client.post("/api/test-picture", json={"source": "usb:0"}).status_code == 400
    with page(file) as client:
        assert client.post("/api/test-picture", json={"source": "usb:0"}).status_code == 503


def test_a_child_that_hangs_is_killed_and_one_picture_is_taken_at_a_time(file: Path, tmp_path: Path) -> None:
    started = tmp_path / "pid"
    code = f"import os; open({str(started)!r}, 'w').write(str(os.getpid())); time.sleep(600)"
    app = served(WallContext(Settings(), file, test_picture_command=child(code)), limit_s=3.0)

    async def ask() -> list[httpx.Response]:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://wall") as client:
            first = asyncio.create_task(client.post("/api/test-picture", json={"source": "usb:0"}))
            await asyncio.sleep(0.5)
            second = await client.post("/api/test-picture", json={"source": "usb:0"})
            return [await first, second]

    first, second = asyncio.run(ask())
    assert (first.status_code, second.status_code) == (400, 429)
    assert "no picture within 3 s" in first.json()["sentence"]
    if started.exists() and started.read_text():
        with pytest.raises(ProcessLookupError):
            os.kill(int(started.read_text()), 0)


def test_a_child_ends_when_the_page_goes_away(file: Path, tmp_path: Path) -> None:
    started = tmp_path / "pid"
    code = f"import os; open({str(started)!r}, 'w').write(str(os.getpid())); time.sleep(600)"
    app = served(WallContext(Settings(), file, test_picture_command=child(code)))
    body = b'{"source": "usb:0"}'
    scope = {"type": "http", "method": "POST", "path": "/api/test-picture", "headers": [], "query_string": b""}
    sent = []

    async def ask() -> None:
        messages = [{"type": "http.request", "body": body}]

        async def receive() -> dict[str, object]:
            if messages:
                return messages.pop()
            while not (started.exists() and started.read_text()):
                await asyncio.sleep(0.01)
            return {"type": "http.disconnect"}

        async def send(message: Any) -> None:
            sent.append(message)

        await app(scope, receive, send)

    asyncio.run(ask())
    assert sent[0]["status"] == 400
    with pytest.raises(ProcessLookupError):
        os.kill(int(started.read_text()), 0)


@pytest.mark.parametrize(("person", "status"), [(None, 401), (Visitor("eve", Role.VIEWER), 403)])
def test_only_people_who_may_change_things_do(file: Path, person: Visitor | None, status: int) -> None:
    with page(file, person=person) as client:
        body = {"name": "door", "fields": {"source": "usb:0"}, "revision": "x", "rules": [], "ground": None}
        for method, path in (
            ("GET", "/api/cameras"),
            ("POST", "/api/cameras"),
            ("GET", "/api/cameras/hall"),
            ("PATCH", "/api/cameras/hall"),
            ("DELETE", "/api/cameras/hall"),
            ("POST", "/api/cameras/hall/pause"),
            ("POST", "/api/cameras/hall/resume"),
            ("GET", "/api/cameras/hall/drawing"),
            ("PUT", "/api/cameras/hall/drawing"),
            ("POST", "/api/cameras/hall/drawing/check"),
            ("POST", "/api/test-picture"),
        ):
            answer = client.request(method, path, json=body)
            assert answer.status_code == status, path
            assert answer.json()["sentence"]
    assert file.read_text() == FILE


def test_hostile_requests_about_cameras_get_a_sentence(file: Path, client: TestClient) -> None:
    for body in (b"", b"[]", b"{", b"null", b'{"name": 7, "fields": {}}', b'{"name": "a", "fields": []}', b"[" * 9999):
        for method, path in (("POST", "/api/cameras"), ("PATCH", "/api/cameras/hall"), ("POST", "/api/test-picture")):
            answer = client.request(method, path, content=body)
            assert answer.status_code in (400, 503)
            assert answer.json()["sentence"]
    for name in ("..", "%00", "a%2Fb", "x" * 500):
        assert client.delete(f"/api/cameras/{name}").status_code in (400, 404, 405)
    assert file.read_text() == FILE
