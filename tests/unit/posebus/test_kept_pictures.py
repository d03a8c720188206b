"""The file in which the pictures of a live camera wait until they are drawn."""

from __future__ import annotations

import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest

from posebus.machine.kept_pictures import KeptPictures, PictureKeeper

PICTURES = {1_796_000_000_000_000_000 + n * 40_000_000: bytes([n]) * (n + 1) for n in range(5)}


def kept(path: Path) -> dict[int, bytes | None]:
    with KeptPictures(path) as opened:
        assert len(opened) == sum(opened.jpeg(at_ns) is not None for at_ns in PICTURES)
        return {at_ns: opened.jpeg(at_ns) for at_ns in PICTURES}


def keep(path: Path, pictures: dict[int, bytes]) -> PictureKeeper:
    keeper = PictureKeeper(path)
    for at_ns, jpeg in pictures.items():
        keeper.add(at_ns, jpeg)
    keeper.close()
    return keeper


def test_pictures_are_found_by_their_time(tmp_path: Path) -> None:
    assert keep(tmp_path / "a", PICTURES).trouble is None
    assert kept(tmp_path / "a") == PICTURES


def test_successor_of_a_killed_process_continues_behind_the_last_whole_picture(tmp_path: Path) -> None:
    path = tmp_path / "a"
    first, *rest = PICTURES.items()
    keep(path, dict([first, rest[0]]))
    path.write_bytes(path.read_bytes()[:-1])  # killed while it wrote
    assert set(filter(None, kept(path).values())) == {first[1]}
    keep(path, dict(rest[1:]))
    assert kept(path) == PICTURES | {rest[0][0]: None}


def test_full_disk_ends_the_keeping_with_a_reason(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=1_000))
    keeper = keep(tmp_path / "a", PICTURES)
    assert keeper.trouble == "the disk has less than 500 MB left"
    assert not any(kept(tmp_path / "a").values())


def test_file_that_cannot_be_created_is_a_reason_and_no_error(tmp_path: Path) -> None:
    assert keep(tmp_path / "none" / "a", PICTURES).trouble == "No such file or directory"
