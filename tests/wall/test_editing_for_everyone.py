"""The editor and the cameras of the wall with screen readers and on phones: axe finds nothing, nothing is cut off."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from posebus.control.folder import FOLDER_ENV
from tests.wall.editing_wall import EditedWall, edited_wall
from tests.wall.front_web import web_folder

PHONE = {"width": 375, "height": 740}
DESKTOP = {"width": 1280, "height": 800}


@pytest.fixture
def wall(redis_server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[EditedWall]:
    for name in [name for name in os.environ if name.startswith("POSEBUS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv(FOLDER_ENV, str(tmp_path))
    with edited_wall(redis_server, tmp_path) as served:
        yield served


def violations(page: Page, axe: str) -> list[str]:
    page.evaluate(axe)
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']}).then((said) => said.violations)")
    return [f"{one['id']}: {one['nodes'][0]['html'][:200]}" for one in found]


def is_within(page: Page) -> bool:
    """Whether nothing is wider than the page, so that nobody has to scroll sideways."""
    return bool(page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"))


@pytest.mark.parametrize(("theme", "size"), [("dark", DESKTOP), ("light", PHONE)])
def test_axe_finds_nothing_and_all_fits(
    browser: Browser, wall: EditedWall, run_folder: Path, theme: str, size: dict[str, int]
) -> None:
    axe = (web_folder(run_folder) / "node_modules" / "axe-core" / "axe.min.js").read_text()
    context = browser.new_context(viewport=size, color_scheme=theme, reduced_motion="reduce")  # type: ignore[arg-type]
    page = context.new_page()
    page.goto(f"{wall.url}#/draw/hall")
    page.get_by_role("button", name="gate Line").click()
    expect(page.get_by_label("Name", exact=True)).to_be_visible()
    assert violations(page, axe) == []
    assert is_within(page)
    page.get_by_role("button", name="Copy as YAML").click()
    expect(page.get_by_role("dialog")).to_be_visible()
    assert violations(page, axe) == []
    page.goto(f"{wall.url}#/cameras")
    page.get_by_role("button", name="Change hall").click()
    page.get_by_text("More settings").click()
    assert violations(page, axe) == []
    assert is_within(page)
    context.close()
