"""The services of docker-compose.yml without containers: their commands run, and their health checks are correct."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

import posebus
from tests.conftest import ROOT
from tests.polling import wait_until
from tests.secured_broker import SecuredBroker, secured_broker

SERVICES: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
STAGES = ("ingest", "worker", "tracker")
TIMEOUT_S = 240.0  # the first tracker compiles while the first worker exports
Running = dict[str, subprocess.Popen[bytes]]


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[SecuredBroker]:
    """The broker, started like the service `redis`."""
    with secured_broker(tmp_path) as started:
        yield started


@pytest.fixture
def stages(broker: SecuredBroker, engine_cache: Path) -> Iterator[Running]:
    running: Running = {}
    for name in STAGES:
        arguments = [word.replace("/etc/posebus/", "deploy/") for word in SERVICES[name]["command"]]
        command = [sys.executable, "-m", "posebus_cli", *arguments]
        running[name] = subprocess.Popen(command, cwd=ROOT, env=environment(name, broker, engine_cache))
    yield running
    for process in running.values():
        process.kill()
        process.wait()


def environment(name: str, broker: SecuredBroker, cache: Path | str = "") -> dict[str, str]:
    """The environment of a service: the address comes from the `env_file` of its role."""
    role = Path(SERVICES[name]["env_file"]).stem
    settings = {"POSEBUS_CACHE_DIR": str(cache), "POSEBUS_WORKER__IMGSZ": "320"}
    return {**os.environ, "POSEBUS_REDIS": broker.url(role), **settings}


def healthy(name: str, broker: SecuredBroker) -> bool:
    """Return whether the service's own health check succeeds."""
    kind, program, *arguments = SERVICES[name]["healthcheck"]["test"]
    assert (kind, program) == ("CMD", "python"), shlex.join(SERVICES[name]["healthcheck"]["test"])
    check = subprocess.run(
        [sys.executable, *arguments],
        cwd=ROOT,
        env=environment(name, broker),
        check=False,
        capture_output=True,
        text=True,
    )
    assert broker.password(Path(SERVICES[name]["env_file"]).stem) not in check.stderr
    return check.returncode == 0


def wait_for_health(condition: bool, broker: SecuredBroker, names: tuple[str, ...] = STAGES) -> None:
    """Wait until the health of all `names` is `condition`."""
    for name in names:
        what = f"{name} is {'healthy' if condition else 'unhealthy'}"
        wait_until(lambda name=name: healthy(name, broker) is condition, what, TIMEOUT_S, poll_s=1.0)


def posebus_as(role: str, broker: SecuredBroker, *arguments: str) -> str:
    """The output of `posebus ARGUMENTS…` for the user `role`."""
    done = subprocess.run(
        [sys.executable, "-m", "posebus_cli", *arguments],
        cwd=ROOT,
        env={**os.environ, "POSEBUS_REDIS": broker.url(role)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.timeout(600)
def test_services_turn_healthy_deliver_tracks_and_leave_in_order(broker: SecuredBroker, stages: Running) -> None:
    wait_for_health(True, broker)
    camera = next(iter(yaml.safe_load((ROOT / "deploy" / "posebus.yaml").read_text())["cameras"]))
    with posebus.subscribe(broker.url("subscriber"), after="start", group="app") as messages:
        frames = (message.body for message in messages if isinstance(message.body, posebus.TrackFrame))
        people = next(frame for frame in frames if frame.tracks)
    assert people.camera == camera
    assert camera in posebus_as("operator", broker, "top", "--once")
    assert f'posebus_camera_online{{camera="{camera}"}} 1.0' in posebus_as("monitor", broker, "metrics", "--once")

    stages["worker"].send_signal(signal.SIGSTOP)  # equivalent to a worker that hangs
    wait_for_health(False, broker, names=("worker",))
    assert healthy("ingest", broker)
    assert healthy("tracker", broker)
    stages["worker"].send_signal(signal.SIGCONT)
    wait_for_health(True, broker, names=("worker",))

    grace_s = float(SERVICES["worker"]["stop_grace_period"].removesuffix("s"))
    for process in stages.values():
        process.terminate()
    assert {name: process.wait(timeout=grace_s) for name, process in stages.items()} == dict.fromkeys(STAGES, 0)
    assert camera in posebus_as("operator", broker, "forget", camera)
