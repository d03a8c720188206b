"""The wall as its own process: with a user of the broker that may only read, encrypted, and ended by signals."""

from __future__ import annotations

import re
import signal
import socket
import ssl
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
import redis
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect as open_socket

from posebus.bus.redis.connection import connect, open_broker
from posebus.bus.registry import CameraRecord, Registry
from posebus.config.loading import dump_settings
from posebus.config.settings import Settings
from posebus.config.wall.wall_settings import WallSettings
from posebus.messages import Delivery
from posebus.runtime.python_child import python_environment
from tests.conftest import ROOT
from tests.polling import wait_until
from tests.ports import free_port
from tests.secured_broker import SecuredBroker, secured_broker
from tests.unit.wall.access.logins import PASSWORDS, TOKEN, settings
from wall.access.certificate import FILE, fingerprint


@contextmanager
def wall(deployment: Settings, folder: Path) -> Iterator[tuple[subprocess.Popen[bytes], Path]]:
    """A wall, once it serves, and the file of what it says on standard error."""
    dump_settings(deployment, folder / "settings.yaml")
    said = folder / "said"
    with said.open("wb") as errors:
        process = subprocess.Popen(
            [sys.executable, "-m", "wall", "--config", str(folder / "settings.yaml"), "--follow"],
            cwd=ROOT,
            env={"PATH": "/usr/bin:/bin", "HOME": str(folder), **python_environment({})},
            stderr=errors,
        )
    try:
        wait_until(lambda: "the wall is at" in said.read_text() or process.poll() is not None, said.read_text, 120)
        yield process, said
    finally:
        process.kill()
        process.wait()


@pytest.fixture(scope="module")
def secured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SecuredBroker]:
    """A broker with the users of docker-compose.yml, and one that may do all."""
    admin = "user admin on nopass ~* &* +@all\n"
    with secured_broker(tmp_path_factory.mktemp("wall"), more_users=admin) as started:
        yield started


def everything(admin: redis.Redis) -> dict[bytes, bytes]:
    return {key: admin.dump(key) for key in admin.keys("*")}


def test_the_user_of_the_wall_has_no_command_that_writes(secured: SecuredBroker) -> None:
    admin = connect(secured.url("operator").replace("operator:", "admin:"))
    rights = admin.execute_command("ACL", "GETUSER", "live_wall")
    text = str(rights)
    granted = set(re.findall(r"\+([a-z|]+)", text))
    writing = {name.decode() for name in admin.execute_command("ACL", "CAT", "write")}
    assert len(writing) > 100
    assert granted
    assert not granted & (writing | {name.partition("|")[0] for name in writing})
    assert "+@" not in text
    assert "%W~" not in text


def test_a_wall_that_may_only_read_serves_and_writes_nothing(secured: SecuredBroker, tmp_path: Path) -> None:
    admin = connect(secured.url("operator").replace("operator:", "admin:"))
    Registry(open_broker(secured.url("ingest"))).add_camera(CameraRecord("door", Delivery.LIVE, "network"))
    before = everything(admin)
    port = free_port()
    deployment = Settings(redis=secured.url("live_wall"), wall=WallSettings(port=port), cache_dir=tmp_path)
    with (
        wall(deployment, tmp_path) as (process, said),
        open_socket(f"ws://127.0.0.1:{port}/ws", origin=f"http://127.0.0.1:{port}") as page,
    ):
        found = ""
        while '"door"' not in found:
            found = str(page.recv(60))
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0, said.read_text()
    assert everything(admin) == before
    text = said.read_text()
    assert "'posebus top' does not show this wall" in text
    assert "not finished within" not in text
    assert "Traceback" not in text
    assert secured.password("live_wall") not in text


def test_at_all_addresses_it_is_encrypted_and_asks_for_a_login(redis_server: str, tmp_path: Path) -> None:
    port = free_port()
    wanted = settings(host="0.0.0.0", port=port)
    with wall(Settings(redis=redis_server, wall=wanted, cache_dir=tmp_path), tmp_path) as (process, said):
        certificate = tmp_path / FILE
        assert f"its SHA-256 fingerprint is {fingerprint(certificate)}" in said.read_text()
        assert f"for other machines: https://{socket.gethostname()}:{port}/" in said.read_text()
        trusted = ssl.create_default_context(cafile=str(certificate))
        address = f"https://localhost:{port}"
        with httpx.Client(base_url=address, verify=trusted, headers={"origin": address}) as browser:
            assert browser.get("/").status_code == 200
            assert browser.get("/api/cameras").status_code == 401
            login = {"name": "vera", "password": PASSWORDS["vera"]}
            answer = browser.post("/api/login", json=login)
            assert answer.status_code == 204
            assert "; Secure" in answer.headers["set-cookie"]
            assert browser.get("/api/me").json()["name"] == "vera"
            assert browser.get("/api/cameras").status_code == 403
        with pytest.raises(httpx.HTTPError):
            httpx.get(f"http://localhost:{port}/api/me")
        bearer = {"Authorization": f"Bearer {TOKEN}"}
        with open_socket(f"wss://localhost:{port}/ws", ssl=trusted, additional_headers=bearer) as page:
            assert '"screen"' in str(page.recv(60))
            changed = wanted.model_copy(update={"tokens": {}})
            dump_settings(Settings(redis=redis_server, wall=changed, cache_dir=tmp_path), tmp_path / "settings.yaml")
            with pytest.raises(ConnectionClosed, match="4401"):
                all(page)
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 0, said.read_text()


def test_a_second_wall_at_the_same_port_says_so_in_one_sentence(redis_server: str, tmp_path: Path) -> None:
    port = free_port()
    deployment = Settings(redis=redis_server, wall=WallSettings(port=port), cache_dir=tmp_path)
    with wall(deployment, tmp_path):
        command = [sys.executable, "-m", "wall", "--redis", redis_server, "--port", str(port)]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 1
    last = done.stderr.splitlines()[-1]
    assert last == (
        f"posebus: the wall cannot be served at 127.0.0.1, port {port}: another program uses this port; choose another "
        "one with --port or wall.port"
    )


def test_a_wall_moves_to_another_port_while_it_runs_and_stays_where_that_is_taken(
    redis_server: str, tmp_path: Path
) -> None:
    first, second = free_port(), free_port()

    def at(port: int) -> Settings:
        return Settings(redis=redis_server, wall=WallSettings(port=port), cache_dir=tmp_path)

    def answers(port: int) -> bool:
        try:
            return httpx.get(f"http://127.0.0.1:{port}/api/me").status_code == 200
        except httpx.HTTPError:
            return False

    with wall(at(first), tmp_path) as (_, said):
        dump_settings(at(second), tmp_path / "settings.yaml")
        wait_until(lambda: answers(second), said.read_text, 60)
        assert not answers(first)
        taken = int(redis_server.rpartition(":")[2].partition("/")[0])
        dump_settings(at(taken), tmp_path / "settings.yaml")
        wait_until(lambda: "the wall stays where it was" in said.read_text(), said.read_text, 60)
        wait_until(lambda: answers(second), said.read_text, 60)
