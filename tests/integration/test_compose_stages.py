"""The services of docker-compose.yml without containers: their commands run, and their health checks are correct."""

from __future__ import annotations

import os
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
from posebus.runtime.health import check, health_folder
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
def stages(broker: SecuredBroker, engine_cache: Path, tmp_path: Path) -> Iterator[Running]:
    running: Running = {}
    for name in STAGES:
        arguments = [word.replace("/etc/posebus/", "deploy/") for word in SERVICES[name]["command"]]
        module = SERVICES[name].get("entrypoint", ["python", "-m", "posebus_cli"])[1:]
        command = [sys.executable, *module, *arguments]
        variables = environment(name, broker, tmp_path, engine_cache)
        running[name] = subprocess.Popen(command, cwd=ROOT, env=variables)
    yield running
    for process in running.values():
        process.kill()
        process.wait()


def environment(name: str, broker: SecuredBroker, folder: Path, cache: Path | str = "") -> dict[str, str]:
    """The environment of a service: the address comes from the `env_file` of its role, and /tmp is its own."""
    role = Path(SERVICES[name]["env_file"]).stem
    (folder / name).mkdir(exist_ok=True)
    settings = {"POSEBUS_CACHE_DIR": str(cache), "POSEBUS_WORKER__IMGSZ": "320", "TMPDIR": str(folder / name)}
    return {**os.environ, "POSEBUS_REDIS": broker.url(role), **settings}


def healthy(name: str, broker: SecuredBroker, folder: Path) -> bool:
    """Return whether the service's own health check succeeds."""
    kind, program, *arguments = SERVICES[name]["healthcheck"]["test"]
    assert (kind, program) == ("CMD", "posebus")
    done = subprocess.run(
        [sys.executable, "-m", "posebus_cli", *arguments],
        cwd=ROOT,
        env=environment(name, broker, folder),
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == (1 if done.stderr else 0), done.stderr
    return done.returncode == 0


def wait_for_health(condition: bool, broker: SecuredBroker, folder: Path) -> None:
    """Wait until the health of all stages is `condition`, and their own checks say the same."""
    for name in STAGES:
        what = f"{name} is {'healthy' if condition else 'unhealthy'}"
        files = health_folder({"TMPDIR": str(folder / name)})
        wait_until(
            lambda name=name, files=files: (check(name, files, time.monotonic()) is None) is condition, what, TIMEOUT_S
        )
        wait_until(lambda name=name: healthy(name, broker, folder) is condition, f"{what} by its check", poll_s=0.5)


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


def test_services_turn_healthy_deliver_tracks_and_leave_in_order(
    broker: SecuredBroker, stages: Running, tmp_path: Path
) -> None:
    assert not healthy("metrics", broker, tmp_path), "it was never started"
    wait_for_health(True, broker, tmp_path)
    camera = next(iter(yaml.safe_load((ROOT / "deploy" / "posebus.yaml").read_text())["cameras"]))
    with posebus.subscribe(broker.url("subscriber"), after="start", group="app") as messages:
        frames = (message.body for message in messages if isinstance(message.body, posebus.TrackFrame))
        people = next(frame for frame in frames if frame.tracks)
    assert people.camera == camera
    assert camera in posebus_as("operator", broker, "top", "--once")
    assert f'posebus_camera_online{{camera="{camera}"}} 1.0' in posebus_as("monitor", broker, "metrics", "--once")

    # Equivalent to processes that hang; that of ingest is the supervisor of the cameras.
    for process in stages.values():
        process.send_signal(signal.SIGSTOP)
    wait_for_health(False, broker, tmp_path)
    for process in stages.values():
        process.send_signal(signal.SIGCONT)
    wait_for_health(True, broker, tmp_path)

    grace_s = float(SERVICES["worker"]["stop_grace_period"].removesuffix("s"))
    for process in stages.values():
        process.terminate()
    assert {name: process.wait(timeout=grace_s) for name, process in stages.items()} == dict.fromkeys(STAGES, 0)
    assert camera in posebus_as("operator", broker, "forget", camera)
