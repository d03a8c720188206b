"""The section `defaults` of a configuration: which field wins, and where mistakes in it are reported."""

from __future__ import annotations

from pathlib import Path

import pytest

from posebus.config.loading import Checked, check_settings, dump_settings, load_settings
from posebus.config.settings import CameraSettings, Settings


def checked(folder: Path, text: str, environ: dict[str, str] | None = None) -> Checked:
    path = folder / "posebus.yaml"
    path.write_text(text, encoding="utf-8")
    return check_settings(path, environ or {}, {})


def test_a_field_of_the_camera_wins_over_the_defaults_and_these_over_those_of_posebus(tmp_path: Path) -> None:
    text = (
        "defaults: {max_fps: 5, rotate: 90, region: [[0, 0], [1, 0], [1, 1]]}\n"
        "cameras:\n  a: {source: x}\n  b: {source: y, max_fps: 7, region: null}\n  c: {source: z, max_fps: null}\n"
    )
    settings = checked(tmp_path, text).settings
    assert settings is not None
    region = ((0.0, 0.0), (1.0, 0.0), (1.0, 1.0))
    assert settings.cameras == {
        "a": CameraSettings(source="x", max_fps=5, rotate=90, region=region),
        "b": CameraSettings(source="y", max_fps=7, rotate=90),
        "c": CameraSettings(source="z", rotate=90, region=region),
    }
    assert type(settings) is Settings
    assert "defaults" not in Settings.model_fields
    dump_settings(settings, tmp_path / "child.yaml")
    assert load_settings(tmp_path / "child.yaml", {}, {}) == settings


def test_the_environment_sets_defaults_and_cameras_of_the_environment_have_them(tmp_path: Path) -> None:
    environ = {
        "POSEBUS_DEFAULTS__MAX_FPS": "3",
        "POSEBUS_DEFAULTS__REGION": "[[0, 0], [1, 0], [1, 1]]",
        "POSEBUS_CAMERAS__DOOR__SOURCE": "rtsp://h",
        "POSEBUS_CAMERAS__A__ROTATE": "180",
    }
    settings = checked(tmp_path, "defaults: {max_fps: 5}\ncameras: {a: {source: x}}\n", environ).settings
    assert settings is not None
    found = {name: (one.max_fps, one.rotate, len(one.region or ())) for name, one in settings.cameras.items()}
    assert found == {"a": (3.0, 180, 1), "door": (3.0, 0, 1)}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("  max_fps: -1\n", "2:3: defaults.max_fps: must be greater than 0, not -1"),
        ("  rotate: 45\n", "2:3: defaults.rotate: must be 0, 90, 180 or 270, not 45"),
        ("  source: x\n", "2:3: defaults.source: belongs to one camera; write it under that camera"),
        ("  max_fp: 5\n", "2:3: defaults.max_fp: there is no such field; did you mean 'max_fps'?"),
        ("  region: [[0, 0], [1, 1]]\n", "2:3: defaults.region: must have at least 3 points in a polygon; it has 2"),
        ("  rotate: !!int x\n", "2:11: defaults.rotate: is not a value of the type int"),
    ],
)
def test_a_mistake_in_the_defaults_is_reported_once_and_at_its_line(tmp_path: Path, text: str, expected: str) -> None:
    found = checked(tmp_path, f"defaults:\n{text}cameras:\n  a: {{source: x}}\n  b: {{source: y}}\n")
    assert found.settings is None
    assert [str(problem).removeprefix(f"{tmp_path}/posebus.yaml:") for problem in found.problems] == [expected]


def test_defaults_that_are_no_section_and_mistakes_below_are_reported(tmp_path: Path) -> None:
    found = checked(tmp_path, "defaults: 7\ncameras:\n  a: {source: x, max_fps: -1}\n")
    assert [problem.location.field for problem in found.problems] == ["defaults", "cameras.a.max_fps"]
    assert checked(tmp_path, "defaults:\ncameras: {a: {source: x}}\n").settings == Settings(
        cameras={"a": CameraSettings(source="x")}
    )
