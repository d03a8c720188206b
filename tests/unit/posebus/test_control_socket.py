"""The control socket: private, bounded, and never in the way of the loop that answers at it."""

from __future__ import annotations

import json
import os
import socket
import stat
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from polling import wait_until
from small_deployment import SmallDeployment, dead_socket, running

from posebus.control.client import ControlSocket, running_deployments
from posebus.control.folder import FOLDER_ENV, socket_name
from posebus.control.messages import MAX_REQUEST_BYTES
from posebus.control.server import LOOK_EVERY_S, MOST_CONNECTIONS, SILENT_AFTER_S, ControlServer
from posebus.errors import ConfigError, DeploymentUnavailable
from posebus.telemetry.camera_state import CameraState

FILE = "cameras:\n  door: {source: 'rtsp://me:secret@192.0.2.1/live', max_fps: 5}\nfleet: {workers: 2}\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / ("long" * 30)  # longer than the address of a socket may be
    path.mkdir(mode=0o700)
    return path


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "posebus.yaml"
    path.write_text(FILE)
    return path


@pytest.fixture
def small(file: Path, folder: Path) -> Iterator[SmallDeployment]:
    with running(file, folder) as deployment:
        yield deployment


def found(folder: Path) -> list[ControlSocket]:
    return running_deployments({FOLDER_ENV: str(folder)})


def raw(folder: Path, data: bytes) -> bytes:
    """What the server answers to these bytes."""
    place = os.open(folder, os.O_RDONLY)
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as one:
        one.connect(f"/proc/self/fd/{place}/{socket_name('up', os.getpid())}")
        os.close(place)
        one.settimeout(60)
        try:
            one.sendall(data)
            one.shutdown(socket.SHUT_WR)
        except BrokenPipeError:
            pass  # it answered before it had read all
        answer = bytearray()
        while chunk := one.recv(65536):
            answer += chunk
    return bytes(answer)


def test_status_tells_what_runs_without_secrets(small: SmallDeployment, folder: Path, file: Path) -> None:
    (control,) = found(folder)
    wait_until(lambda: control.status().cameras[0].state == CameraState.ONLINE, "the camera is online")
    status = control.status()
    assert (status.role, status.pid, status.settings_file) == ("up", os.getpid(), str(file))
    assert (status.workers, status.trackers) == ((2, 2), (1, 1))
    (camera,) = status.cameras
    assert (camera.name, camera.source, camera.max_fps) == ("door", "rtsp://***@192.0.2.1/live", 5.0)
    assert b"secret" not in raw(folder, b'{"ask": "status"}\n')


def test_reload_and_override_take_effect_in_the_loop(small: SmallDeployment, folder: Path, file: Path) -> None:
    (control,) = found(folder)
    file.write_text(FILE.replace("max_fps: 5", "max_fps: 6") + "redis: redis://192.0.2.9\n")
    before = control.reload().revision
    wait_until(lambda: control.status().revision > before, "the file is read again")
    assert small.settings.cameras["door"].max_fps == 6
    assert control.status().restart_for == ("redis",)
    before = control.override({"cameras.door.max_fps": 7, "fleet.workers": 3}).revision
    wait_until(lambda: control.status().revision > before, "the override is in force")
    assert control.status().cameras[0].max_fps == 7
    assert control.status().workers == (3, 3)
    refusal = r"the running deployment refuses: cameras\.door\.max_fps: must be greater than 0"
    with pytest.raises(ConfigError, match=refusal):
        control.override({"cameras.door.max_fps": -1})
    file.write_text(FILE + "oops: 1\n")
    before = control.reload().revision
    wait_until(lambda: control.status().revision > before, "the broken file is read")
    assert "oops: there is no such field" in str(control.status().problem)
    assert small.settings.cameras["door"].max_fps == 7


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"\n",
        b"hello\n",
        b"[1]\n",
        b'{"ask": "stop"}\n',
        b'{"ask": ["status"]}\n',
        b'{"ask": "override"}\n',
        b'{"ask": "override", "set": {}}\n',
        b'{"ask": "override", "set": {"": 1, "..": 2, "cameras": 3, "cameras.door": "x", "\\ud800": {}}}\n',
        b'{"ask": "override", "set": ' + b'{"a":' * 60 + b"1" + b"}" * 61 + b"\n",
        b"[" * 100_000 + b"\n",
        b"x" * (MAX_REQUEST_BYTES + 100),
        b"\xff\xfe\x00\n",
        b'{"ask": "stat',
    ],
)
def test_a_malformed_request_is_answered_by_a_sentence(
    small: SmallDeployment, folder: Path, request_bytes: bytes
) -> None:
    answer = json.loads(raw(folder, request_bytes))
    assert set(answer) == {"error"}
    assert answer["error"]
    assert len(found(folder)) == 1
    assert found(folder)[0].status().cameras[0].max_fps == 5


def test_commands_that_hang_do_not_hold_the_others_up(small: SmallDeployment, folder: Path) -> None:
    place = os.open(folder, os.O_RDONLY)
    hanging = []
    for _ in range(MOST_CONNECTIONS - 1):
        one = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        one.connect(f"/proc/self/fd/{place}/{socket_name('up', os.getpid())}")
        one.sendall(b'{"ask"')
        hanging.append(one)
    assert found(folder)[0].status().role == "up"
    for one in hanging:
        one.close()
    os.close(place)


def test_a_silent_connection_is_closed_by_the_loops_own_clock(file: Path, folder: Path) -> None:
    small = SmallDeployment(file)
    place = os.open(folder, os.O_RDONLY)
    with (
        ControlServer("up", small.deployment, str(folder)) as server,
        socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as one,
    ):
        one.connect(f"/proc/self/fd/{place}/{socket_name('up', os.getpid())}")
        server.poll(100.0)
        one.setblocking(False)
        with pytest.raises(BlockingIOError):
            one.recv(1)
        server.poll(100.0 + SILENT_AFTER_S + 0.1)
        assert one.recv(1) == b""
    os.close(place)


def test_the_folder_is_private_and_sockets_of_dead_processes_go(file: Path, tmp_path: Path) -> None:
    folder = tmp_path / "new"
    assert found(folder) == []
    small = SmallDeployment(file)
    with ControlServer("up", small.deployment, str(folder)):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert list(folder.iterdir()) == []
    old, other = dead_socket(folder, "up-1.sock"), dead_socket(folder, "foreign.sock")
    with ControlServer("ingest", small.deployment, str(folder)):
        assert not old.exists()
        dead_socket(folder, "ingest-2.sock")
        assert [one.name for one in found(folder)] == [socket_name("ingest", os.getpid())]
        assert not (folder / "ingest-2.sock").exists()
    assert list(folder.iterdir()) == [other]


def test_a_socket_that_was_deleted_is_made_again(file: Path, folder: Path) -> None:
    small = SmallDeployment(file)
    with ControlServer("up", small.deployment, str(folder)) as server:
        server.poll(0.0)
        (folder / socket_name("up", os.getpid())).unlink()
        server.poll(LOOK_EVERY_S + 1)
        assert len(found(folder)) == 1


@pytest.mark.parametrize("mode", [0o770, 0o701])
def test_a_folder_in_which_others_have_rights_is_not_used(
    file: Path, folder: Path, mode: int, caplog: pytest.LogCaptureFixture
) -> None:
    small = SmallDeployment(file)
    folder.chmod(mode)
    with ControlServer("up", small.deployment, str(folder)) as server:
        server.poll(0.0)
        assert "no socket can be made" in caplog.text
        assert list(folder.iterdir()) == []
    with pytest.raises(ConfigError, match="other users have rights there"):
        found(folder)


def test_a_link_in_place_of_the_folder_is_not_followed(file: Path, folder: Path, tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(folder)
    with ControlServer("up", SmallDeployment(file).deployment, str(link)):
        assert list(folder.iterdir()) == []
    assert found(link) == []


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_processes_of_another_user_are_neither_served_nor_believed(file: Path, folder: Path) -> None:
    folder.chmod(0o700)
    name = socket_name("up", os.getpid())
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        place = os.open(folder, os.O_RDONLY)
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            # As another user: a server in the folder of the first one, who let it in by mistake.
            os.fchdir(place)
            listener.bind(name)
            os.setuid(12345)
            listener.listen(1)
            os.write(writing, b"x")
            time.sleep(120)
            os._exit(0)
        try:
            os.read(reading, 1)
            with pytest.raises(DeploymentUnavailable, match="process of another user"):
                ControlSocket(str(folder), name).status()
        finally:
            os.kill(child, 9)
            os.waitpid(child, 0)
            for descriptor in (reading, writing, place):
                os.close(descriptor)


def test_a_deployment_that_has_gone_or_hangs_is_one_sentence(
    file: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("posebus.control.client.ANSWER_S", 0.2)
    with ControlServer("up", SmallDeployment(file).deployment, str(folder)):
        (control,) = found(folder)
        with pytest.raises(DeploymentUnavailable, match="has not answered within"):
            control.status()
    with pytest.raises(DeploymentUnavailable, match="it may have ended"):
        control.status()
