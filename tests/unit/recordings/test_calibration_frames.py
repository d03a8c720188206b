"""Frames for calibration: spread evenly over recordings of any length, the same share of each."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from posebus.errors import SourceRejected
from recordings.calibration_frames import spread_frames

STEP = 5

MakeFolder = Callable[[str, int], Path]


@pytest.fixture
def make_folder(tmp_path: Path) -> MakeFolder:
    """`make_folder(name, count)`: a folder of `count` pictures, the n-th of brightness STEP * n."""

    def make(name: str, count: int) -> Path:
        folder = tmp_path / name
        folder.mkdir()
        for number in range(count):
            cv2.imwrite(str(folder / f"{number:03}.png"), np.full((48, 64, 3), STEP * number, np.uint8))
        return folder

    return make


def spread(recordings: list[Path], wanted: int) -> list[int]:
    """Return the numbers of the pictures that were chosen."""
    reports: list[tuple[str, int, int | None]] = []
    frames = spread_frames(recordings, wanted, 64, lambda *progress: reports.append(progress))
    assert all(frame.shape == (64, 64, 3) for frame in frames)
    assert [text for text, done, _ in reports if done == 1] == [f"reading {path.name}" for path in recordings]
    assert all(total is not None and done <= total for _, done, total in reports)
    return [int(frame[32, 32, 0]) // STEP for frame in frames]


def test_short_recordings_give_all_their_frames(make_folder: MakeFolder) -> None:
    assert spread([make_folder("one", 5)], 8) == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("count", [8, 13, 17, 40, 50])
def test_long_recordings_give_frames_from_beginning_to_end(count: int, make_folder: MakeFolder) -> None:
    taken = spread([make_folder("one", count)], 8)
    assert len(taken) == 8
    assert taken[0] == 0
    assert taken[-1] >= count * 3 // 4
    gaps = np.diff(taken)
    assert gaps.min() >= 1
    assert gaps.max() <= 2 * gaps.min() * 1.5


def test_each_recording_gives_the_same_number_of_frames(make_folder: MakeFolder) -> None:
    taken = spread([make_folder("one", 40), make_folder("two", 9)], 8)
    assert len(taken) == 8
    assert taken[4] == 0


def test_file_that_is_not_a_recording_is_named_in_the_error(tmp_path: Path) -> None:
    with pytest.raises(SourceRejected, match=r"none\.mp4"):
        spread([tmp_path / "none.mp4"], 8)
