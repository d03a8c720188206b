"""The command as users run it: exit codes, error messages without tracebacks, help."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import get_args, get_type_hints

import pytest

from posebus.config.environment import RESERVED
from posebus.control import folder as control_folder
from posebus.errors import BrokerUnavailable
from posebus.runtime.failures import DEBUG_VARIABLE, report_unexpected, run_and_report
from posebus.runtime.health import FOLDER_ENV, ROLES
from posebus.runtime.liveness import LIVENESS_ENV
from posebus.runtime.processes import CAMERA_STATES_ENV, RUN_ENV
from posebus.runtime.stage import PARENT_ENV
from posebus_cli.change.login import PASSWORD_ENV
from posebus_cli.observe.health import health


def posebus(*arguments: str | Path, **environ: str) -> subprocess.CompletedProcess[str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("POSEBUS_")}
    return subprocess.run(
        [sys.executable, "-m", "posebus_cli", *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        env={**clean, **environ, "COLUMNS": "100"},
        timeout=60,
    )


def test_help_lists_the_commands() -> None:
    done = posebus("--help")
    assert done.returncode == 0
    for word in (
        "image",
        "up",
        "ingest",
        "work",
        "track",
        "watch",
        "top",
        "metrics",
        "doctor",
        "config",
        "posebus demo",
    ):
        assert word in done.stdout


def test_the_command_health_and_the_short_way_of_containers_know_the_same_roles() -> None:
    assert get_args(get_type_hints(health)["role"]) == ROLES


def test_version() -> None:
    done = posebus("--version")
    assert done.returncode == 0
    assert done.stdout.startswith("posebus 0.")


@pytest.mark.parametrize(
    "arguments", [["nonsense"], ["config", "check"], ["image", "x.jpg", "--engine", "warp"], ["watch", "-n", "0"]]
)
def test_wrong_usage_exits_with_2(arguments: list[str]) -> None:
    done = posebus(*arguments)
    assert done.returncode == 2
    assert "Usage" in done.stderr
    assert "Traceback" not in done.stderr


def test_invalid_option_is_one_line_on_standard_error() -> None:
    done = posebus("image", "x.jpg", "--imgsz", "33")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "posebus: --imgsz: must be auto, or a multiple of 32 from 64 to 4096, not 33\n"


def test_invalid_tiles_are_one_line_on_standard_error() -> None:
    done = posebus("image", "x.jpg", "--tiles", "9x1")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "posebus: --tiles: must be columns and rows from 1 to 8, like 2x2, not 9x1\n"


def test_unreachable_broker_is_one_line_without_its_password() -> None:
    done = posebus("watch", "--redis", "redis://me:hunter2@127.0.0.1:1")
    assert done.returncode == 1
    assert done.stderr == (
        "posebus: no answer from the broker at redis://***@127.0.0.1:1: connection refused; "
        "is 'posebus up' or another broker running there?\n"
    )


@pytest.mark.parametrize("command", ["top", "watch", "forget door", "jobs work", "work"])
def test_command_without_a_broker_looks_for_the_one_in_the_environment(command: str) -> None:
    done = posebus(*command.split(), POSEBUS_REDIS="redis://127.0.0.1:1")
    assert "is 'posebus up' or another broker running there?" in done.stderr


def test_port_beside_a_broker_that_is_not_embedded_is_refused(tmp_path: Path) -> None:
    config = tmp_path / "posebus.yaml"
    config.write_text("cameras: {door: {source: 'synthetic:bus'}}")
    done = posebus("up", "-c", str(config), "--port", "7000", "--redis", "redis://127.0.0.1:1")
    assert (done.returncode, done.stdout) == (1, "")
    assert "leave out --port" in done.stderr


def test_debug_variable_shows_the_traceback() -> None:
    done = posebus("top", "--redis", "redis://127.0.0.1:1", POSEBUS_DEBUG="1")
    assert done.returncode == 1
    assert "Traceback" in done.stderr


def test_unexpected_error_is_one_line_without_passwords(capsys: pytest.CaptureFixture[str]) -> None:
    report_unexpected(KeyError, KeyError("redis://me:hunter2@host\nmore"), None)
    printed = capsys.readouterr().err
    assert printed.startswith("posebus: unexpected KeyError: ")
    assert "hunter2" not in printed
    assert printed.count("\n") == 1


def test_exit_codes_are_0_1_and_130(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)
    monkeypatch.delenv(DEBUG_VARIABLE, raising=False)

    def fail() -> None:
        raise BrokerUnavailable("no answer from redis://me:hunter2@host")

    def interrupt() -> None:
        raise KeyboardInterrupt

    assert run_and_report(lambda: None) == 0
    assert run_and_report(fail) == 1
    assert run_and_report(interrupt) == 130
    assert capsys.readouterr().err == "posebus: no answer from redis://***@host\n"


def test_config_check_accepts_a_good_file(tmp_path: Path) -> None:
    path = tmp_path / "posebus.yaml"
    path.write_text("cameras: {a: {source: rtsp://192.0.2.1/a}, b: {source: rtsp://192.0.2.1/b}}")
    done = posebus("config", "check", path)
    assert (done.returncode, done.stdout, done.stderr) == (0, f"{path}: fine, 2 cameras\n", "")
    assert json.loads(posebus("config", "check", path, "--json").stdout) == {
        "file": str(path),
        "ok": True,
        "cameras": ["a", "b"],
        "mistakes": [],
        "notes": [],
    }


def test_config_check_says_that_a_wall_is_not_served_without_logins(tmp_path: Path) -> None:
    path = tmp_path / "posebus.yaml"
    path.write_text("cameras: {a: {source: rtsp://192.0.2.1/a}}\nwall:\n  host: 0.0.0.0\n")
    done = posebus("config", "check", path)
    assert done.returncode == 1
    assert done.stdout.startswith(f"{path}:3:3: wall.host: the wall is not served at 0.0.0.0")


def test_config_check_notes_rates_that_are_too_low_to_follow_people(tmp_path: Path) -> None:
    path = tmp_path / "posebus.yaml"
    path.write_text("cameras:\n  a:\n    source: rtsp://192.0.2.1/a\n    max_fps: 0.2\n")
    done = posebus("config", "check", path)
    note = f"{path}:4:5: cameras.a.max_fps: frames are inferred every 5 s: people who walk get a new number each time; "
    assert done.stdout.splitlines() == [f"{note}raise max_fps to at least 1", f"{path}: fine, 1 camera"]
    assert done.returncode == 0


def test_config_check_lists_every_mistake(tmp_path: Path) -> None:
    path = tmp_path / "posebus.yaml"
    path.write_text("shards: 0\nworker:\n  imgz: 640\n")
    done = posebus("config", "check", path, POSEBUS_WORKER__CONF="2")
    assert done.returncode == 1
    assert done.stdout.splitlines() == [
        f"{path}:1:1: shards: must be at least 1, not 0",
        f"{path}:3:3: worker.imgz: there is no such field; did you mean 'imgsz'?",
        "POSEBUS_WORKER__CONF: must be less than 1, not '2'",
    ]
    assert done.stderr == f"{path}: 3 mistakes\n"
    data = json.loads(posebus("config", "check", path, "--json").stdout)
    assert not data["ok"]
    assert [(mistake["line"], mistake["field"]) for mistake in data["mistakes"]] == [(1, "shards"), (3, "worker.imgz")]


def test_config_check_reports_a_missing_file() -> None:
    done = posebus("config", "check", "/nowhere/posebus.yaml")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "posebus: configuration file /nowhere/posebus.yaml does not exist: check the path\n"


def test_reserved_variables_are_those_that_the_code_reads() -> None:
    of_supervisors = {CAMERA_STATES_ENV, LIVENESS_ENV, PARENT_ENV, RUN_ENV}
    assert of_supervisors | {DEBUG_VARIABLE, FOLDER_ENV, control_folder.FOLDER_ENV, PASSWORD_ENV} == RESERVED
