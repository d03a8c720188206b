"""Snapshots in a folder: once each, within bytes and age, and other files are left alone."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from evidence.stores import PARTIAL_AGE_S, TIDY_EVERY_S, FolderStore
from posebus.config.cameras.evidence import SnapshotSettings
from posebus.contract.evidence import FrameReference
from posebus.errors import OutputError
from posebus.subscribing.evidence import evidence

KEPT = SnapshotSettings(keep_s=100.0, max_bytes=100_000)


def frame(seq: int, camera: str = "door") -> FrameReference:
    return FrameReference(camera, 1, seq)


def names(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def aged(path: Path, at_s: float) -> None:
    os.utime(path, (at_s, at_s))


def test_a_snapshot_is_written_once(tmp_path: Path) -> None:
    store = FolderStore(tmp_path / "new" / "folder", KEPT)
    assert store.put(frame(1), b"first")
    assert not store.put(frame(1), b"second")
    assert (store.has(frame(1)), store.has(frame(2))) == (True, False)
    reference = "posebus-evidence:door/1/1"
    assert evidence(reference, folder=tmp_path / "new" / "folder") == b"first"
    assert evidence("posebus-evidence:door/1/2", folder=tmp_path / "new" / "folder") is None


def test_the_oldest_go_at_the_bound_in_bytes_of_each_camera(tmp_path: Path) -> None:
    store = FolderStore(tmp_path, KEPT, lambda: 1000.0)
    for seq in range(8):
        store.put(frame(seq), bytes(30_000))
        aged(tmp_path / "door" / f"1-{seq}.jpg", 950.0 + seq)
        store.put(frame(seq, "gate"), bytes(10))
        aged(tmp_path / "gate" / f"1-{seq}.jpg", 950.0 + seq)
    assert [name for name in names(tmp_path) if name.startswith("door")] == [f"door/1-{seq}.jpg" for seq in (5, 6, 7)]
    assert len(names(tmp_path)) == 3 + 8


def test_old_files_go_with_time_and_foreign_ones_stay(tmp_path: Path) -> None:
    now = [1000.0]
    store = FolderStore(tmp_path, KEPT, lambda: now[0])
    store.put(frame(1), b"a")
    kept = ["holiday.jpg", "1-2.png", "notes.txt"]
    for name in [*kept, ".posebus-1.partial", ".posebus-2.partial"]:
        (tmp_path / "door" / name).write_bytes(b"x")
    for name in [*kept, "1-1.jpg", ".posebus-1.partial"]:
        aged(tmp_path / "door" / name, 1000.0)
    store.tidy(0.0)
    assert "door/1-1.jpg" in names(tmp_path)
    now[0] += 101.0 + PARTIAL_AGE_S
    aged(tmp_path / "door" / ".posebus-2.partial", now[0])
    store.tidy(TIDY_EVERY_S - 1)
    assert "door/1-1.jpg" in names(tmp_path)
    store.tidy(TIDY_EVERY_S)
    assert names(tmp_path) == sorted(f"door/{name}" for name in [*kept, ".posebus-2.partial"])


def test_a_folder_that_cannot_be_made_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match=r"no file can be written into the folder"):
        FolderStore(tmp_path / "file" / "folder", KEPT)
