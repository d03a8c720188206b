"""Images in this machine's memory: complete, readable, deleted, and nothing outside their folder."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from posebus.errors import BadPicture
from posebus.runtime.shared_frames import MEMORY_FOLDER, SharedFrames, shared_folder
from tests.polling import wait_until

needs_memory_folder = pytest.mark.skipif(not MEMORY_FOLDER.is_dir(), reason="this system has no /dev/shm")


def rows(value: int, pixels: int = 1000) -> memoryview:
    return np.full(3 * pixels, value, np.uint8).data.cast("B")


def test_an_image_is_read_back_and_stays_readable_after_it_is_discarded(tmp_path: Path) -> None:
    shared = SharedFrames(tmp_path)
    shared.put("door-1-0", rows(7))
    read = shared.get("door-1-0")
    shared.discard("door-1-0")
    assert bytes(read) == b"\7" * 3000
    with pytest.raises(BadPicture, match="door-1-0 is not in"):
        shared.get("door-1-0")


def test_the_memory_of_discarded_images_is_used_again(tmp_path: Path) -> None:
    shared = SharedFrames(tmp_path)
    for seq in range(20):
        shared.put(f"door-1-{seq}", rows(seq, pixels=1000 + 10 * (seq % 3)))
        assert bytes(shared.get(f"door-1-{seq}")) == bytes(rows(seq, pixels=1000 + 10 * (seq % 3)))
        shared.discard(f"door-1-{seq}")
        assert len(list(tmp_path.iterdir())) == 1


def test_a_late_reader_survives_a_smaller_image_in_the_same_file(tmp_path: Path) -> None:
    shared = SharedFrames(tmp_path)
    shared.put("door-1-0", rows(7, pixels=100_000))
    read = shared.get("door-1-0")
    shared.discard("door-1-0")
    shared.put("yard-1-0", rows(1))
    assert bytes(read) == b"\7" * 300_000
    assert bytes(shared.get("yard-1-0")) == bytes(rows(1))


def test_images_that_wait_are_not_overwritten(tmp_path: Path) -> None:
    shared = SharedFrames(tmp_path)
    for name in ("free-1-0", "door-1-0", "door-1-1"):
        shared.put(name, rows(len(name)))
    shared.discard("door-1-0")
    shared.put("yard-1-0", rows(1))
    assert bytes(shared.get("free-1-0")) == bytes(rows(8))
    assert bytes(shared.get("door-1-1")) == bytes(rows(8))


@pytest.mark.parametrize("name", ["../secret", "a/b", "", ".free-x", "a" * 200, "x\0y"])
def test_names_that_leave_the_folder_are_refused(name: str, tmp_path: Path) -> None:
    folder = tmp_path / "shared"
    folder.mkdir()
    (tmp_path / "secret").write_bytes(b"password")
    with pytest.raises(BadPicture, match="cannot be the name"):
        SharedFrames(folder).get(name)


def test_a_full_memory_leaves_no_partial_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(file: int, data: memoryview) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(OSError, match="No space"):
        SharedFrames(tmp_path).put("door-1-0", rows(1))
    assert list(tmp_path.iterdir()) == []


@needs_memory_folder
def test_the_folder_exists_until_the_context_ends() -> None:
    with shared_folder(1000) as folder:
        assert folder is not None
        SharedFrames(folder).put("door-1-0", rows(1))
    assert not folder.exists()


def test_without_room_there_is_no_folder() -> None:
    with shared_folder(1 << 60) as folder:
        assert folder is None


@needs_memory_folder
def test_the_folder_is_deleted_even_if_its_process_is_killed() -> None:
    code = (
        "import time; from posebus.runtime.shared_frames import shared_folder\n"
        "with shared_folder(1000) as folder:\n    print(folder, flush=True)\n    time.sleep(60)"
    )
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    folder = Path(process.stdout.readline().strip())
    assert folder.is_dir()
    process.kill()
    process.wait()
    wait_until(lambda: not folder.exists(), "the end of the folder")
