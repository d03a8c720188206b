"""The wall and a `posebus ingest` that runs: a drawing reaches the broker without a new process of the camera."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from posebus.bus.redis.connection import open_broker
from posebus.bus.registry import Registry
from posebus.control.folder import FOLDER_ENV
from posebus.telemetry.reports import process_reports
from tests.brokers import Server
from tests.integration.run_command import finish, start
from tests.polling import wait_until
from tests.unit.wall.editing_page import drawing, page

FILE = "cameras:\n  street: {source: 'synthetic:bus', max_fps: 2}   # stays\n"
ZONE = {"name": "desk", "kind": "zone", "shape": "polygon", "points": [[0, 0], [50, 0], [50, 50]], "settings": {}}


def test_a_drawing_is_in_force_without_a_restart(
    tmp_path: Path, engine_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [name for name in os.environ if name.startswith("POSEBUS_")]:
        monkeypatch.delenv(name)
    file = tmp_path / "posebus.yaml"
    file.write_text(FILE)
    with Server(tmp_path / "redis") as server:
        registry = Registry(open_broker(server.url))

        def reading() -> dict[str, int]:
            return {name: one.pid for one in process_reports(registry).values() for name in one.captures}

        monkeypatch.setenv(FOLDER_ENV, str(tmp_path / "sockets"))
        process = start(engine_cache, "ingest", "-c", file, "--redis", server.url)
        try:
            wait_until(lambda: "street" in reading(), "the camera is read")
            street = reading()["street"]
            with page(file, redis=server.url) as client:
                revision = drawing(client, "street")["revision"]
                answer = client.put(
                    "/api/cameras/street/drawing", json={"revision": revision, "rules": [ZONE], "ground": None}
                )
                assert answer.status_code == 200, answer.text
                wait_until(lambda: "desk" in getattr(registry.camera("street"), "rules", {}), "the zone is announced")
                added = client.post("/api/cameras", json={"name": "yard", "fields": {"source": "synthetic:zidane"}})
                assert added.status_code == 201, added.text
                wait_until(lambda: "yard" in reading(), "the new camera is read")
                assert client.delete("/api/cameras/yard").status_code == 200
                wait_until(lambda: "yard" not in reading(), "the camera is left")
            assert reading() == {"street": street}
            assert "# stays" in file.read_text()
        finally:
            process.terminate()
            assert finish(process).returncode == 0
