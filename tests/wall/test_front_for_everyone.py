"""The page of the wall with screen readers, keyboards and phones: axe finds nothing, and nothing is cut off."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Browser, Page, ViewportSize, expect

from tests.wall.front_mock import Mock, camera, serving, usual
from tests.wall.front_web import web_folder

LIMIT_MS = 60_000
DESKTOP = ViewportSize(width=1280, height=800)
PHONE = ViewportSize(width=375, height=740)
VIEWS = ("", "camera/entrance", "camera/yard", "people", "events", "floor", "status")
LONG = "a-camera-with-a-name-that-nobody-would-choose-but-somebody-has-" * 3


@pytest.fixture(scope="module")
def axe(run_folder: Path) -> str:
    return (web_folder(run_folder) / "node_modules" / "axe-core" / "axe.min.js").read_text()


@pytest.fixture(scope="module")
def mock() -> Mock:
    return usual()


@pytest.fixture(scope="module")
def address(mock: Mock) -> Iterator[str]:
    with serving(mock) as served:
        yield served


def opened(browser: Browser, size: ViewportSize, theme: Literal["dark", "light"]) -> Page:
    context = browser.new_context(viewport=size, color_scheme=theme, reduced_motion="reduce")
    context.set_default_timeout(LIMIT_MS)
    return context.new_page()


def violations(page: Page, axe: str) -> list[str]:
    """What axe says against the page, each as rule, reason and element."""
    page.evaluate(axe)
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']}).then((said) => said.violations)")
    return [f"{one['id']}: {one['help']}: {json.dumps(one['nodes'][0]['html'])[:200]}" for one in found]


def settle(page: Page) -> None:
    """Wait until the view has drawn what it has."""
    expect(page.locator("main")).not_to_be_empty()
    page.wait_for_timeout(400)


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_axe_finds_nothing_in_any_view(
    browser: Browser, address: str, axe: str, theme: Literal["dark", "light"]
) -> None:
    page = opened(browser, DESKTOP, theme)
    page.goto(address)
    found = {}
    for view in VIEWS:
        page.goto(f"{address}/#/{view}")
        settle(page)
        found[view] = violations(page, axe)
    page.goto(f"{address}/#/events")
    page.locator("main .event-row").first.click()
    expect(page.get_by_role("dialog").get_by_role("img")).to_be_visible()
    found["moment"] = violations(page, axe)
    page.keyboard.press("Escape")
    page.keyboard.press("?")
    found["help"] = violations(page, axe)
    page.context.close()
    assert {view: said for view, said in found.items() if said} == {}


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_axe_finds_nothing_where_one_begins(browser: Browser, axe: str, theme: Literal["dark", "light"]) -> None:
    mock = Mock([], password="correct")
    page = opened(browser, DESKTOP, theme)
    with serving(mock) as address:
        page.goto(address)
        expect(page.get_by_role("button", name="Log in")).to_be_visible()
        login = violations(page, axe)
        mock.password = None
        page.goto(f"{address}/#/")
        page.reload()
        expect(page.get_by_role("heading", name="No cameras yet")).to_be_visible()
        empty = violations(page, axe)
        page.set_viewport_size(PHONE)
        right = page.evaluate(
            "Math.max(...[...document.querySelectorAll('main .panel')].map((part) => part.scrollWidth))"
        )
    page.context.close()
    assert (login, empty) == ([], [])
    assert right <= PHONE["width"]


def test_a_phone_shows_each_view_without_scrolling_sideways(browser: Browser, axe: str) -> None:
    mock = usual()
    mock.cameras.append(camera(LONG, trouble=LONG, source=LONG))
    mock.cameras.append(camera(f"{LONG}2", state="offline", trouble=LONG))
    page = opened(browser, PHONE, "dark")
    found = {}
    with serving(mock) as address:
        page.goto(address)
        for view in (*VIEWS, f"camera/{LONG}"):
            page.goto(f"{address}/#/{view}")
            settle(page)
            mock.emit("zone.entered", LONG, rule=LONG, track_id=1)
            page.wait_for_timeout(50)
            width = page.evaluate("document.documentElement.scrollWidth")
            found[view] = violations(page, axe) + ([f"{width} pixels wide"] if width > PHONE["width"] else [])
    page.context.close()
    assert {view: said for view, said in found.items() if said} == {}


def test_the_picture_of_a_large_camera_is_on_a_phones_screen(browser: Browser, address: str) -> None:
    page = opened(browser, PHONE, "dark")
    page.goto(f"{address}/#/camera/entrance")
    box = page.locator(".large-stage canvas").bounding_box()
    page.context.close()
    assert box is not None
    assert box["width"] > 340
    assert box["height"] > 180
    assert box["y"] + box["height"] < PHONE["height"]


def test_the_focus_can_be_seen(browser: Browser, address: str) -> None:
    page = opened(browser, DESKTOP, "dark")
    page.goto(address)
    expect(page.locator("a.tile").first).to_be_visible()
    styles = []
    for _ in range(12):
        page.keyboard.press("Tab")
        styles.append(page.evaluate("getComputedStyle(document.activeElement).outlineStyle"))
    page.context.close()
    assert set(styles) == {"solid"}
