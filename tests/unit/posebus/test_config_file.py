"""Replacing a configuration file: as a whole or not at all, with its mode and owner, and never over another change."""

from __future__ import annotations

import os
import stat
import tempfile
import threading
from collections.abc import Sequence
from pathlib import Path

import pytest
import yaml

from posebus.config.editing.config_file import FileChange, change_file
from posebus.config.editing.yaml_edits import REMOVED, Edit
from posebus.config.loading import Checked
from posebus.errors import ConfigError, OutputError

FILE = "cameras:\n  a: &a {source: x, max_fps: 5}\n  b:\n    <<: *a\n    source: y\n"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "posebus.yaml"
    path.write_text(FILE)
    path.chmod(0o600)
    return path


def change(file: Path, name: str, value: object, **environ: str) -> FileChange:
    return change_file(file, lambda checked: [Edit(tuple(name.split(".")), value)], environ)


def test_a_link_is_followed_and_mode_and_owner_stay(file: Path, tmp_path: Path) -> None:
    file.chmod(0o640)
    if os.geteuid() == 0:
        os.chown(file, 12345, 23456)
    before = file.stat()
    link = tmp_path / "folder" / "link.yaml"
    link.parent.mkdir()
    link.symlink_to(file)
    assert change(link, "cameras.b.max_fps", 7).changed
    after = file.stat()
    assert (after.st_uid, after.st_gid, stat.S_IMODE(after.st_mode)) == (before.st_uid, before.st_gid, 0o640)
    assert link.is_symlink()
    assert yaml.safe_load(file.read_text())["cameras"]["b"]["max_fps"] == 7
    assert {path.name for path in tmp_path.iterdir()} == {"posebus.yaml", "folder"}


def test_what_is_no_change_leaves_the_file_untouched(file: Path) -> None:
    before = file.stat()
    assert not change(file, "cameras.a.max_fps", 5).changed
    assert file.stat() == before


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("cameras.a.max_fps", 0, "cameras.a.max_fps: must be greater than 0"),
        ("worker.imgsz", 33, "worker.imgsz: must be auto, or a multiple of 32"),
        ("cameras.a", REMOVED, "is used elsewhere in the file"),
    ],
)
def test_an_edit_that_makes_the_file_invalid_writes_nothing(
    file: Path, name: str, value: object, sentence: str
) -> None:
    with pytest.raises(ConfigError, match=r"posebus\.yaml is unchanged: ") as error:
        change(file, name, value)
    assert sentence in str(error.value)
    assert file.read_text() == FILE
    assert list(file.parent.iterdir()) == [file]


def test_a_file_with_mistakes_is_corrected_before_it_is_changed(file: Path) -> None:
    file.write_text(FILE + "worker: {imgsz: 33}\n")
    with pytest.raises(ConfigError, match=r"has mistakes already.*posebus\.yaml:6:\d+: worker\.imgsz"):
        change(file, "cameras.b.max_fps", 7)
    assert change(file, "worker.imgsz", 640).before is None


def test_notes_say_what_has_no_effect_and_what_changes_as_well(file: Path) -> None:
    assert change(file, "cameras.a.max_fps", 6).notes == (
        "cameras.b.max_fps changes as well: it shares its value with another part of the file",
    )
    change(file, "cameras.b.max_fps", 7)
    assert change(file, "cameras.b.max_fps", REMOVED).notes == (
        "cameras.b.max_fps is 6 now, which comes from line 2 of the file",
    )
    (note,) = change(
        file, "cameras.b.source", "rtsp://u:pw@h/x", POSEBUS_CAMERAS__B__SOURCE="rtsp://q:secret@h/y"
    ).notes
    assert note == (
        "cameras.b.source stays rtsp://***@h/y: POSEBUS_CAMERAS__B__SOURCE in the environment overrides the file"
    )
    assert change(file, "cameras.b.max_fps", 9, POSEBUS_CAMERAS__B__MAX_FPS="9").notes == ()


def test_a_password_in_a_file_that_all_may_read_is_said(file: Path) -> None:
    file.chmod(0o644)
    (note,) = change(file, "cameras.c", {"source": "rtsp://u:pw@h/x"}).notes
    assert note == f"{file} holds a password now, and other users may read it: chmod 600 {file}"
    assert change(file, "cameras.d", {"source": "rtsp://h/x"}).notes == ()
    file.chmod(0o640)
    assert change(file, "cameras.c.source", "rtsp://u:pw2@h/x").notes == ()


def test_a_file_that_changed_meanwhile_is_read_and_edited_again(file: Path) -> None:
    calls = 0

    def edits(checked: Checked) -> Sequence[Edit]:
        nonlocal calls
        calls += 1
        if calls == 1:
            file.write_text(FILE + "fleet: {workers: 4}\n")
        return [Edit(("cameras", "b", "max_fps"), 7)]

    change_file(file, edits, {})
    found = yaml.safe_load(file.read_text())
    assert (calls, found["fleet"]["workers"], found["cameras"]["b"]["max_fps"]) == (2, 4, 7)

    def never(checked: Checked) -> Sequence[Edit]:
        file.write_text(FILE + f"fleet: {{workers: {os.urandom(2)[0]}}}\n# {os.urandom(8).hex()}\n")
        return [Edit(("cameras", "b", "max_fps"), 8)]

    with pytest.raises(OutputError, match="changed by another program again and again"):
        change_file(file, never, {})


def test_many_commands_at_once_lose_no_change(file: Path) -> None:
    def add(number: int) -> None:
        for index in range(3):
            change(file, f"cameras.n{number}-{index}", {"source": f"usb:{number}"})

    threads = [threading.Thread(target=add, args=[number]) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(yaml.safe_load(file.read_text())["cameras"]) == 2 + 12


def test_files_that_cannot_be_changed_are_one_sentence(file: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="does not exist: check the path"):
        change(tmp_path / "other.yaml", "shards", 2)
    with pytest.raises(ConfigError, match="is no file"):
        change(tmp_path, "shards", 2)
    loop = tmp_path / "loop.yaml"
    loop.symlink_to(loop)
    with pytest.raises(ConfigError, match=r"loop\.yaml cannot be"):
        change(loop, "shards", 2)
    file.write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigError, match="is not UTF-8 text"):
        change(file, "shards", 2)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_a_file_of_another_user_is_not_taken_over() -> None:
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        file = Path(folder) / "posebus.yaml"
        file.write_text(FILE)
        file.parent.chmod(0o777)
        file.chmod(0o666)
        child = os.fork()
        if child == 0:
            os.setgid(23456)
            os.setuid(12345)
            try:
                change(file, "cameras.b.max_fps", 7)
            except OutputError as error:
                os._exit(7 if "belongs to another user or group" in str(error) else 8)
            finally:
                os._exit(9)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
        assert file.read_text() == FILE
        assert list(file.parent.iterdir()) == [file]
