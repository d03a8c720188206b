"""The settings about privacy: heads are hidden unless the file says otherwise, and zones are checked like regions."""

from __future__ import annotations

from pathlib import Path

import pytest

from posebus.config.loading import load_settings
from posebus.config.settings import CameraSettings
from posebus.errors import ConfigError

SQUARE = [[0, 0], [10, 0], [10, 10], [0, 10]]


def settings_of(tmp_path: Path, text: str) -> CameraSettings:
    (tmp_path / "posebus.yaml").write_text(text)
    return load_settings(tmp_path / "posebus.yaml", {}, {}).cameras["yard"]


def test_heads_are_hidden_by_default() -> None:
    camera = CameraSettings(source="usb:0")
    assert camera.privacy == "heads"
    assert camera.privacy_zones == ()


def test_defaults_hold_for_cameras_without_a_value_of_their_own(tmp_path: Path) -> None:
    text = f"defaults: {{privacy: none, privacy_zones: [{SQUARE}]}}\ncameras:\n  yard: {{source: usb:0%s}}\n"
    camera = settings_of(tmp_path, text % "")
    assert camera.privacy == "none"
    assert camera.privacy_zones == (((0, 0), (10, 0), (10, 10), (0, 10)),)
    camera = settings_of(tmp_path, text % ", privacy: heads, privacy_zones: []")
    assert (camera.privacy, camera.privacy_zones) == ("heads", ())


def test_single_zone_may_stand_without_a_list_around_it(tmp_path: Path) -> None:
    camera = settings_of(tmp_path, f"cameras:\n  yard:\n    source: usb:0\n    privacy_zones: {SQUARE}\n")
    assert len(camera.privacy_zones) == 1


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ("[[[0, 0], [10, 10], [10, 0], [0, 10]]]", "must not cross itself"),
        ("[[[0, 0], [10, 0]]]", "must have at least 3 points"),
        ("[[[0, 0], [10, 0], [10, -5]]]", "must lie in the picture"),
        ("everything", "must be a list of points"),
    ],
)
def test_wrong_zone_is_one_sentence_with_its_line(tmp_path: Path, value: str, problem: str) -> None:
    with pytest.raises(ConfigError, match=rf":4:5: cameras.yard.privacy_zones: {problem}") as raised:
        settings_of(tmp_path, f"cameras:\n  yard:\n    source: usb:0\n    privacy_zones: {value}\n")
    assert len(str(raised.value).splitlines()) == 1


def test_other_word_for_privacy_is_refused_with_the_choices(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="'heads' or 'none'"):
        settings_of(tmp_path, "cameras:\n  yard:\n    source: usb:0\n    privacy: off\n")


def test_zones_that_change_start_the_process_of_the_camera_again_and_the_privacy_of_pictures_does_not() -> None:
    camera = CameraSettings(source="usb:0")
    assert camera.of_process != CameraSettings(source="usb:0", privacy_zones=[SQUARE]).of_process
    assert camera.of_process == CameraSettings(source="usb:0", privacy="none").of_process


def test_zones_travel_as_json_between_processes() -> None:
    camera = CameraSettings(source="usb:0", privacy_zones=[SQUARE])
    assert CameraSettings.model_validate_json(camera.model_dump_json()) == camera
