"""The page's editor and its cameras in a real browser: by mouse, by keyboard, by two people, on a full disk."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect
from ruamel.yaml import YAML

from posebus.control.folder import FOLDER_ENV
from tests.wall.editing_wall import FILE, EditedWall, edited_wall, sending

SIZE_PX = (1280, 720)
"""What the editor takes for a camera that has sent no picture yet."""


@pytest.fixture
def wall(redis_server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[EditedWall]:
    for name in [name for name in os.environ if name.startswith("POSEBUS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv(FOLDER_ENV, str(tmp_path))
    with edited_wall(redis_server, tmp_path) as served:
        yield served


def rules(wall: EditedWall) -> Any:
    return YAML(typ="safe", pure=True).load(wall.file)["cameras"]["hall"]["rules"]


def open_editor(page: Page, wall: EditedWall) -> None:
    page.goto(f"{wall.url}#/draw/hall")
    expect(page.get_by_role("button", name="gate Line")).to_be_visible()
    page.locator("canvas.edit-canvas").scroll_into_view_if_needed()


def place(page: Page, x_px: int, y_px: int) -> tuple[float, float]:
    """Where a place of the picture is on the page."""
    box = page.locator("canvas.edit-canvas").bounding_box()
    assert box is not None
    return box["x"] + x_px / SIZE_PX[0] * box["width"], box["y"] + y_px / SIZE_PX[1] * box["height"]


def save(page: Page, sentence: str = "in force after") -> None:
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.locator(".edit-status")).to_contain_text(sentence)


def draw_zone(page: Page, *points: tuple[int, int]) -> None:
    page.get_by_role("button", name="Zone", exact=True).click()
    for point in points:
        page.mouse.click(*place(page, *point))
    page.keyboard.press("Enter")


def near(points: Any, wanted: list[tuple[int, int]]) -> bool:
    """Whether points are those that were pressed on, as exactly as the pixels of the screen."""
    return len(points) == len(wanted) and all(
        abs(one - other) <= 2 for pair in zip(points, wanted, strict=True) for one, other in zip(*pair, strict=True)
    )


def test_a_zone_is_drawn_with_the_mouse_and_saved_with_the_comments(page: Page, wall: EditedWall) -> None:
    open_editor(page, wall)
    corners = [(200, 100), (700, 100), (700, 400), (300, 400)]
    draw_zone(page, *corners)
    page.get_by_label("Name", exact=True).fill("door.1")
    page.get_by_label("Dwells after (s)").fill("20")
    save(page)
    saved = rules(wall)
    assert list(saved) == ["gate", "door.1"]
    assert near(saved["door.1"]["points"], corners)
    assert saved["door.1"]["dwell_s"] == 20
    assert [line for line in FILE.splitlines() if line not in wall.file.read_text().splitlines()] == []
    assert list(wall.small.settings.cameras["hall"].rules) == ["gate", "door.1"]

    # A corner pulled over the opposite side crosses it, which is wrong at once and cannot be saved.
    page.mouse.move(*place(page, 200, 100))
    page.mouse.down()
    page.mouse.move(*place(page, 900, 300), steps=4)
    page.mouse.up()
    expect(page.locator(".edit-status")).to_contain_text("sides cross each other")
    expect(page.get_by_role("button", name="Save", exact=True)).to_be_disabled()
    page.keyboard.press("Control+z")
    expect(page.locator(".edit-status")).not_to_contain_text("sides cross")

    # A line's end is moved by hand, and another field that the wall refuses is said at its place.
    page.mouse.move(*place(page, 600, 600))
    page.mouse.down()
    page.mouse.move(*place(page, 640, 500), steps=3)
    page.mouse.up()
    page.get_by_label("Settles after (s)").fill("-1")
    expect(page.locator(".edit-fields small.bad")).to_contain_text("at least 0")
    page.get_by_label("Settles after (s)").fill("")
    expect(page.get_by_role("button", name="Save", exact=True)).to_be_enabled()
    save(page)
    assert near(rules(wall)["gate"]["points"], [(100, 600), (640, 500)])
    assert "# the yard" in wall.file.read_text()


def test_everything_is_reached_by_the_keyboard(page: Page, wall: EditedWall) -> None:
    open_editor(page, wall)
    canvas = page.locator("canvas.edit-canvas")
    canvas.focus()
    page.keyboard.press("Tab")
    for key in ("ArrowRight", "Shift+ArrowDown", "ArrowUp"):
        page.keyboard.press(key)
    assert page.get_by_label("x of point 1").input_value() == "101"
    assert page.get_by_label("y of point 1").input_value() == "609"
    # A zone from the middle of the picture: the cross goes by arrow keys, Space sets a point, Enter finishes.
    page.get_by_role("button", name="Zone", exact=True).focus()
    page.keyboard.press("Enter")
    for keys in (["Space"], ["Shift+ArrowRight"] * 6, ["Space"], ["Shift+ArrowDown"] * 5, ["Space", "Enter"]):
        for key in keys:
            page.keyboard.press(key)
    page.keyboard.press("Tab")  # the first point of the new zone
    page.keyboard.press("Insert")
    page.keyboard.press("Control+z")
    page.keyboard.press("Control+y")
    page.get_by_role("button", name="Save", exact=True).focus()
    page.keyboard.press("Enter")
    expect(page.locator(".edit-status")).to_contain_text("in force after")
    saved = rules(wall)
    assert saved["gate"]["points"] == [[101, 609], [600, 600]]
    assert saved["zone"]["points"] == [[640, 360], [670, 360], [700, 360], [700, 410]]
    # Beyond the last point, Tab leaves the picture.
    canvas.focus()
    page.keyboard.press("Shift+Tab")
    for _ in range(20):
        page.keyboard.press("Shift+Tab")
    assert page.evaluate("document.activeElement.tagName") != "CANVAS"


def test_ground_points_are_drawn_with_metres(page: Page, wall: EditedWall) -> None:
    open_editor(page, wall)
    page.get_by_role("button", name="Ground points", exact=True).click()
    corners = [(300, 650), (1000, 650), (800, 300), (480, 300)]
    for corner in corners:
        page.mouse.click(*place(page, *corner))
    page.get_by_label("x of point 2 in metres").fill("2.5")
    page.get_by_label("x of point 3 in metres").fill("2.5")
    save(page)
    ground = YAML(typ="safe", pure=True).load(wall.file)["cameras"]["hall"]["ground"]
    assert near(ground["points"], corners)
    assert ground["metres"] == [[0, 0], [2.5, 0], [2.5, 4], [0, 4]]


def test_two_people_edit_one_zone_and_nothing_is_lost(page: Page, browser: Browser, wall: EditedWall) -> None:
    open_editor(page, wall)
    other = browser.new_page(viewport={"width": 1280, "height": 800})
    open_editor(other, wall)
    draw_zone(other, (100, 100), (300, 100), (300, 300))
    save(other)
    other.close()
    draw_zone(page, (800, 100), (1000, 100), (1000, 300))
    page.get_by_label("Name", exact=True).fill("mine")
    page.get_by_role("button", name="Save", exact=True).click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("they added zone zone")
    dialog.get_by_role("button", name="Take theirs").click()
    expect(page.get_by_role("button", name="zone Zone")).to_be_visible()
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_role("button", name="mine Zone")).to_be_visible()
    save(page)
    assert list(rules(wall)) == ["gate", "mine"]


def test_a_full_disk_leaves_the_drawing_on_the_page(
    page: Page, wall: EditedWall, monkeypatch: pytest.MonkeyPatch
) -> None:
    open_editor(page, wall)
    draw_zone(page, (100, 100), (300, 100), (300, 300))

    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patched:
        patched.setattr("posebus.config.editing.config_file.os.fsync", full)
        save(page, "No space left on device")
        assert wall.file.read_text() == FILE
    page.get_by_role("button", name="Copy as YAML").click()
    assert "zone:" in page.locator("textarea").input_value()
    page.get_by_role("dialog").get_by_role("button", name="Close").click()
    save(page)
    assert "zone" in rules(wall)


def test_a_camera_is_tried_added_changed_paused_and_removed(page: Page, wall: EditedWall) -> None:
    page.goto(f"{wall.url}#/cameras")
    expect(page.locator("tr[data-camera=hall]")).to_contain_text("rtsp://***@192.0.2.1/live")
    page.get_by_role("button", name="Add a camera").click()
    page.get_by_label("Name").fill("door")
    address = page.get_by_label("Address, file or device")
    address.fill("/etc/passwd")
    page.get_by_role("button", name="Add the camera").click()
    expect(page.locator("#camera-source-wrong")).to_contain_text("from a page, files are read from these folders alone")
    address.fill("rtsp://me:topsecret@192.0.2.7/bad")
    page.get_by_role("button", name="Test picture").click()
    expect(page.locator("#camera-source-wrong")).to_contain_text("no answer from rtsp://***@192.0.2.7/bad")
    address.fill("rtsp://me:topsecret@192.0.2.7/live")
    page.get_by_role("button", name="Test picture").click()
    expect(page.get_by_alt_text("The test picture")).to_be_visible()
    page.get_by_role("button", name="Add the camera").click()
    door = page.locator("tr[data-camera=door]")
    expect(door).to_contain_text("online")
    page.get_by_role("button", name="Change door").click()
    expect(address).to_have_value("rtsp://***@192.0.2.7/live")
    page.get_by_text("More settings").click()
    page.get_by_label("Frames a second, at most").fill("2,5")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("door: online after")).to_be_visible()
    saved = YAML(typ="safe", pure=True).load(wall.file)["cameras"]["door"]
    assert saved == {"source": "rtsp://me:topsecret@192.0.2.7/live", "max_fps": 2.5}
    page.get_by_role("button", name="Pause door").click()
    expect(page.get_by_role("button", name="Resume door")).to_be_visible()
    page.get_by_role("button", name="Remove door").click()
    page.get_by_role("dialog").get_by_role("button", name="Remove door").click()
    expect(door).to_have_count(0)
    assert "topsecret" not in page.content()
    assert wall.file.read_text() == FILE


def test_zones_are_drawn_over_the_live_picture_in_its_pixels(page: Page, wall: EditedWall, redis_server: str) -> None:
    middle = """() => {
      const canvas = document.querySelector("canvas.edit-canvas");
      const at = [Math.floor(canvas.width / 2), Math.floor(canvas.height / 2), 1, 1];
      const [red, green, blue] = canvas.getContext("2d").getImageData(...at).data;
      return green > 130 && red < 80 && blue < 130 && Math.abs(canvas.width / canvas.height - 4 / 3) < 0.01;
    }"""
    with sending(redis_server, "hall", (640, 480)):
        open_editor(page, wall)
        page.wait_for_function(middle)
        box = page.locator("canvas.edit-canvas").bounding_box()
        assert box is not None
        page.get_by_role("button", name="Line", exact=True).click()
        for x, y in ((0.25, 0.25), (0.75, 0.5)):
            page.mouse.click(box["x"] + x * box["width"], box["y"] + y * box["height"])
        save(page)
    assert near(rules(wall)["line"]["points"], [(160, 120), (480, 240)])
