"""Loading the configuration: precedence of the inputs, and problems with their locations."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from posebus.config.loading import check_settings, dump_settings, load_settings
from posebus.config.problems import Problem
from posebus.config.redaction import redact_text
from posebus.config.settings import (
    CameraSettings,
    FleetSettings,
    RetentionSettings,
    Settings,
    TrackerSettings,
    WorkerSettings,
)
from posebus.errors import ConfigError, OutputError


def write(folder: Path, text: str) -> Path:
    path = folder / "posebus.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def problems_in(folder: Path, text: str, environ: dict[str, str] | None = None) -> list[Problem]:
    checked = check_settings(write(folder, text), environ or {}, {})
    assert (checked.settings is None) == bool(checked.problems)
    return list(checked.problems)


def found(problems: list[Problem]) -> list[tuple[int | None, int | None, str]]:
    return [(problem.location.line, problem.location.column, problem.location.field) for problem in problems]


def test_settings_without_any_input_are_the_defaults() -> None:
    assert load_settings(None, {}, {}) == Settings()


def test_empty_file_and_empty_sections_give_the_defaults(tmp_path: Path) -> None:
    assert load_settings(write(tmp_path, "# nothing yet\n"), {}, {}) == Settings()
    assert load_settings(write(tmp_path, "cameras:\nworker:\n  # imgsz: 960\n"), {}, {}) == Settings()


def test_command_line_overrides_environment_and_environment_overrides_file(tmp_path: Path) -> None:
    path = write(tmp_path, "redis: redis://file\nshards: 2\nworker: {imgsz: 320, conf: 0.2, batch: 3}\n")
    environ = {"POSEBUS_WORKER__IMGSZ": "960", "POSEBUS_WORKER__CONF": "0.3", "HOME": "/", "POSEBUS_DEBUG": "1"}
    settings = load_settings(path, environ, {"worker.conf": 0.4, "worker.threads": None})
    assert (settings.redis, settings.shards, settings.worker.batch) == ("redis://file", 2, 3)
    assert (settings.worker.imgsz, settings.worker.conf, settings.worker.threads) == (960, 0.4, None)


def test_overrides_can_add_cameras(tmp_path: Path) -> None:
    path = write(tmp_path, "cameras: {a: {source: a.mp4, max_fps: 5}}")
    settings = load_settings(path, {}, {"cameras": {"b.c": {"source": "b.mp4"}, "a": {"loop": True}}})
    assert settings.cameras == {
        "a": CameraSettings(source="a.mp4", max_fps=5, loop=True),
        "b.c": CameraSettings(source="b.mp4"),
    }


def test_mistakes_of_the_file_have_their_lines_beside_cameras_of_the_command_line(tmp_path: Path) -> None:
    path = write(tmp_path, "cameras:\n  a: {source: a.mp4, max_fps: -5}\n")
    cameras = {"a": {"jpeg_quality": 0}, "b": {"loop": True}, "c d": {"source": "usb:0"}}
    problems = check_settings(path, {}, {"cameras": cameras}).problems
    assert found(list(problems)) == [
        (2, 22, "cameras.a.max_fps"),
        (None, None, "cameras.'c d'"),
        (None, None, "cameras.a.jpeg_quality"),
        (None, None, "cameras.b"),
    ]


def test_an_empty_variable_counts_as_not_set() -> None:
    assert load_settings(None, {"POSEBUS_REDIS": "", "POSEBUS_WORKER__IMGSZ": ""}, {}) == Settings()


def test_cameras_of_the_environment_are_merged_with_those_of_the_file(tmp_path: Path) -> None:
    path = write(tmp_path, "cameras: {Front-Door: {max_fps: 5}, yard: {source: x}}")
    environ = {"POSEBUS_CAMERAS__FRONT_DOOR__SOURCE": "rtsp://u:p@h/1", "POSEBUS_CAMERAS__NEW__SOURCE": "usb:0"}
    cameras = load_settings(path, environ, {}).cameras
    assert cameras["Front-Door"] == CameraSettings(source="rtsp://u:p@h/1", max_fps=5)
    assert cameras["new"].source == "usb:0"
    assert set(cameras) == {"Front-Door", "yard", "new"}


def test_all_problems_are_reported_at_once_in_the_order_of_the_file(tmp_path: Path) -> None:
    text = """\
redis: http://host
cameras:
  hall:
    source: a.mp4
    max_fp: 3
  two words:
    source: b.mp4
    loop: maybe
  none: {}
  bare: rtsp://host
worker:
  imgsz: 33
  engine: opnvino
imgsz: 640
"""
    problems = problems_in(tmp_path, text)
    assert found(problems) == [
        (1, 1, "redis"),
        (5, 5, "cameras.hall.max_fp"),
        (6, 3, "cameras.'two words'"),
        (8, 5, "cameras.two words.loop"),
        (9, 3, "cameras.none.source"),
        (10, 3, "cameras.bare"),
        (12, 3, "worker.imgsz"),
        (13, 3, "worker.engine"),
        (14, 1, "imgsz"),
    ]
    words = [str(problem) for problem in problems]
    assert "did you mean 'max_fps'?" in words[1]
    assert "for example 'two-words'" in words[2]
    assert "is required" in words[4]
    assert "multiple of 32 from 64 to 4096, not 33" in words[6]
    assert "did you mean 'openvino'?" in words[7]
    assert "belongs under 'worker'" in words[8]


def test_error_of_load_settings_contains_every_problem(tmp_path: Path) -> None:
    path = write(tmp_path, "worker: {imgsz: 1}\nshards: 0\n")
    with pytest.raises(ConfigError) as caught:
        load_settings(path, {"POSEBUS_WORKER__CONF": "9"}, {"fleet.workers": -1})
    text = str(caught.value)
    assert f"{path}:1:10: worker.imgsz" in text
    assert f"{path}:2:1: shards" in text
    assert "POSEBUS_WORKER__CONF: must be less than 1" in text
    assert "--workers: must be at least 0, not -1" in text


def test_problem_of_two_fields_has_the_location_of_the_first(tmp_path: Path) -> None:
    problems = problems_in(tmp_path, "shards: 1\ntracker:\n  low_score: 0.9\n")
    assert found(problems) == [(3, 3, "tracker.low_score")]


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("cameras:\n\thall: 3\n", 2, "indent with spaces, not with tabs"),
        ("a: b: c\n", 1, "mapping values are not allowed"),
        ("cameras: {hall: [1, 2\n", 2, "not valid YAML"),
        ("shards: 1\nshards: 2\n", 2, "given twice, first on line 1"),
        ("cameras: {a: {source: x, source: y}}\n", 1, "given twice"),
        ("redis: !secret x\n", 1, "has the tag !secret"),
        ("shards: !!int x\n", 1, "is not a value of the type int"),
        ("- a\n- b\n", 1, "must hold fields"),
        ("cameras: [a, b]\n", 1, "must hold cameras by name"),
        ("worker: 3\n", 1, "must hold fields"),
        ("a: 1\n---\nb: 2\n", 2, "one document"),
        ("cameras: &x {a: *x}\n", 1, "refers to itself"),
        ("cameras: {0: {source: 0}}\n", 1, "usb:0"),
    ],
)
def test_malformed_file_is_a_problem_with_its_line(tmp_path: Path, text: str, line: int, words: str) -> None:
    problems = problems_in(tmp_path, text)
    assert problems[0].location.line == line
    assert words in str(problems[0])


def test_aliases_and_merge_keys_are_read_and_located_where_the_value_is_written(tmp_path: Path) -> None:
    text = "cameras:\n  a: &a {source: a, max_fps: 5}\n  b: {<<: *a, source: b}\n  c: *a\n"
    cameras = load_settings(write(tmp_path, text), {"POSEBUS_CAMERAS__C__MAX_FPS": "7"}, {}).cameras
    assert [(camera.source, camera.max_fps) for camera in cameras.values()] == [("a", 5), ("b", 5), ("a", 7)]
    assert found(problems_in(tmp_path, text.replace("max_fps: 5", "max_fps: -5")))[1] == (2, 21, "cameras.b.max_fps")


def test_nested_aliases_are_not_expanded(tmp_path: Path) -> None:
    lines = ["a0: &a0 [x]"] + [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 30)]
    assert len(problems_in(tmp_path, "\n".join(lines))) == 30


def test_deep_nesting_is_a_problem_and_not_a_crash(tmp_path: Path) -> None:
    assert "nested too deeply" in str(problems_in(tmp_path, "[" * 20_000)[0])


def test_camera_names_that_yaml_reads_as_other_types_stay_text(tmp_path: Path) -> None:
    text = "cameras: {no: {source: x}, 7: {source: 'y'}, 1.50: {source: z}}"
    assert set(load_settings(write(tmp_path, text), {}, {}).cameras) == {"no", "7", "1.50"}


@pytest.mark.parametrize(
    ("variable", "words"),
    [
        ("POSEBUS_WORKER_IMGSZ", "did you mean 'POSEBUS_WORKER__IMGSZ'?"),
        ("POSEBUS_REDIS_URL", "did you mean 'POSEBUS_REDIS'?"),
        ("POSEBUS_CAMERAS__HALL__SORCE", "did you mean 'POSEBUS_CAMERAS__HALL__SOURCE'?"),
        ("POSEBUS_WORKER__IMGSZ__X", "there is no such setting"),
        ("POSEBUS_", "there is no such setting"),
        ("POSEBUS_WORKER", "set one of its fields, like POSEBUS_WORKER__"),
        ("POSEBUS_cameras", "set one of its fields, like POSEBUS_CAMERAS__NAME__"),
        ("POSEBUS_CAMERAS", "set one of its fields, like POSEBUS_CAMERAS__NAME__"),
        ("POSEBUS_CAMERAS__HALL", "set one of its fields, like POSEBUS_CAMERAS__"),
    ],
)
def test_unknown_variables_are_problems_with_a_suggestion(variable: str, words: str) -> None:
    (problem,) = check_settings(None, {variable: "1"}, {}).problems
    assert str(problem).startswith(f"{variable}: ")
    assert words in str(problem)


@pytest.mark.parametrize(
    "text",
    [
        "redis: rediss//admin:hunter2@host\n",
        "redis: http://admin:hunter2@host\n",
        "redis: {rtsp://admin:hunter2@host: 1}\n",
        "cameras: {rtsp://admin:hunter2@host/1: {sorce: 3}}\n",
        "cameras: {hall: rtsp://admin:hunter2@host}\n",
        "cameras: {hall: {source: x, delivery: rtsp://admin:hun/ter2@host}}\n",
        "cameras: {hall: {source: x, max_fps: rtsp://admin:hunter2@host}}\n",
        "rtsp://admin:hunter2@host/1: 3\n",
        "cameras: {hall: {source: x, kind: 'admin:hunter2@'}}\n",
    ],
)
def test_passwords_are_never_shown(tmp_path: Path, text: str) -> None:
    problems = problems_in(tmp_path, text)
    assert problems
    shown = "".join(str(problem) + str(problem.as_dict()) for problem in problems)
    assert "hunter2" not in shown
    assert "ter2" not in shown


def test_redact_text_hides_passwords_with_slashes_and_at_signs() -> None:
    text = "no answer from rtsp://me:p@ss/word@cam/1, nor from redis://host:6379"
    assert redact_text(text) == "no answer from rtsp://***@cam/1, nor from redis://host:6379"


@pytest.mark.parametrize(
    ("content", "words"),
    [(None, "does not exist"), (b"\xff\xfe\x00", "not UTF-8"), (b"x" * 5_000_000, "larger than")],
)
def test_unreadable_file_is_a_config_error(tmp_path: Path, content: bytes | None, words: str) -> None:
    path = tmp_path / "clip.mp4"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ConfigError, match=words):
        load_settings(path, {}, {})


def test_folder_as_configuration_is_a_config_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        load_settings(tmp_path, {}, {})


@given(source=st.text(min_size=1), rate=st.floats(min_value=1e-9, max_value=1e9), at_ns=st.integers(0, 2**62))
def test_loaded_settings_equal_the_dumped_ones(
    tmp_path_factory: pytest.TempPathFactory, source: str, rate: float, at_ns: int
) -> None:
    camera = CameraSettings(source=source, max_fps=rate, recorded_at_ns=at_ns)
    settings = Settings(redis="redis://u:p@h", cameras={"1": camera, "no": camera}, cache_dir=Path("/tmp/a b"))
    path = tmp_path_factory.getbasetemp() / "settings.yaml"
    dump_settings(settings, path)
    assert load_settings(path, {}, {}) == settings


def test_dumped_settings_are_readable_by_the_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "settings.yaml"
    path.write_text("old")
    path.chmod(0o644)
    dump_settings(Settings(), path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with pytest.raises(OutputError, match="cannot be written"):
        dump_settings(Settings(), tmp_path / "no" / "folder.yaml")


@pytest.mark.parametrize("text", ["tracker: &a {<<: *a, lost: 1}", "a: &a {<<: &b {<<: *a}}\nb: *b\nc: 1"])
def test_mappings_that_merge_themselves_are_problems_and_not_an_endless_loop(tmp_path: Path, text: str) -> None:
    assert problems_in(tmp_path, text)


def test_mappings_that_many_others_merge_are_read_once(tmp_path: Path) -> None:
    pairs = ["x0: &x0 {a: 1}", "y0: &y0 {b: 1}"]
    for level in range(1, 60):
        pairs += [f"{name}{level}: &{name}{level} {{<<: [*x{level - 1}, *y{level - 1}]}}" for name in "xy"]
    assert len(problems_in(tmp_path, "\n".join(pairs))) == 120


def number_fields() -> list[tuple[str, str]]:
    """Every field that may hold a number, with the section that it is in."""
    sections = {"cameras": CameraSettings, "worker": WorkerSettings, "tracker": TrackerSettings}
    sections |= {"retention": RetentionSettings, "fleet": FleetSettings}
    return [
        (section, name)
        for section, settings in sections.items()
        for name, field in settings.model_fields.items()
        if any(kind in str(field.annotation) for kind in ("int", "float"))
    ]


@pytest.mark.parametrize("value", ["9" * 23, "9" * 400, ".inf", ".nan", "1.0e+300", "1.0e-300", "'1e400'", "-1"])
def test_no_number_is_beyond_what_clocks_and_timers_hold(value: str, tmp_path: Path) -> None:
    for section, name in number_fields():
        field = f"{{{name}: {value}}}" if section != "cameras" else f"{{hall: {{source: a, {name}: {value}}}}}"
        problems = problems_in(tmp_path, f"{section}: {field}")
        assert problems
        for problem in problems:
            assert name in problem.location.field
            assert len(str(problem)) < 300


@pytest.mark.parametrize("deep", ["[" * 100 + "]" * 100, "[" * 400 + "]" * 400, "{a: " * 100 + "1" + "}" * 100])
def test_deep_nesting_is_one_mistake_with_its_line(deep: str, tmp_path: Path) -> None:
    (problem,) = problems_in(tmp_path, f"shards: 2\ncameras: {deep}\n")
    assert (problem.location.line, problem.problem) == (2, "is nested too deeply")


def test_a_mistake_in_a_list_has_the_line_of_the_list(tmp_path: Path) -> None:
    (problem,) = problems_in(tmp_path, "worker:\n  conf: 0.2\n  warm_up_px: [[640, 480], [0, 480]]\n")
    assert (problem.location.line, problem.location.field) == (3, "worker.warm_up_px.1.0")


@pytest.mark.parametrize("value", ["!!int ''", "!!float ''", "!!bool maybe", "!!timestamp never"])
def test_tags_with_values_of_another_type_are_mistakes(value: str, tmp_path: Path) -> None:
    (problem,) = problems_in(tmp_path, f"shards: {value}\n")
    assert "is not a value of the type" in problem.problem


@pytest.mark.parametrize("word", ["off", "Off", "no", "yes", "on"])
def test_words_that_yaml_once_read_as_true_or_false_are_words(tmp_path: Path, word: str) -> None:
    path = tmp_path / "posebus.yaml"
    path.write_text(f"cameras: {{a: {{source: x.mp4, loop: {word}}}}}\nworker: {{motion_gate: off, enhance: off}}\n")
    settings = load_settings(path, {}, {})
    assert (settings.worker.motion_gate, settings.worker.enhance) == ("off", "off")
    assert settings.cameras["a"].loop is (word in {"yes", "on"})
