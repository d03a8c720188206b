"""What recordings are called, and which sources are none."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from posebus.config.settings import CAMERA_NAME_PATTERN
from posebus.errors import SourceRejected
from recordings.inputs import camera_names, camera_settings, file_names, look_at_all


def test_files_are_called_after_the_stem_and_numbered_where_stems_are_the_same() -> None:
    sources = ["a/clip.mp4", "b/clip.avi", "Clip.mov", "my holiday.v2.mkv", "clip-2.mp4"]
    assert file_names(sources) == ["clip", "clip-2", "Clip-3", "my holiday.v2", "clip-2-2"]


def test_folders_keep_their_whole_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "day.1"
    folder.mkdir()
    monkeypatch.chdir(folder)
    assert file_names([str(folder), "."]) == ["day.1", "day.1-2"]


def test_cameras_are_like_their_files_where_keys_allow_it() -> None:
    assert camera_names(["TUD-Stadtmitte", "my holiday (2)", "日本", "my-holiday-2"]) == [
        "TUD-Stadtmitte",
        "my-holiday-2",
        "recording",
        "my-holiday-2-2",
    ]


def test_the_suffix_is_kept_however_long_the_name_is() -> None:
    first, second = camera_names(["x" * 200, "x" * 200], "-0123abcd")
    assert first.endswith("-0123abcd")
    assert second.endswith("-0123abcd")
    assert first != second


@given(st.lists(st.text(min_size=1, max_size=80), max_size=8), st.sampled_from(["", "-0123456789ab"]))
def test_every_name_makes_an_allowed_camera_of_its_own(names: list[str], suffix: str) -> None:
    cameras = camera_names(names, suffix)
    assert len(set(cameras)) == len(names)
    assert all(re.match(CAMERA_NAME_PATTERN, camera) and camera.endswith(suffix) for camera in cameras)


def test_recordings_are_read_without_loss() -> None:
    assert camera_settings("clip.mp4").delivery == "lossless"


@pytest.mark.parametrize("source", ["rtsp://user:secret@host/live", "usb:0", "synthetic:bus", "http://host/a.mp4"])
def test_cameras_are_no_recordings_and_no_password_shows(source: str) -> None:
    with pytest.raises(SourceRejected, match="not a recording") as caught:
        camera_settings(source)
    assert "secret" not in str(caught.value)


def test_bad_inputs_are_told_by_name_and_good_ones_remain(tmp_path: Path) -> None:
    import cv2
    import numpy as np

    good = tmp_path / "good.png"
    assert cv2.imwrite(str(good), np.zeros((48, 64, 3), np.uint8))
    text = tmp_path / "text.mp4"
    text.write_text("no video")
    recordings, refused = look_at_all(
        ["/nowhere/clip.mp4", str(good), str(text), "rtsp://user:secret@host"], suffix="-run"
    )
    assert [(one.name, one.camera, one.size_px, one.frames_expected) for one in recordings] == [
        ("good", "good-run", (64, 48), 1)
    ]
    assert "there is no file /nowhere/clip.mp4" in refused["clip"]
    assert "not a video" in refused["text"]
    assert "secret" not in str(refused)
