"""`posebus up --wall` with real cameras, workers and a tracker, as somebody sees it who opens the page.

WALL_PICTURES=docs writes the pictures of the documents, with skeletons alone: the recordings are not ours to publish.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from playwright.sync_api import Page

from tests.integration.run_command import TIMEOUT_S, start
from tests.polling import wait_until
from tests.ports import free_port

PICTURES = os.environ.get("WALL_PICTURES")
RULES = {
    "square": {"kind": "zone", "points": [[0.05, 0.55], [0.5, 0.5], [0.55, 0.95], [0.03, 0.95]]},
    "gate": {"kind": "line", "points": [[0.72, 0.35], [0.78, 0.95]]},
}
GROUND = {"points": [[0.2, 0.5], [0.8, 0.5], [1, 1], [0, 1]], "metres": [[0, 10], [6, 10], [6, 0], [0, 0]]}


@pytest.fixture(scope="module")
def address(shared_data: Path, engine_cache: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The wall of a deployment that runs."""
    folder = tmp_path_factory.mktemp("wall")
    port, broker = free_port(), free_port()
    cameras: dict[str, dict[str, Any]] = {
        "street": {"source": "synthetic:bus?fps=3", "rules": RULES},
        "square": {"source": str(shared_data / "TUD-Stadtmitte.mp4"), "realtime": True, "max_fps": 5},
        "pitch": {"source": "synthetic:zidane?fps=3"},
        "yard": {"source": "rtsp://user:hunter2@127.0.0.1:9/yard"},
    }
    cameras["square"] |= {"rules": RULES, "ground": GROUND}
    settings = {"cameras": cameras, "wall": {"port": port}, "worker": {"imgsz": 640, "imgsz_max": 640}}
    config = folder / "posebus.yaml"
    config.write_text(yaml.safe_dump(settings))
    log = folder / "up.log"
    process = start(engine_cache, "up", "-c", config, "--port", str(broker), "--wall", log=log)
    try:
        found = f"http://127.0.0.1:{port}"
        wait_until(lambda: f"the wall is at {found}" in log.read_text(), log.read_text)
        yield found
        process.send_signal(signal.SIGINT)
        assert process.wait(TIMEOUT_S) in (0, 130), log.read_text()
    finally:
        process.kill()


def take(page: Page, name: str) -> None:
    """Write a picture for the documents, where they are wanted."""
    if PICTURES is not None:
        page.wait_for_timeout(1500)
        page.screenshot(path=str(Path(PICTURES) / f"{name}.png"))


def test_whoever_opens_the_page_sees_people_at_once_and_why_a_camera_is_offline(page: Page, address: str) -> None:
    page.emulate_media(color_scheme="dark")
    page.goto(address)
    page.get_by_text("Skeletons only").click()
    wait_until(lambda: "3 people" in page.inner_text("body"), lambda: page.inner_text("body"))
    wait_until(lambda: "refuses the connection" in page.inner_text("body"), lambda: page.inner_text("body"))
    assert "hunter2" not in page.content()
    take(page, "wall")
    page.goto(f"{address}/#/camera/square")
    page.get_by_text("Draw zones and lines").wait_for()
    take(page, "wall_camera")
    page.get_by_role("link", name="Status").click()
    page.get_by_text("worker").first.wait_for()
    take(page, "wall_status")
