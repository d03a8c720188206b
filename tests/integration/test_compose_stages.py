"""The services of docker-compose.yml without containers: their commands run, and their health checks tell the truth."""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

import posebus
from tests.conftest import ROOT, missing, start_redis_server

SERVICES: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
STAGES = ("ingest", "worker", "tracker")
TIMEOUT_S = 120.0
Running = dict[str, subprocess.Popen[bytes]]


@pytest.fixture
def environment(tmp_path: Path, engine_cache: Path) -> Iterator[dict[str, str]]:
    """The stages' environment, with a broker that was started as the service `redis` is."""
    program = shutil.which("redis-server")
    if program is None:
        missing("redis-server is not installed (on Debian: apt install redis-server)")
    config = ROOT / "deploy" / "redis.conf"
    server, url = start_redis_server(str(program), tmp_path, "--requirepass", "sesame", config=config)
    address = url.replace("redis://", "redis://:sesame@")
    yield {**os.environ, "POSEBUS_REDIS": address, "POSEBUS_CACHE_DIR": str(engine_cache)}
    server.terminate()
    server.wait(timeout=30)


@pytest.fixture
def stages(environment: dict[str, str]) -> Iterator[Running]:
    running: Running = {}
    for name in STAGES:
        arguments = [word.replace("/etc/posebus/", "deploy/") for word in SERVICES[name]["command"]]
        command = [sys.executable, "-m", "posebus.cli", *arguments]
        running[name] = subprocess.Popen(command, cwd=ROOT, env=environment)
    yield running
    for process in running.values():
        process.kill()
        process.wait()


def healthy(name: str, environment: dict[str, str]) -> bool:
    """The verdict of the service's own health check."""
    kind, program, *arguments = SERVICES[name]["healthcheck"]["test"]
    assert (kind, program) == ("CMD", "python"), shlex.join(SERVICES[name]["healthcheck"]["test"])
    check = subprocess.run(
        [sys.executable, *arguments], cwd=ROOT, env=environment, check=False, capture_output=True, text=True
    )
    assert "sesame" not in check.stderr
    return check.returncode == 0


def wait_for(condition: bool, environment: dict[str, str], names: tuple[str, ...] = STAGES) -> None:
    """Until the health of all `names` is `condition`."""
    end_s = time.monotonic() + TIMEOUT_S
    waiting = list(names)
    while waiting:
        waiting = [name for name in waiting if healthy(name, environment) is not condition]
        assert time.monotonic() < end_s, f"{', '.join(waiting)} did not turn {'healthy' if condition else 'unhealthy'}"


def test_services_turn_healthy_deliver_tracks_and_leave_in_order(environment: dict[str, str], stages: Running) -> None:
    wait_for(True, environment)
    with posebus.subscribe(environment["POSEBUS_REDIS"], kinds=["tracks"], after="start") as messages:
        frames = (message.body for message in messages if isinstance(message.body, posebus.TrackFrame))
        people = next(frame for frame in frames if frame.tracks)
    assert people.camera in yaml.safe_load((ROOT / "deploy" / "posebus.yaml").read_text())["cameras"]

    stages["worker"].send_signal(signal.SIGSTOP)  # as good as a worker that hangs
    wait_for(False, environment, names=("worker",))
    assert healthy("ingest", environment)
    assert healthy("tracker", environment)
    stages["worker"].send_signal(signal.SIGCONT)
    wait_for(True, environment, names=("worker",))

    grace_s = float(SERVICES["worker"]["stop_grace_period"].removesuffix("s"))
    for process in stages.values():
        process.terminate()
    assert {name: process.wait(timeout=grace_s) for name, process in stages.items()} == dict.fromkeys(STAGES, 0)
