"""The programs of examples/subscribing against a real broker and a real tracker: all get the same events and frames."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest

from posebus.bus.redis.connection import open_broker
from posebus.bus.registry import CameraRecord, Registry
from posebus.contract.codec import encode_poses
from posebus.contract.public_json import event_fields
from posebus.messages import Delivery
from posebus.topology import Topology
from tests.brokers import Server
from tests.conftest import ROOT, missing
from tests.integration.run_command import start
from tests.polling import wait_until
from tests.samples import PROVENANCE, end, event, pose_frame

EXAMPLES = ROOT / "examples" / "subscribing"
FRAMES = 40
TOPOLOGY = Topology()
RULES = {"gate": {"kind": "line", "points": [[320, 0], [320, 480]]}}


@pytest.fixture
def deployment(tmp_path: Path) -> Iterator[str]:
    """The address of a broker, with a tracker and the poses of a recording in which a person walks over a line."""
    with Server(tmp_path / "broker", "--save", "") as server:
        broker = open_broker(server.url)
        Registry(broker).add_camera(CameraRecord("door", Delivery.LOSSLESS, "file", rules=RULES))
        tracker = start(tmp_path, "track", "--redis", server.url, log=tmp_path / "tracker.log")
        poses = TOPOLOGY.poses("door")
        for seq in range(FRAMES):
            left = 100 + 12 * seq
            box = np.array([[left, 150, left + 60, 330]], np.float32)
            joints = np.full((1, 17, 3), 0.9, np.float32)
            joints[0, :, 0], joints[0, :, 1] = left + 30, np.linspace(160, 325, 17)
            body = replace(pose_frame(seq, people=1), boxes_xyxy_px=box, keypoints_px=joints)
            broker.client.xadd(poses, cast(Any, encode_poses(body, PROVENANCE, 1)))
        broker.client.xadd(poses, cast(Any, encode_poses(end(FRAMES), None, 1)))
        yield server.url
        tracker.terminate()
        tracker.wait(60)


class Example:
    """A running example, and what it has printed."""

    def __init__(self, command: list[str], log: Path, **variables: str) -> None:
        self._log = log
        with log.open("w") as file:
            environment = {**os.environ, **variables}
            self.process = subprocess.Popen(command, stdout=file, stderr=subprocess.STDOUT, env=environment)

    @property
    def found(self) -> list[tuple[str, str]]:
        """Kind and id of each message so far."""
        lines = self._log.read_text().splitlines()
        return [(line.split()[0], line.split()[1]) for line in lines if len(line.split()) > 1]

    def wait_for_the_end(self) -> None:
        """Wait until it has shown the last frame and the last event."""

        def is_complete() -> bool:
            assert self.process.poll() is None, self._log.read_text()
            numbers = {identifier.split("/")[2] for kind, identifier in self.found if kind == "tracks"}
            return len(numbers) >= FRAMES and any("camera.ended" in identifier for _, identifier in self.found)

        wait_until(is_complete, lambda: self._log.read_text()[-2000:])


def test_all_examples_get_the_same_events_and_frames(deployment: str, node_packages: Path, tmp_path: Path) -> None:
    if shutil.which("redis-cli") is None:
        missing("redis-cli is not installed (on Debian: apt install redis-server)")
    # Node.js looks for packages beside the program, and above.
    program = node_packages.parent / "node.mjs"
    shutil.copyfile(EXAMPLES / "node.mjs", program)
    database = str(tmp_path / "handled.sqlite")
    durable = [sys.executable, str(EXAMPLES / "durable.py"), deployment, database]
    commands = {
        "durable": durable,
        "asyncio": [sys.executable, str(EXAMPLES / "with_asyncio.py"), deployment],
        "any_language": [sys.executable, str(EXAMPLES / "any_language.py"), deployment, "door"],
        "redis_cli": ["sh", str(EXAMPLES / "redis_cli.sh"), deployment, "door"],
        "node": ["node", str(program), deployment, "door"],
    }
    running = {name: Example(command, tmp_path / f"{name}.log") for name, command in commands.items()}
    try:
        for example in running.values():
            example.wait_for_the_end()
        found = {name: example.found for name, example in running.items()}
        for name, one in found.items():
            assert len(one) == len(set(one)), f"{name} shows a message twice"
            assert set(one) == set(found["durable"]), name
        kinds = {identifier.split("/")[3] for kind, identifier in found["node"] if kind == "event"}
        assert {"posebus.track.started", "posebus.line.crossed", "posebus.track.ended"} <= kinds
        frames = [identifier for kind, identifier in found["node"] if kind == "tracks"]
        assert frames == [f"door/1/{seq}" for seq in range(FRAMES)] + frames[FRAMES:]
        again = handled_once(running["durable"], durable, deployment, tmp_path)
        running["again"] = again
    finally:
        for example in running.values():
            example.process.kill()
            example.process.wait()


def handled_once(first: Example, command: list[str], url: str, folder: Path) -> Example:
    """The broker forgets the group, so that all messages come again, and then a new one: that one alone is handled."""
    first.process.kill()
    first.process.wait()
    client = open_broker(url).client
    for stream in (TOPOLOGY.events(0), TOPOLOGY.tracks("door")):
        client.xgroup_destroy(stream, "durable")
    new = event(FRAMES + 1)
    client.xadd(TOPOLOGY.events(0), event_fields(new))
    again = Example(command, folder / "again.log")
    wait_until(lambda: again.found, lambda: (folder / "again.log").read_text())
    assert again.found == [("event", new.id)]
    return again
