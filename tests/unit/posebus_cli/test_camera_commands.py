"""`posebus camera` and `posebus scale`: the file, the deployment that runs with it, and what is said."""

from __future__ import annotations

import io
import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from ruamel.yaml import YAML
from small_deployment import running

from posebus.control.folder import FOLDER_ENV
from posebus.errors import PoseBusError
from posebus_cli.app import command
from posebus_cli.change.login import PASSWORD_ENV

FILE = """\
# my cameras
cameras:
  door:   # at the front
    source: rtsp://me:secret@192.0.2.1/live

fleet: {workers: 1, trackers: 1}   # enough
"""
Run = Callable[..., tuple[int, str]]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "posebus.yaml"
    path.write_text(FILE)
    return path


@pytest.fixture
def sockets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "sockets"
    for name in [name for name in os.environ if name.startswith("POSEBUS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv(FOLDER_ENV, str(folder))
    return folder


@pytest.fixture
def run(sockets: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs the command in this process; returns its exit code, and its output or its one sentence."""

    def run_command(*arguments: str | Path) -> tuple[int, str]:
        try:
            code = command().main([str(one) for one in arguments], standalone_mode=False)
        except PoseBusError as error:
            return 1, f"{capsys.readouterr().out}{error}"
        out = capsys.readouterr().out
        assert "secret" not in out
        return code or 0, out

    return run_command


def cameras(file: Path) -> dict[str, object]:
    found: dict[str, object] = YAML(typ="safe", pure=True).load(file)["cameras"]
    return found


def test_cameras_change_while_a_deployment_runs(file: Path, sockets: Path, run: Run) -> None:
    with running(file, sockets) as small:
        code, out = run("camera", "add", "yard", "usb:1", "--set", "max_fps=12.5")
        assert code == 0
        assert out.startswith(f"{file} is saved\nyard: online after ")
        assert cameras(file)["yard"] == {"source": "usb:1", "max_fps": 12.5}
        assert small.settings.cameras["yard"].max_fps == 12.5
        code, out = run("camera", "set", "yard", "max_fps-", "source=rtsp://me:secret@192.0.2.2/bad")
        assert code == 0
        assert "yard: cannot connect: no answer from rtsp://***@192.0.2.2/bad; it is tried again" in out
        assert cameras(file)["yard"] == {"source": "rtsp://me:secret@192.0.2.2/bad"}
        assert "door: paused after" in run("camera", "pause", "door", "yard")[1]
        assert [camera.paused for camera in small.settings.cameras.values()] == [True, True]
        assert "door: online after" in run("camera", "resume", "door")[1]
        code, out = run("camera", "list")
        door, yard = out.splitlines()[1:]
        assert door.split()[:2] == ["door", "online"]
        assert yard.split()[:2] == ["yard", "paused"]
        assert "yard: removed after" in run("camera", "remove", "yard")[1]
        assert list(small.settings.cameras) == ["door"]
        code, out = run("scale", "workers=3", "trackers=2")
        assert (code, small.settings.fleet.workers, small.settings.fleet.trackers) == (0, 3, 2)
        assert "workers: 3 ready after" in out
        assert "trackers: 2 ready after" in out
    text = file.read_text().replace("    paused: false\n", "")
    assert text == FILE.replace("workers: 1, trackers: 1", "workers: 3, trackers: 2")


def test_without_saving_the_file_stays(file: Path, sockets: Path, run: Run) -> None:
    with running(file, sockets) as small:
        code, out = run("camera", "add", "yard", "usb:1", "--no-save")
        assert (code, small.settings.cameras["yard"].source) == (0, "usb:1")
        assert "not saved: the change ends with the running deployment\nyard: online after" in out
        listed = json.loads(run("camera", "list", "--json")[1])
        assert [(one["name"], one["state"], one["reason"]) for one in listed] == [
            ("door", "online", None),
            ("yard", "online", "not saved"),
        ]
        assert "2 ready after" in run("scale", "workers=2", "--no-save")[1]
        assert "refuses" in run("camera", "set", "door", "max_fps=-1", "--no-save")[1]
    assert file.read_text() == FILE
    assert run("camera", "set", "door", "max_fps=1", "--no-save", "-c", file)[1].startswith("nothing runs")


def test_without_a_running_deployment_the_file_is_written_for_the_next_start(file: Path, run: Run) -> None:
    code, out = run("camera", "set", "door", "max_fps=5", "-c", file)
    assert (code, out) == (
        0,
        f"{file} is saved; nothing runs with it on this machine, so it takes effect at the next start\n",
    )
    assert "says so already" in run("camera", "set", "door", "max_fps=5", "-c", file)[1]
    assert run("camera", "list", "-c", file)[1].splitlines()[1].split()[:4] == ["door", "not", "running", "-"]
    new = file.parent / "new.yaml"
    assert "is new" in run("camera", "add", "a", "usb:0", "-c", new)[1]
    assert cameras(new) == {"a": {"source": "usb:0"}}
    assert new.stat().st_mode & 0o777 == 0o600
    assert "no deployment of this user runs" in run("camera", "list")[1]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["camera", "add", "door", "usb:0"], "there is a camera 'door' in the file already"),
        (["camera", "set", "dor", "max_fps=1"], "there is no camera 'dor' in the file; did you mean 'door'?"),
        (
            ["camera", "set", "door", "max_fsp=1"],
            "cameras.door.max_fsp: there is no such field; did you mean 'max_fps'?",
        ),
        (["camera", "set", "door", "max_fps"], "'max_fps' says nothing: write FIELD=VALUE, or FIELD-"),
        (["camera", "set", "door", "source-"], "cameras.door.source: is required and missing"),
        (["camera", "set", "door", "max_fps=1", "max_fps=2"], "max_fps is given twice"),
        (["camera", "pause", "door", "cellar"], "there is no camera 'cellar' in the file"),
        (["camera", "add", "a b", "usb:0"], "is not an allowed camera name"),
        (["camera", "add", "x", "usb:0", "--password-file", "f"], "--password-file is for a user"),
        (["camera", "add", "x", "usb:0", "--user", "me"], "usb:0 takes no --user"),
        (["scale", "workers=-1"], "fleet.workers: must be at least 0"),
        (["scale", "restart_max_s=2"], "cannot be scaled"),
    ],
)
def test_what_cannot_be_done_is_one_sentence_and_leaves_the_file(
    file: Path, run: Run, arguments: list[str], sentence: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(PASSWORD_ENV, "pw")
    code, out = run(*arguments, "-c", file)
    assert code == 1
    assert sentence in out
    assert file.read_text() == FILE


def test_a_password_comes_from_a_file_or_the_environment(
    file: Path, run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "pw").write_text("s3cr@t/ :x\n")
    run("camera", "add", "a", "rtsp://192.0.2.3:554/x", "--user", "me", "--password-file", tmp_path / "pw", "-c", file)
    monkeypatch.setenv(PASSWORD_ENV, "pw")
    run("camera", "add", "b", "rtsp://192.0.2.3/x", "--user", "me", "-c", file)
    monkeypatch.setattr("sys.stdin", io.StringIO("rtsp://u:p@192.0.2.4/y\n"))
    run("camera", "add", "c", "-", "-c", file)
    sources = [camera["source"] for camera in cameras(file).values()]  # type: ignore[index]
    assert sources[1:] == [
        "rtsp://me:s3cr%40t%2F%20%3Ax@192.0.2.3:554/x",
        "rtsp://me:pw@192.0.2.3/x",
        "rtsp://u:p@192.0.2.4/y",
    ]
    monkeypatch.delenv(PASSWORD_ENV)
    assert "the password of 'me' is missing" in run("camera", "add", "d", "rtsp://h/x", "--user", "me", "-c", file)[1]


def test_several_deployments_ask_for_the_file(file: Path, sockets: Path, run: Run, tmp_path: Path) -> None:
    other = tmp_path / "other.yaml"
    other.write_text("cameras: {barn: {source: usb:7}}\n")
    with running(file, sockets) as first, running(other, sockets, role="ingest") as second:
        assert "several deployments run on this machine" in run("camera", "pause", "door")[1]
        assert "barn: paused" in run("camera", "pause", "barn", "-c", other)[1]
        assert "workers: 'posebus ingest' starts none" in run("scale", "workers=2", "-c", other)[1]
        assert (first.settings.cameras["door"].paused, second.settings.cameras["barn"].paused) == (False, True)


def test_a_deployment_without_a_file_is_changed_without_saving(sockets: Path, run: Run) -> None:
    with running(None, sockets) as small:
        out = run("camera", "add", "a", "usb:0")[1]
        assert out.startswith("not saved, as the deployment was started without a file")
        assert list(small.settings.cameras) == ["a"]


def test_a_change_that_the_deployment_does_not_make_in_time_is_said(file: Path, sockets: Path, run: Run) -> None:
    with running(file, sockets) as small:
        assert "the running deployment follows" in run("camera", "pause", "door", "--no-wait")[1]
        small.request_reload = lambda: None  # type: ignore[method-assign]
        code, out = run("camera", "resume", "door", "--timeout", "0.2")
        assert code == 1
        assert "door: not yet after 0.2 s (the deployment has not read its settings again)" in out
    assert file.read_text() != FILE


def test_what_the_environment_overrides_is_said(file: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POSEBUS_CAMERAS__DOOR__MAX_FPS", "3")
    out = run("camera", "set", "door", "max_fps=5", "-c", file)[1]
    assert out.startswith("note: cameras.door.max_fps stays 3: POSEBUS_CAMERAS__DOOR__MAX_FPS in the environment")


def test_a_number_that_the_command_line_of_the_deployment_sets_is_said(file: Path, sockets: Path, run: Run) -> None:
    with running(file, sockets, workers=2) as small:
        assert "workers: stay at 2, as 'posebus up' was started" in run("scale", "workers=3")[1]
        assert "workers: 3 ready after" in run("scale", "workers=3", "--no-save")[1]
        assert small.settings.fleet.workers == 3
