"""The ingest of a deployment whose cameras are off, come back, and read files that come later; with a real broker."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from posebus.bus.redis.connection import Broker, open_broker
from posebus.bus.registry import Registry
from posebus.config.cameras.region import read_region
from posebus.config.cameras.schedule import DAYS
from posebus.telemetry.process_report import CaptureReport
from posebus.telemetry.reports import capture_of, process_reports
from tests.integration.made_videos import make_video
from tests.polling import wait_until

REGION = [[0, 0], [0.5, 0], [0.5, 1]]
CAMERA = {"source": "synthetic:bus?fps=5&width=160&height=120"}
FAR = DAYS[(datetime.now(UTC).weekday() + 3) % 7]


class Deployment:
    """The ingest of a configuration that the test edits."""

    def __init__(self, folder: Path, url: str) -> None:
        self.config = folder / "posebus.yaml"
        self.url = url
        self.broker: Broker = open_broker(url)
        tape = make_video(folder / "tape.mp4", 3000, size_px=(64, 48))
        self.cameras: dict[str, dict[str, Any]] = {
            "street": dict(CAMERA),
            "quiet": {**CAMERA, "paused": True},
            "office": {**CAMERA, "schedule": f"{FAR} 07:00-08:00 UTC"},
            "late": {"source": str(folder / "late.mp4"), "loop": True},
            "tape": {"source": str(tape), "realtime": True, "delivery": "lossless"},
        }
        self.write()

    def write(self) -> None:
        defaults = {"reconnect_min_s": 0.1, "reconnect_max_s": 0.2}
        new = self.config.with_suffix(".new")
        # With a size of its own, or auto, a recording would wait for a tracker, which is not here.
        settings = {"redis": self.url, "defaults": defaults, "cameras": self.cameras, "worker": {"imgsz": 320}}
        new.write_text(yaml.safe_dump(settings))
        new.replace(self.config)

    def capture(self, camera: str) -> CaptureReport:
        return capture_of(process_reports(Registry(self.broker)), camera)

    def epoch(self, camera: str) -> int:
        return int(self.broker.client.get(self.broker.topology.epoch(camera)) or 0)

    def events(self, camera: str) -> list[tuple[str, str | None]]:
        entries: Any = self.broker.client.xrange(self.broker.topology.events(0))
        events = [json.loads(fields[b"data"]) for _, fields in entries if fields[b"camera"] == camera.encode()]
        return [(one["type"].rpartition(".")[2], one["data"].get("reason")) for one in events]

    def checkpoint(self, camera: str) -> dict[str, str]:
        values: Any = self.broker.client.hgetall(self.broker.topology.checkpoint(camera))
        return {name.decode(): value.decode(errors="replace") for name, value in values.items()}

    def ends(self, camera: str) -> int:
        """How often the end of the camera's source was published."""
        entries: Any = self.broker.client.xrange(self.broker.topology.frames(camera))
        return sum(fields[b"kind"] == b"end" for _, fields in entries)


@pytest.fixture(scope="module")
def deployment(tmp_path_factory: pytest.TempPathFactory, redis_server: str) -> Iterator[Deployment]:
    folder = tmp_path_factory.mktemp("switching")
    running = Deployment(folder, redis_server)
    command = [sys.executable, "-m", "posebus_cli", "ingest", "-c", str(running.config)]
    process = subprocess.Popen(command, stderr=(folder / "log").open("wb"))
    try:
        yield running
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0, (folder / "log").read_text()
        log = (folder / "log").read_text()
        assert log.count("there is no file") == 1
        assert "Traceback" not in log
    finally:
        process.kill()


def becomes(deployment: Deployment, camera: str, state: str) -> CaptureReport:
    wait_until(
        lambda: deployment.capture(camera).state == state,
        lambda: f"{camera} is {state}: {deployment.capture(camera)}",
        poll_s=0.1,
    )
    return deployment.capture(camera)


def test_cameras_that_are_off_are_shown_with_the_reason_and_have_no_process(deployment: Deployment) -> None:
    becomes(deployment, "street", "online")
    assert becomes(deployment, "quiet", "paused").trouble == "paused"
    assert becomes(deployment, "office", "off").trouble == f"off until {FAR} 07:00 UTC"
    names = [record.camera for record in Registry(deployment.broker).cameras()]
    assert {"quiet", "office"} <= set(names)
    assert deployment.epoch("quiet") == deployment.epoch("office") == 0


def test_a_camera_whose_file_comes_later_is_shown_with_the_reason_and_comes_online(deployment: Deployment) -> None:
    late = Path(deployment.cameras["late"]["source"])
    reason = f"there is no file {late}; check the path"
    assert becomes(deployment, "late", "offline").trouble == reason
    video = make_video(late.with_name("made.mp4"))
    shutil.move(video, late)
    becomes(deployment, "late", "online")
    assert deployment.events("late")[:2] == [("offline", reason), ("online", None)]


def test_a_region_changes_in_the_registry_without_a_new_epoch(deployment: Deployment) -> None:
    becomes(deployment, "street", "online")
    epoch = deployment.epoch("street")
    deployment.cameras["street"]["region"] = REGION
    deployment.write()

    def region() -> object:
        (record,) = [one for one in Registry(deployment.broker).cameras() if one.camera == "street"]
        return record.region

    wait_until(lambda: region() == read_region(REGION), lambda: f"the region, not {region()}", poll_s=0.1)
    frames = deployment.capture("street").frames or 0
    wait_until(lambda: (deployment.capture("street").frames or 0) > frames, "further frames", poll_s=0.1)
    assert deployment.epoch("street") == epoch


def test_a_camera_that_is_paused_ends_its_source_and_comes_back(deployment: Deployment) -> None:
    becomes(deployment, "street", "online")
    epoch, ends = deployment.epoch("street"), deployment.ends("street")
    deployment.cameras["street"]["paused"] = True
    deployment.write()
    assert becomes(deployment, "street", "paused").trouble == "paused"
    assert deployment.events("street")[-1] == ("offline", "paused")
    assert deployment.ends("street") == ends + 1
    deployment.cameras["street"]["paused"] = False
    deployment.write()
    becomes(deployment, "street", "online")
    assert deployment.epoch("street") > epoch
    assert deployment.capture("quiet").state == "paused"


def test_a_recording_that_is_paused_goes_on_where_it_was(deployment: Deployment) -> None:
    becomes(deployment, "tape", "online")
    deployment.cameras["tape"]["paused"] = True
    deployment.write()
    becomes(deployment, "tape", "paused")
    before = deployment.checkpoint("tape")
    assert 0 < int(before["seq"]) < 3000
    deployment.cameras["tape"]["paused"] = False
    deployment.write()
    becomes(deployment, "tape", "online")
    wait_until(lambda: int(deployment.checkpoint("tape")["seq"]) > int(before["seq"]) + 5, "further frames", poll_s=0.1)
    assert deployment.checkpoint("tape")["epoch"] == before["epoch"]
    assert deployment.ends("tape") == 0
    entries: Any = deployment.broker.client.xrange(deployment.broker.topology.frames("tape"))
    numbers = [int(fields[b"seq"]) for _, fields in entries]
    assert numbers == list(range(len(numbers)))
