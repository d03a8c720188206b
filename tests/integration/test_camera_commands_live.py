"""`posebus camera` and a `posebus ingest` that runs: what the command says is what the registry and the broker hold."""

from __future__ import annotations

import json
from pathlib import Path

from posebus.bus.redis.connection import open_broker
from posebus.bus.registry import Registry
from posebus.telemetry.reports import process_reports
from tests.brokers import Server
from tests.integration.run_command import finish, posebus, start
from tests.polling import wait_until

FILE = "cameras:\n  street: {source: 'synthetic:bus', max_fps: 2}   # stays\n"
WAIT = ("--timeout", "120")


def test_cameras_change_in_a_running_ingest(tmp_path: Path, engine_cache: Path) -> None:
    file = tmp_path / "posebus.yaml"
    file.write_text(FILE)
    with Server(tmp_path / "redis") as server:
        registry = Registry(open_broker(server.url))

        def reading() -> dict[str, int]:
            return {name: one.pid for one in process_reports(registry).values() for name in one.captures}

        def change(*arguments: str) -> str:
            done = posebus(engine_cache, "camera", *arguments, "-c", file)
            assert done.returncode == 0, done.stderr + done.stdout
            return done.stdout

        process = start(engine_cache, "ingest", "-c", file, "--redis", server.url)
        try:
            wait_until(lambda: "street" in reading(), "the camera is read")
            street = reading()["street"]
            assert "yard: online after" in change("add", "yard", "synthetic:bus", "--set", "max_fps=2", *WAIT)
            first = reading()["yard"]
            assert "yard: online after" in change("set", "yard", "max_fps=3", "--no-save", *WAIT)
            assert reading()["yard"] != first
            listed = {one["name"]: one for one in json.loads(change("list", "--json"))}
            assert (listed["yard"]["max_fps"], listed["yard"]["state"]) == (3, "online")
            assert "yard: removed after" in change("remove", "yard", *WAIT)
            assert reading() == {"street": street}
            assert file.read_text() == FILE
        finally:
            process.terminate()
            assert finish(process).returncode == 0
