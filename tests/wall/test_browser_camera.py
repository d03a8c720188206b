"""A browser as a camera, from its camera to identities on its page: a real browser, broker, worker and tracker."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, WebSocket, expect

from posebus.bus.redis.connection import Broker, open_broker
from tests.integration.worker_and_tracker import worker_and_tracker
from tests.polling import wait_until
from tests.wall.camera_bench import put_ort_files, served_wall, street_clip, with_camera
from tests.wall.conftest import PAGE_LIMIT_MS

expect.set_options(timeout=PAGE_LIMIT_MS)
IDENTITIES = "body[data-identities=yes]"
"""The page says so once people with numbers were drawn on the frame in which they were found."""


@pytest.fixture(scope="module")
def camera_wall(redis_server: str, engine_cache: Path, node_packages: Path) -> Iterator[str]:
    put_ort_files(node_packages, engine_cache)
    open_broker(redis_server).client.flushall()
    with worker_and_tracker(redis_server, engine_cache), served_wall(redis_server, engine_cache) as address:
        yield address


@pytest.fixture(scope="module")
def clip(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return street_clip(shared_data, tmp_path_factory.mktemp("clip") / "street.mjpeg")


@pytest.fixture(scope="module")
def street(browser: Browser, chromium: str, clip: Path) -> Iterator[Browser]:
    """A browser whose camera sees a street with people."""
    with with_camera(browser, chromium, clip) as launched:
        yield launched


def opened(launched: Browser, address: str) -> Page:
    page = launched.new_page(viewport={"width": 1100, "height": 800})
    page.set_default_timeout(PAGE_LIMIT_MS)
    page.goto(f"{address}/camera")
    return page


def sent_by(page: Page) -> tuple[list[int], list[str]]:
    """Lists that get what the page sends over WebSockets: sizes of binary messages, and texts."""
    binary: list[int] = []
    texts: list[str] = []

    def sent(payload: str | bytes) -> None:
        if isinstance(payload, bytes):
            binary.append(len(payload))
        else:
            texts.append(payload)

    def opens(socket: WebSocket) -> None:
        socket.on("framesent", sent)

    page.on("websocket", opens)
    return binary, texts


def names(broker: Broker, kind: str) -> set[str]:
    return {key.decode().rpartition(":")[2] for key in broker.client.keys(f"posebus:*:{kind}:*")}


def test_pictures_of_a_page_come_back_as_identities_on_their_own_frames(
    street: Browser, camera_wall: str, redis_server: str
) -> None:
    page = opened(street, camera_wall)
    binary, _ = sent_by(page)
    page.get_by_label("Name").fill("street")
    page.get_by_role("button", name="Start").click()
    page.wait_for_selector(IDENTITIES)
    expect(page.get_by_role("status")).to_contain_text("browser-street")
    assert binary, "pictures were sent"
    page.get_by_role("button", name="Stop").click()
    expect(page.get_by_role("status")).to_have_text("Stopped. Nothing is sent any more.")
    broker = open_broker(redis_server)
    wait_until(lambda: b"browser-street" not in broker.client.hgetall("posebus:{0}:cameras"), "the camera to end")
    page.close()


def test_poses_of_a_page_come_back_as_identities_and_no_picture_leaves_it(
    street: Browser, camera_wall: str, redis_server: str
) -> None:
    page = opened(street, camera_wall)
    binary, texts = sent_by(page)
    page.get_by_label("Poses only").check()
    page.get_by_label("Name").fill("quiet")
    page.get_by_role("button", name="Start").click()
    page.wait_for_selector(IDENTITIES)
    frames = [text for text in texts if json.loads(text)["type"] == "poses"]
    assert binary == [], "no bytes that could be a picture"
    assert max(map(len, frames)) < 5000
    assert max(len(json.loads(text)["people"]) for text in frames) > 1
    broker = open_broker(redis_server)
    assert broker.client.xlen("posebus:{0}:frames:browser-quiet") == 0
    newest = json.loads(broker.client.xrevrange("posebus:{0}:tracks:browser-quiet", count=1)[0][1][b"data"])
    assert newest["size_px"] == [640, 480]
    page.close()


def test_a_page_that_may_not_use_the_camera_says_what_to_do(
    browser: Browser, chromium: str, clip: Path, camera_wall: str
) -> None:
    with with_camera(browser, chromium, clip, allowed=False) as launched:
        page = opened(launched, camera_wall)
        page.get_by_role("button", name="Start").click()
        expect(page.get_by_role("alert")).to_contain_text("Allow it for this page")
    with with_camera(browser, chromium, None) as launched:
        page = opened(launched, camera_wall)
        page.get_by_role("button", name="Start").click()
        expect(page.get_by_role("alert")).to_contain_text("has no camera that the browser can find")


def test_without_what_runs_the_network_a_sentence_says_where_it_belongs(
    street: Browser, redis_server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("npm_config_registry", "http://127.0.0.1:9")  # where nothing answers
    with served_wall(redis_server, tmp_path) as address:
        page = opened(street, address)
        page.get_by_label("Poses only").check()
        page.get_by_role("button", name="Start").click()
        expect(page.get_by_role("alert")).to_contain_text(f"into {tmp_path}/browser/onnxruntime-web")
        page.close()
