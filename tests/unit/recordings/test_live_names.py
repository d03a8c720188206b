"""Names of sources that are given on a command line."""

from __future__ import annotations

from pathlib import Path

import pytest

from recordings.live.naming import source_name
from recordings.live.sources import is_recording, unique_names


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("rtsp://user:pa%40ss@192.0.2.10:8554/live", "192.0.2.10"),
        ("rtsp://user:pa/ss@192.0.2.10/live", "192.0.2.10"),
        ("rtsp://user:secret", "camera"),
        ("rtsp://[2001:db8::1]:554/live", "2001:db8::1"),
        ("http://cam.example/snapshot.jpg?token=secret", "cam.example"),
        ("rtsp://", "camera"),
        ("rtsp://[broken/x", "camera"),
        ("usb:0", "usb0"),
        ("usb:/dev/video2", "video2"),
        ("synthetic:bus?fps=4", "bus"),
        ("plugin:user:secret@host", "plugin"),
        ("films/lobby.mp4", "lobby"),
        ("file:///films/a%20b.mp4", "a b"),
        ("file://elsewhere/a.mp4", "camera"),
        ("", "camera"),
    ],
)
def test_name_comes_from_host_device_or_file_and_holds_no_secret(source: str, name: str) -> None:
    assert source_name(source) == name


def test_file_with_a_colon_is_a_file_if_it_is_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("take:2.mp4").touch()
    assert source_name("take:2.mp4") == "take:2"
    assert source_name(".") == tmp_path.name


def test_equal_names_are_numbered() -> None:
    sources = ["rtsp://192.0.2.1/a", "rtsp://192.0.2.1/b", "usb:0"]
    assert unique_names(sources, frozenset({"usb0"})) == ["192.0.2.1", "192.0.2.1-2", "usb0-2"]


def test_files_are_recordings_and_all_else_is_live() -> None:
    sources = ("a.mp4", "a.jpg", "rtsp://192.0.2.1/", "usb:0", "synthetic:bus")
    assert [is_recording(source) for source in sources] == [True, True, False, False, False]
