"""The settings of evidence: short forms, limits, mistakes with their line, and what `auto` means."""

from __future__ import annotations

from pathlib import Path

import pytest

from posebus.config.cameras.evidence import EvidenceSettings, keeps_pictures
from posebus.config.loading import check_settings, dump_settings, load_settings
from posebus.config.settings import CameraSettings
from posebus.json_schemas import config_schema

FORMS = "4:5: cameras.door.evidence: must be auto, on, off, or fields such as {mode: on, seconds: 20}"


def checked(folder: Path, line: str) -> tuple[EvidenceSettings | None, list[str]]:
    path = folder / "posebus.yaml"
    path.write_text(f"cameras:\n  door:\n    source: a.mp4\n    {line}\n")
    found = check_settings(path, {}, {})
    if found.settings is None:
        return None, [str(problem).removeprefix(f"{path}:") for problem in found.problems]
    dump_settings(found.settings, folder / "dumped.yaml")
    assert load_settings(folder / "dumped.yaml", {}, {}) == found.settings
    return found.settings.cameras["door"].evidence, []


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("", EvidenceSettings()),
        ("evidence: off", EvidenceSettings(mode="off")),
        ("evidence: on", EvidenceSettings(mode="on")),
        ("evidence: auto", EvidenceSettings()),
        ("evidence: {mode: on, seconds: 20}", EvidenceSettings(mode="on", seconds=20)),
        ("evidence: {bytes: 500000, max_fps: 2, max_size_px: 320}", None),
    ],
)
def test_a_mode_may_stand_for_all_fields(tmp_path: Path, line: str, expected: EvidenceSettings | None) -> None:
    wanted = expected or EvidenceSettings(bytes=500_000, max_fps=2, max_size_px=320)
    assert checked(tmp_path, line) == (wanted, [])


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        (
            "evidence: onn",
            FORMS,
        ),
        (
            "evidence: [1]",
            FORMS,
        ),
        ("evidence: {secs: 3}", "4:16: cameras.door.evidence.secs: there is no such field; did you mean 'seconds'?"),
        ("evidence: {seconds: 0}", "4:16: cameras.door.evidence.seconds: must be greater than 0, not 0"),
        ("evidence: {bytes: 5}", "4:16: cameras.door.evidence.bytes: must be at least 100000, not 5"),
    ],
)
def test_a_mistake_is_one_sentence_with_its_line(tmp_path: Path, line: str, problem: str) -> None:
    assert checked(tmp_path, line) == (None, [problem])


def test_a_field_comes_from_the_environment() -> None:
    environ = {"POSEBUS_CAMERAS__DOOR__SOURCE": "a.mp4", "POSEBUS_CAMERAS__DOOR__EVIDENCE__MODE": "on"}
    assert load_settings(None, environ, {}).cameras["door"].evidence.mode == "on"


@pytest.mark.parametrize("value", ["off", "on", {"mode": "auto", "seconds": 5}])
def test_the_schema_takes_all_forms(value: object) -> None:
    import jsonschema

    jsonschema.validate({"cameras": {"door": {"source": "a", "evidence": value}}}, config_schema())


@pytest.mark.parametrize("value", ["onn", 3, {"secs": 1}])
def test_the_schema_refuses_others(value: object) -> None:
    import jsonschema

    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"cameras": {"door": {"source": "a", "evidence": value}}}, config_schema())


@pytest.mark.parametrize(
    ("mode", "rules", "live", "expected"),
    [
        ("auto", True, True, True),
        ("auto", False, True, False),
        ("auto", True, False, False),
        ("on", False, False, True),
        ("off", True, True, False),
    ],
)
def test_auto_is_on_for_live_cameras_with_rules(mode: str, rules: bool, live: bool, expected: bool) -> None:
    chosen = {"gate": {"kind": "line", "points": [[0, 0], [9, 9]]}} if rules else {}
    camera = CameraSettings.model_validate({"source": "x", "evidence": mode, "rules": chosen})
    assert keeps_pictures(camera, live=live) is expected
