"""Passwords of cameras and of the broker, searched in everything that a run writes, prints and leaves behind."""

from __future__ import annotations

import base64
import re
import shutil
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote, quote_plus

import pytest
import redis
import yaml

from tests.conftest import missing, start_redis_server
from tests.integration.rtsp_server import RtspServer
from tests.integration.run_command import children, environment
from tests.polling import wait_until

CAMERA_PASSWORD = "hun/ter@2"
CAMERA_PARAMETER = "open-sesame"
BROKER_PASSWORD = "sw0rd:fish/9"
WRONG_PASSWORD = "wr0ng@guess"
SECRETS = (CAMERA_PASSWORD, CAMERA_PARAMETER, BROKER_PASSWORD, WRONG_PASSWORD)


def leaks(text: str) -> list[str]:
    """The passwords in `text`, in any form that an address or a login gives them."""
    found = []
    for secret in SECRETS:
        login = base64.b64encode(f"admin:{secret}".encode()).decode()
        forms = {secret, quote(secret, safe=""), quote(secret), quote_plus(secret), secret.replace("@", "%40"), login}
        found += [secret for form in forms if form in text]
    return found


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[tuple[redis.Redis, str]]:
    """A client, and an address with the password."""
    program = shutil.which("redis-server")
    if program is None:
        missing("redis-server is not installed (on Debian: apt install redis-server)")
    process, url = start_redis_server(str(program), tmp_path, "--requirepass", BROKER_PASSWORD)
    address = url.replace("redis://", f"redis://:{quote(BROKER_PASSWORD, safe='')}@")
    yield redis.Redis.from_url(address), address
    process.terminate()
    process.wait(timeout=10)


def everything_in(client: redis.Redis) -> str:
    """All streams, hashes and strings of the broker, and its own log of slow commands, as text."""
    read = {b"stream": client.xrange, b"hash": client.hgetall, b"string": client.get}
    return repr([(key, read[client.type(key)](key)) for key in client.scan_iter() if b":frames:" not in key])


def everything_reported(client: redis.Redis) -> bytes:
    """What all processes report of themselves and their cameras."""
    return b"".join(client.hvals("posebus:{0}:processes"))


def told(log: Path) -> set[str]:
    """The cameras that the log calls offline."""
    return set(re.findall(r"camera (\S+) is offline", log.read_text()))


def posebus(folder: Path, cache: Path, *arguments: str) -> str:
    """All output of `posebus ARGUMENTS…`."""
    command = [sys.executable, "-m", "posebus_cli", *arguments]
    env = {**environment(cache), "TMPDIR": str(folder)}
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False, timeout=120)
    return f"{done.stdout}\n{done.stderr}"


def test_no_password_is_written_or_printed(broker: tuple[redis.Redis, str], tmp_path: Path, engine_cache: Path) -> None:
    client, address = broker
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    refusing = RtspServer()
    refusing.status = 401
    login = f"admin:{quote(CAMERA_PASSWORD, safe='')}@"
    gate = refusing.url.replace("rtsp://", f"rtsp://{login}") + f"?user=admin&password={CAMERA_PARAMETER}"
    cameras = {
        "hall": {"source": "synthetic:bus", "max_fps": 5},
        "gate": {"source": gate, "reconnect_max_s": 0.5},
        "nobody": {"source": f"rtsp://admin:{CAMERA_PASSWORD}@127.0.0.1:1/live"},
        "odd": {"source": f"nosuch://{login}127.0.0.1/live"},
        "query": {"source": f"http://127.0.0.1:1/videostream.cgi?loginuse=admin&loginpas={CAMERA_PARAMETER}"},
        "path": {"source": f"rtsp://127.0.0.1:1/user=admin_password={CAMERA_PARAMETER}_channel=1_stream=0.sdp"},
        "quoted": {"source": f'rtsp://admin:it\'s "{CAMERA_PARAMETER}"@127.0.0.1:1/live'},
    }
    config = tmp_path / "posebus.yaml"
    config.write_text(
        yaml.safe_dump({"redis": address, "cameras": cameras, "log_level": "info", "worker": {"imgsz": 320}})
    )
    env = {**environment(engine_cache), "TMPDIR": str(temporary)}
    command = [sys.executable, "-m", "posebus_cli", "up", "-c", str(config)]
    log = tmp_path / "up.log"
    with log.open("w") as file:
        run = subprocess.Popen(command, env=env, stdout=file, stderr=file)
        try:
            wait_until(lambda: client.xlen("posebus:{0}:tracks:hall") > 3, "tracks of the camera that works")
            wait_until(lambda: refusing.connections > 2, "attempts at the camera that refuses")
            wait_until(lambda: b"refuses the login" in everything_reported(client), "a report of the camera's trouble")
            wait_until(
                lambda: told(log) >= {"nobody", "query", "path", "quoted"}, "the trouble of each camera in the log"
            )
            for pid in children(run.pid):
                for name in ("cmdline", "environ"):
                    assert leaks(read_of(pid, name)) == [], f"{name} of {read_of(pid, 'cmdline')}"
            dumps = list(temporary.glob("**/settings.yaml"))
            assert dumps, "the children's settings"
            for dump in dumps:
                assert stat.S_IMODE(dump.stat().st_mode) == 0o600
                assert stat.S_IMODE(dump.parent.stat().st_mode) == 0o700
            said = [posebus(temporary, engine_cache, *words, "-c", str(config)) for words in LOOKING]
            assert "gate" in said[0]
        finally:
            run.terminate()
            run.wait(timeout=60)
            refusing.close()
    assert leaks("".join(said)) == []
    assert leaks(log.read_text()) == [], "the log"
    assert "gate" in log.read_text()
    assert leaks(everything_in(client)) == [], "the broker"
    assert "gate" in everything_in(client)
    assert list(temporary.glob("**/settings.yaml")) == []


LOOKING = (("top", "--once", "--json"), ("top", "--once"), ("metrics", "--once"))


def read_of(pid: int, name: str) -> str:
    try:
        return Path(f"/proc/{pid}/{name}").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        return ""


def test_errors_do_not_quote_passwords(broker: tuple[redis.Redis, str], tmp_path: Path) -> None:
    _, address = broker
    wrong = address.replace(quote(BROKER_PASSWORD, safe=""), quote(WRONG_PASSWORD, safe=""))
    bad = tmp_path / "bad.yaml"
    bad.write_text(
        f"redis: {address}x\nredis: {wrong}\ncameras: {{a: rtsp://u:{CAMERA_PASSWORD}@h, b: {{sorce: 1}}}}\n- {wrong}"
    )
    said = [
        posebus(tmp_path, tmp_path, "top", "--once", "--redis", wrong),
        posebus(tmp_path, tmp_path, "metrics", "--once", "--redis", wrong),
        posebus(tmp_path, tmp_path, "top", "--redis", wrong.replace("127.0.0.1", "no-such-host.invalid")),
        posebus(tmp_path, tmp_path, "top", "--redis", f"{wrong}?nonsense=1"),
        posebus(tmp_path, tmp_path, "watch", "--redis", wrong.replace("redis://", "http://")),
        posebus(tmp_path, tmp_path, "config", "check", str(bad)),
        posebus(tmp_path, tmp_path, "run", f"rtsp://u:{CAMERA_PASSWORD}@h/1", "--out", str(tmp_path / "out")),
    ]
    assert all(text.strip() for text in said)
    assert leaks("".join(said)) == []
