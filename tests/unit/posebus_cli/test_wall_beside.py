"""When a browser is opened: where a person looks at a screen of this machine, and once the wall is served."""

from __future__ import annotations

import socket
import webbrowser

import pytest

from posebus.config.wall.wall_settings import WallSettings
from posebus_cli import wall_beside
from posebus_cli.wall_beside import can_open_browser, open_when_served
from tests.ports import free_port


@pytest.mark.parametrize(
    ("environ", "is_terminal", "expected"),
    [
        ({"DISPLAY": ":0"}, True, True),
        ({"WAYLAND_DISPLAY": "wayland-0"}, True, True),
        ({"DISPLAY": ":0"}, False, False),
        ({}, True, False),
        ({"DISPLAY": ":0", "CI": "true"}, True, False),
        ({"DISPLAY": ":10", "SSH_CONNECTION": "192.0.2.1 1 192.0.2.2 22"}, True, False),
    ],
)
def test_a_browser_is_opened_only_on_a_screen_of_this_machine(
    environ: dict[str, str], is_terminal: bool, expected: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setattr(webbrowser, "get", lambda: object())
    assert can_open_browser(environ, is_terminal=is_terminal) is expected


def test_without_any_browser_none_is_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    def none() -> None:
        raise webbrowser.Error("there is none")

    monkeypatch.setattr(webbrowser, "get", none)
    assert not can_open_browser({"DISPLAY": ":0"}, is_terminal=True)


def test_the_wall_is_opened_once_it_is_served(monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []
    monkeypatch.setattr(webbrowser, "open", opened.append)
    port = free_port()
    thread = open_when_served(WallSettings(port=port))
    assert opened == []
    with socket.create_server(("127.0.0.1", port)):
        thread.join(60)
    assert opened == [f"http://127.0.0.1:{port}/"]


def test_a_wall_that_never_serves_is_not_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wall_beside, "PATIENCE_S", 0.0)
    monkeypatch.setattr(webbrowser, "open", lambda address: pytest.fail("it was opened"))
    open_when_served(WallSettings(port=free_port())).join(60)
