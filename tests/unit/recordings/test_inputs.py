"""The names of recordings, and sources that are not recordings."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from posebus.config.settings import CAMERA_NAME_PATTERN
from posebus.errors import SourceRejected
from recordings.inputs import camera_names, camera_settings, file_names, open_recordings


def test_files_have_the_name_of_the_stem_with_a_number_if_stems_are_the_same() -> None:
    sources = ["a/clip.mp4", "b/clip.avi", "Clip.mov", "my holiday.v2.mkv", "clip-2.mp4"]
    assert file_names(sources) == ["clip", "clip-2", "Clip-3", "my holiday.v2", "clip-2-2"]


def test_folders_keep_their_whole_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "day.1"
    folder.mkdir()
    monkeypatch.chdir(folder)
    assert file_names([str(folder), "."]) == ["day.1", "day.1-2"]


def test_cameras_have_the_name_of_their_files_as_far_as_keys_allow_it() -> None:
    assert camera_names(["TUD-Stadtmitte", "my holiday (2)", "日本", "my-holiday-2"]) == [
        "TUD-Stadtmitte",
        "my-holiday-2",
        "recording",
        "my-holiday-2-2",
    ]


def test_suffix_is_kept_for_long_names() -> None:
    first, second = camera_names(["x" * 200, "x" * 200], "-0123abcd")
    assert first.endswith("-0123abcd")
    assert second.endswith("-0123abcd")
    assert first != second


@given(st.lists(st.text(min_size=1, max_size=80), max_size=8), st.sampled_from(["", "-0123456789ab"]))
def test_every_name_gives_a_different_allowed_camera(names: list[str], suffix: str) -> None:
    cameras = camera_names(names, suffix)
    assert len(set(cameras)) == len(names)
    assert all(re.match(CAMERA_NAME_PATTERN, camera) and camera.endswith(suffix) for camera in cameras)


def test_recordings_are_read_lossless() -> None:
    assert camera_settings("clip.mp4").delivery == "lossless"


@pytest.mark.parametrize("source", ["rtsp://user:secret@host/live", "usb:0", "synthetic:bus", "http://host/a.mp4"])
def test_camera_is_rejected_as_a_recording_without_its_password_in_the_error(source: str) -> None:
    with pytest.raises(SourceRejected, match="not a recording") as caught:
        camera_settings(source)
    assert "secret" not in str(caught.value)


def test_bad_inputs_are_refused_by_name_and_good_ones_remain(tmp_path: Path) -> None:
    import cv2
    import numpy as np

    good = tmp_path / "good.png"
    assert cv2.imwrite(str(good), np.zeros((48, 64, 3), np.uint8))
    text = tmp_path / "text.mp4"
    text.write_text("no video")
    recordings, refused = open_recordings(
        ["/nowhere/clip.mp4", str(good), str(text), "rtsp://user:secret@host"], suffix="-run"
    )
    assert [(one.name, one.camera, one.size_px, one.frames_expected) for one in recordings] == [
        ("good", "good-run", (64, 48), 1)
    ]
    assert "there is no file /nowhere/clip.mp4" in refused["clip"]
    assert "not a video" in refused["text"]
    assert "secret" not in str(refused)
