"""The page of the wall in a real browser, against a server that plays made frames."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import ConsoleMessage, Page, ViewportSize, expect

from tests.polling import wait_until
from tests.wall.front_mock import Mock, camera, frame_message, serving, usual

HOSTILE = "<img src=x onerror=\"document.title='hacked'\">"
PHONE = ViewportSize(width=375, height=740)
PAINTED = """(canvas) => {
  const pixels = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
  return pixels.reduce((sum, value) => (sum * 31 + value) % 1000003, 0);
}"""
"""A number that is another one when another frame is on the canvas."""


@pytest.fixture
def mock() -> Mock:
    return usual()


@pytest.fixture
def address(mock: Mock) -> Iterator[str]:
    with serving(mock) as served:
        yield served


@pytest.fixture
def wall(page: Page, address: str) -> Iterator[Page]:
    """The page, opened. Nothing that it did was an error or against its security policy."""
    complaints: list[str] = []

    def note(message: ConsoleMessage) -> None:
        # The browser itself reports sockets and answers that failed, which tests cause on purpose.
        if message.type == "error" and "WebSocket connection" not in message.text and "status of" not in message.text:
            complaints.append(message.text)

    page.on("console", note)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(address)
    yield page
    assert complaints == []


def last_watch(mock: Mock) -> dict[str, Any]:
    """What the page asked for last."""
    return next(said for said in reversed(mock.heard) if said["type"] == "watch")


def watched(mock: Mock) -> dict[str, bool]:
    """The cameras that are asked for now, and whether with pictures."""
    if not any(said["type"] == "watch" for said in mock.heard):
        return {}
    return {tile["camera"]: tile["pictures"] for tile in last_watch(mock)["tiles"]}


def until(true: Callable[[], object]) -> None:
    wait_until(true, "what the page should have asked for or drawn", 60)


def open_view(page: Page, name: str) -> None:
    page.get_by_role("navigation").get_by_role("link", name=name).click()


def test_tiles_are_alive_and_each_drawn_frame_is_acknowledged(wall: Page, mock: Mock) -> None:
    tiles = wall.locator("a.tile")
    expect(tiles).to_have_count(4)
    canvas = tiles.first.locator("canvas")
    wall.wait_for_function(
        "() => [...document.querySelectorAll('a.tile canvas')].every((canvas) => canvas.width > 100)"
    )
    seen = {canvas.evaluate(PAINTED)}
    wait_until(lambda: len(seen) > 3, "frames", meanwhile=lambda: seen.add(canvas.evaluate(PAINTED)))
    shown = [said for said in mock.heard if said["type"] == "shown"]
    assert {said["camera"] for said in shown} == {"entrance", "hall", "stairs"}
    assert set(watched(mock)) == {"entrance", "hall", "yard", "stairs"}


def test_the_whole_wall_is_used_by_the_keyboard_alone(wall: Page) -> None:
    expect(wall.locator("a.tile")).to_have_count(4)
    wall.keyboard.press("ArrowRight")
    wall.keyboard.press("ArrowRight")
    expect(wall.locator("a.tile").nth(1)).to_be_focused()
    wall.keyboard.press("Enter")
    expect(wall.get_by_role("heading", name="hall", exact=True)).to_be_visible()
    wall.keyboard.press("ArrowRight")
    expect(wall.get_by_role("heading", name="yard", exact=True)).to_be_visible()
    wall.keyboard.press("ArrowLeft")
    expect(wall.get_by_role("heading", name="hall", exact=True)).to_be_visible()
    wall.keyboard.press("Escape")
    expect(wall.locator("a.tile")).to_have_count(4)
    wall.keyboard.press("?")
    expect(wall.get_by_role("dialog", name="Help")).to_be_visible()
    wall.keyboard.press("Escape")
    expect(wall.get_by_role("dialog")).to_have_count(0)
    for key, heading in (("p", re.compile("People|people")), ("e", "Events"), ("f", "Floor plan"), ("i", "Status")):
        wall.keyboard.press(key)
        expect(wall.get_by_role("heading", name=heading, level=1)).to_be_visible()


def test_an_offline_camera_says_why_and_since_when(wall: Page) -> None:
    tile = wall.locator("a.tile").nth(2)
    expect(tile).to_contain_text(re.compile(r"Offline since \d\d:\d\d"))
    expect(tile).to_contain_text("no route to host")
    expect(tile).to_have_accessible_name(re.compile("yard: Offline.*no route to host"))


def test_a_camera_that_goes_away_while_it_is_large_says_so(wall: Page, mock: Mock) -> None:
    wall.locator("a.tile").first.click()
    expect(wall.locator(".large-stage .figures")).to_contain_text("3 people")
    mock.cameras[0] |= {"state": "offline", "trouble": "the cable is out"}
    mock.say_cameras()
    expect(wall.locator(".large-stage")).to_contain_text("the cable is out")
    del mock.cameras[0]
    mock.say_cameras()
    expect(wall.locator(".large-stage")).to_contain_text("This camera is gone")
    wall.keyboard.press("Escape")
    expect(wall.locator("a.tile")).to_have_count(3)


def test_a_lost_connection_is_said_and_regained_without_reload(wall: Page, mock: Mock) -> None:
    until(lambda: mock.sent > 3)
    wall.evaluate("window.same = true")
    mock.down = True
    mock.hang_up()
    expect(wall.get_by_role("status").filter(has_text="Connection lost, trying again")).to_be_visible()
    mock.heard.clear()
    mock.sent = 0
    mock.down = False
    expect(wall.locator(".banner")).not_to_be_visible()
    until(lambda: mock.sent > 3)
    assert set(watched(mock)) == {"entrance", "hall", "yard", "stairs"}
    assert wall.evaluate("window.same") is True


def test_skeletons_only_asks_for_no_picture_and_is_remembered(wall: Page, mock: Mock) -> None:
    until(lambda: watched(mock).get("hall") is True)
    wall.get_by_role("button", name="Skeletons only").click()
    until(lambda: set(watched(mock).values()) == {False})
    mock.heard.clear()
    wall.reload()
    expect(wall.get_by_role("button", name="Skeletons only")).to_have_attribute("aria-pressed", "true")
    until(lambda: watched(mock))
    assert set(watched(mock).values()) == {False}


def test_who_may_not_see_pictures_is_shown_none_and_offered_nothing_else(page: Page, mock: Mock, address: str) -> None:
    mock.rights = ["poses"]
    page.goto(address)
    expect(page.locator("a.tile")).to_have_count(4)
    expect(page.get_by_role("button", name="Skeletons only")).to_be_disabled()
    expect(page.get_by_role("link", name="Cameras", exact=True)).to_have_count(0)
    expect(page.get_by_role("link", name="Be a camera")).to_have_count(0)
    until(lambda: len(watched(mock)) == 4)
    assert set(watched(mock).values()) == {False}


def test_nothing_is_asked_for_while_nobody_can_look(wall: Page, mock: Mock) -> None:
    until(lambda: watched(mock))
    wall.evaluate("Object.defineProperty(document, 'hidden', {value: true})")
    wall.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    until(lambda: not watched(mock))


def test_only_tiles_on_the_screen_are_asked_for(page: Page, mock: Mock, address: str) -> None:
    mock.cameras = [camera(f"camera-{number}") for number in range(30)]
    page.set_viewport_size(PHONE)
    page.goto(address)
    expect(page.locator("a.tile")).to_have_count(30)
    until(lambda: "camera-0" in watched(mock))
    assert len(watched(mock)) < 20
    page.locator("a.tile").last.scroll_into_view_if_needed()
    until(lambda: "camera-29" in watched(mock) and "camera-0" not in watched(mock))


def test_hostile_names_are_text(page: Page, mock: Mock, address: str) -> None:
    rule = {"name": HOSTILE, "kind": HOSTILE, "shape": "line", "points": [[0, 0], [300, 300]]}
    mock.cameras = [camera(HOSTILE, rules=[rule], trouble=HOSTILE, source=HOSTILE, floor=[0, 0, 1, 1])]
    page.goto(address)
    expect(page.locator("a.tile .name")).to_have_text(HOSTILE)
    mock.emit("line.crossed", HOSTILE, rule=HOSTILE, track_id=HOSTILE, direction=HOSTILE)
    expect(page.locator(".toast")).to_contain_text(HOSTILE)
    mock.say({"type": "problem", "sentence": HOSTILE})
    page.locator("a.tile").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(HOSTILE)
    for view in ("People", "Floor plan", "Status", "Events"):
        open_view(page, view)
        expect(page.locator("main")).to_contain_text("<img")
    page.locator("main .event-row").first.click()
    expect(page.get_by_role("dialog")).to_contain_text(HOSTILE)
    assert page.locator("img[onerror]").count() == 0
    assert "hacked" not in page.title()


def test_forged_messages_and_a_picture_that_is_none_do_no_harm(wall: Page, mock: Mock) -> None:
    until(lambda: mock.sent > 3)
    for forged in (b"", b"\xff\xff\xff\xff", b"\x02\x00\x00\x00{}", b"\x01\x00\x00\x00"):
        mock.say_bytes(forged)
    mock.say({"type": "cameras", "cameras": [5]})
    mock.say({"type": "weather"})
    sound = frame_message("yard", 1, 0.0, 2, 320, 0)
    mock.cameras[2] |= {"state": "online", "trouble": None}
    mock.say_cameras()
    mock.cameras[2] |= {"state": "elsewhere"}  # so that the mock itself sends none
    length = 4 + int.from_bytes(sound[:4], "little")
    mock.say_bytes(sound[:length] + b"no JPEG")
    expect(wall.locator("a.tile").nth(2)).to_contain_text("The picture cannot be read")
    sent = mock.sent
    until(lambda: mock.sent > sent + 3)


def test_an_event_lights_its_tile_up_and_leads_to_its_moment(wall: Page, mock: Mock) -> None:
    expect(wall.locator("a.tile")).to_have_count(4)
    mock.emit("line.crossed", "entrance", rule="gate", track_id=1, direction="a_to_b")
    expect(wall.locator("a.tile").first.locator(".happening")).to_have_text("gate: person 1 crossed from a to b")
    mock.emit("track.started", "entrance", track_id=9)
    expect(wall.locator(".toast")).to_have_count(1)
    wall.locator(".toast button").click()
    dialog = wall.get_by_role("dialog", name="gate: person 1 crossed from a to b")
    expect(dialog.get_by_role("img")).to_be_visible()
    dialog.get_by_text("All fields").click()
    expect(dialog.locator("pre")).to_contain_text('"direction": "a_to_b"')


def test_the_timeline_pages_and_filters(wall: Page) -> None:
    open_view(wall, "Events")
    rows = wall.locator("main .event-row")
    expect(rows.first).to_contain_text("the camera is offline: no route to host")
    wall.get_by_label("Show", exact=True).select_option("all")
    expect(rows).to_have_count(100)
    wall.get_by_role("button", name="Show older ones").click()
    expect(rows).to_have_count(151)
    expect(wall.get_by_role("button", name="Show older ones")).not_to_be_visible()
    wall.get_by_label("Camera", exact=True).select_option("yard")
    expect(rows).to_have_count(1)
    wall.get_by_label("Camera", exact=True).select_option("")
    wall.get_by_label("Show", exact=True).select_option("=fall.detected")
    expect(rows.first).to_contain_text("falls: person")


def test_people_floor_plan_and_status_say_what_is_known(wall: Page) -> None:
    open_view(wall, "People")
    expect(wall.get_by_role("heading", name="10 people")).to_be_visible()
    expect(wall.locator(".card").first).to_contain_text("m/s")
    open_view(wall, "Floor plan")
    expect(wall.get_by_role("img", name="Floor plan of entrance: 3 people")).to_be_visible()
    open_view(wall, "Status")
    expect(wall.get_by_text("The workers are busy 96 % of the time")).to_be_visible()
    expect(wall.get_by_role("row", name=re.compile("yard offline.*no route to host"))).to_be_visible()
    expect(wall.get_by_role("row", name=re.compile("worker yolo11n-pose"))).to_be_visible()


def test_a_camera_explains_itself(wall: Page) -> None:
    wall.locator("a.tile").first.click()
    wall.get_by_text("How it is analysed, and why").click()
    expect(wall.get_by_text("Frames of 960 x 540 are inferred at 640.")).to_be_visible()


def test_an_empty_deployment_says_what_to_do(page: Page, mock: Mock, address: str) -> None:
    mock.cameras = []
    page.goto(address)
    expect(page.get_by_role("heading", name="No cameras yet")).to_be_visible()
    expect(page.get_by_role("link", name="Add a camera")).to_be_visible()
    expect(page.get_by_text("posebus camera add")).to_be_visible()
    mock.cameras = [camera("first")]
    mock.say_cameras()
    expect(page.locator("a.tile")).to_have_count(1)


def test_who_has_not_logged_in_does_so_and_sees_the_wall(page: Page, mock: Mock, address: str) -> None:
    mock.password = "correct"
    page.goto(address)
    page.get_by_label("Name").fill("anna")
    page.get_by_label("Password").fill("wrong")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_have_text("The name or the password is wrong.")
    page.get_by_label("Password").fill("correct")
    page.keyboard.press("Enter")
    expect(page.locator("a.tile")).to_have_count(4)
    expect(page.get_by_role("button", name="Log out anna")).to_be_visible()
