"""The wall changes a deployment that was started without a file: its answers are what the broker and the loop hold."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from small_deployment import SmallDeployment, running

from posebus.bus.redis.connection import open_broker
from posebus.bus.registry import CameraRecord, Registry
from posebus.config.rules.reading import rules_to_json
from posebus.control.folder import FOLDER_ENV
from posebus.messages import Delivery
from posebus.reloading.followed import Update
from tests.unit.wall.editing_page import drawing, page

ZONE = {"name": "desk", "kind": "zone", "shape": "polygon", "points": [[0, 0], [50, 0], [50, 50]], "settings": {}}


@pytest.fixture
def small(redis_server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SmallDeployment]:
    """A deployment without a file at the broker, whose cameras are announced as ingest does it."""
    for name in [name for name in os.environ if name.startswith("POSEBUS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv(FOLDER_ENV, str(tmp_path))
    registry = Registry(open_broker(redis_server))
    with running(None, tmp_path) as deployment:
        deployment.pin(redis=redis_server)
        before = deployment.updated

        def updated(update: Update) -> None:
            before(update)
            for name, camera in update.settings.cameras.items():
                rules = rules_to_json(camera.rules)
                registry.add_camera(CameraRecord(name, Delivery.LIVE, "usb", rules=rules, ground=camera.ground))
            for name in update.difference.removed:
                registry.remove_camera(name)

        deployment.updated = updated
        yield deployment


def test_what_has_no_file_is_changed_in_the_running_deployment(small: SmallDeployment, redis_server: str) -> None:
    with page(None, redis=redis_server) as client:
        added = client.post("/api/cameras", json={"name": "wall.door", "fields": {"source": "usb:0", "max_fps": 3}})
        assert added.status_code == 201, added.text
        assert "not saved, as the deployment was started without a file" in added.json()["saved"]
        assert small.settings.cameras["wall.door"].max_fps == 3
        listed = client.get("/api/cameras").json()
        assert (listed["file"], [one["name"] for one in listed["cameras"]]) == (None, ["wall.door"])

        before = drawing(client, "wall.door")
        url = "/api/cameras/wall.door/drawing"
        saved = client.put(url, json={"revision": before["revision"], "rules": [ZONE], "ground": None})
        assert "in force after" in saved.json()["saved"]
        assert list(small.settings.cameras["wall.door"].rules) == ["desk"]
        # Somebody else has not seen it.
        late = client.put(url, json={"revision": before["revision"], "rules": [], "ground": None})
        assert late.status_code == 409
        assert "added zone desk" in late.json()["sentence"]
        emptied = client.put(url, json={"revision": saved.json()["revision"], "rules": [], "ground": None})
        assert emptied.status_code == 200
        assert drawing(client, "wall.door")["rules"] == []

        assert "paused after" in client.post("/api/cameras/wall.door/pause").json()["saved"]
        assert "removed after" in client.delete("/api/cameras/wall.door").json()["saved"]
        assert small.settings.cameras == {}


def test_a_deployment_of_another_broker_is_left_alone(small: SmallDeployment) -> None:
    with page(None, redis="redis://127.0.0.1:1") as client:
        answer = client.post("/api/cameras", json={"name": "door", "fields": {"source": "usb:0"}})
        assert answer.status_code == 503
    assert small.settings.cameras == {}
