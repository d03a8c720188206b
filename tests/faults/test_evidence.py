"""Snapshots of events while the process that makes them is killed, and while the broker is away."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from evidence.process import GROUP
from posebus.bus.evidence.snapshots import has_snapshot, read_snapshot
from posebus.bus.redis.connection import open_broker
from posebus.bus.registry import Registry
from posebus.config.loading import dump_settings
from posebus.config.settings import Settings
from posebus.telemetry.process_report import EVIDENCE
from posebus.telemetry.reports import process_reports
from tests.brokers import PERSISTENT, Server
from tests.conftest import ROOT
from tests.evidence_camera import STEPS, EvidenceCamera, shown_frame
from tests.polling import wait_until

KILLS, KILLS_THOROUGH = 2, 20
EVENTS_A_LIFE = 12


class EvidenceProcess:
    """`python -m evidence`; `kill` is SIGKILL. Use it in a `with`."""

    def __init__(self, url: str, folder: Path) -> None:
        self._config = folder / "settings.yaml"
        self._log = folder / "log"
        dump_settings(Settings(redis=url), self._config)

    def start(self) -> None:
        program = [sys.executable, "-m", "evidence", "--config", str(self._config)]
        with self._log.open("a") as log:
            self._process = subprocess.Popen(program, cwd=ROOT, stderr=log)

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()

    def said(self) -> str:
        return self._log.read_text()

    def stop(self) -> int:
        self._process.send_signal(signal.SIGTERM)
        return self._process.wait(60)

    def __enter__(self) -> EvidenceProcess:
        self.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.kill()


def pending(camera: EvidenceCamera) -> int:
    """Events that the process has not read, or not acknowledged."""
    key = camera.broker.topology.events(0)
    groups: Any = camera.broker.client.xinfo_groups(key)
    return int(groups[0]["pending"]) + int(groups[0]["lag"] or 0) if groups else 1


def has_group(camera: EvidenceCamera) -> bool:
    key = camera.broker.topology.events(0)
    groups: Any = camera.broker.client.xinfo_groups(key) if camera.broker.client.exists(key) else []
    return any(group["name"] == GROUP.encode() for group in groups)


def assert_all_there(camera: EvidenceCamera, events: list[int]) -> None:
    for seq in events:
        assert shown_frame(read_snapshot(camera.broker, "door", (1, seq)) or b"") == (seq, seq % STEPS)
    listed: Any = camera.broker.client.xrange(camera.broker.topology.snapshots("door"))
    names = [fields[b"key"] for _, fields in listed]
    assert len(names) == len(set(names)) == len(events)


def test_each_event_has_one_snapshot_however_often_the_process_is_killed(
    redis_server: str, tmp_path: Path, thorough: bool
) -> None:
    broker = open_broker(redis_server)
    broker.client.flushall()
    camera = EvidenceCamera(broker)
    events: list[int] = []
    seq = 0
    with EvidenceProcess(redis_server, tmp_path) as process:
        wait_until(lambda: has_group(camera), process.said, 60)
        for life in range(KILLS_THOROUGH if thorough else KILLS):
            begun = len(events)
            for _ in range(EVENTS_A_LIFE):
                camera.frame(seq, event=True)
                events.append(seq)
                seq += 1
            # In the middle of its work, at another place in each life.
            last = events[begun + life % EVENTS_A_LIFE]
            wait_until(lambda last=last: has_snapshot(broker, "door", (1, last)), process.said, 60)  # type: ignore[misc]
            process.kill()
            process.start()
        wait_until(lambda: pending(camera) == 0, process.said, 60)
        does = [one.does for one in process_reports(Registry(broker)).values() if one.role == EVIDENCE]
        assert not [text for text in does if "missing" in str(text)]
    assert_all_there(camera, events)


def test_a_broker_that_restarts_costs_no_snapshot(tmp_path: Path) -> None:
    with Server(tmp_path / "broker", *PERSISTENT) as server:
        camera = EvidenceCamera(open_broker(server.url))
        with EvidenceProcess(server.url, tmp_path) as process:
            wait_until(lambda: has_group(camera), process.said, 60)
            for seq in range(6):
                camera.frame(seq, event=True)
            server.terminate()
            server.start()
            for seq in range(6, 10):
                wait_until(lambda seq=seq: _published(camera, seq), "the broker")  # type: ignore[misc]
            wait_until(lambda: pending(camera) == 0, process.said, 60)
            assert_all_there(camera, list(range(10)))
            assert process.stop() == 0, process.said()


def _published(camera: EvidenceCamera, seq: int) -> bool:
    try:
        camera.frame(seq, event=True)
    except Exception:  # noqa: BLE001 - it is still starting; the test fails if that lasts
        return False
    return True


@pytest.mark.thorough
def test_snapshots_of_a_hundred_events_at_once(redis_server: str, tmp_path: Path) -> None:
    broker = open_broker(redis_server)
    broker.client.flushall()
    camera = EvidenceCamera(broker)
    with EvidenceProcess(redis_server, tmp_path) as process:
        wait_until(lambda: has_group(camera), process.said, 60)
        for seq in range(100):
            camera.frame(seq, event=True)
        wait_until(lambda: pending(camera) == 0, process.said, 60)
    assert_all_there(camera, list(range(100)))
