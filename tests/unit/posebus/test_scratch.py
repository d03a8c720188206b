"""Scratch folders are deleted in whichever way their use ends."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from posebus.machine.scratch import ABANDONED_S, CACHE_PREFIX, ScratchFolder, cache_scratch


def test_folder_is_private_and_deleted_with_its_files(tmp_path: Path) -> None:
    with ScratchFolder(tmp_path) as folder:
        assert folder.stat().st_mode & 0o777 == 0o700
        (folder / "file").write_text("unfinished")
    assert list(tmp_path.iterdir()) == []


def test_interrupt_right_after_its_creation_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make = Path.mkdir

    def make_and_interrupt(path: Path, mode: int = 0o777) -> None:
        make(path, mode)
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "mkdir", make_and_interrupt)
    with pytest.raises(KeyboardInterrupt) as interrupt:
        ScratchFolder(tmp_path)
    del interrupt
    assert list(tmp_path.iterdir()) == []


def test_folder_in_use_is_deleted_when_the_process_exits(tmp_path: Path) -> None:
    code = "import sys; from pathlib import Path; from posebus.machine.scratch import ScratchFolder\n"
    code += "kept = ScratchFolder(Path(sys.argv[1])); sys.exit(1)"
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=False)
    assert list(tmp_path.iterdir()) == []


def test_folders_of_killed_processes_are_deleted_after_a_day(tmp_path: Path) -> None:
    old, new, busy = (tmp_path / f"{CACHE_PREFIX}{name}" for name in ("old", "new", "busy"))
    for folder in (old, new, busy):
        folder.mkdir()
    (busy / "file").write_text("still written")
    long_ago_s = time.time() - ABANDONED_S - 60
    for folder in (old, busy):
        os.utime(folder, (long_ago_s, long_ago_s))
    with cache_scratch(tmp_path) as folder:
        assert {path for path in tmp_path.iterdir() if path != folder} == {new, busy}
