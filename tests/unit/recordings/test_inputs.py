"""The names of recordings, and sources that are not recordings."""

from __future__ import annotations

import os
import re
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from posebus.config.settings import CAMERA_NAME_PATTERN
from posebus.errors import SourceRejected
from recordings.inputs import camera_names, camera_settings, file_names, open_recording, open_recordings


def test_files_have_the_name_of_the_stem_with_a_number_if_stems_are_the_same() -> None:
    sources = ["a/clip.mp4", "b/clip.avi", "Clip.mov", "my holiday.v2.mkv", "clip-2.mp4"]
    assert file_names(sources) == ["clip", "clip-2", "Clip-3", "my holiday.v2", "clip-2-2"]


def test_folders_keep_their_whole_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "day.1"
    folder.mkdir()
    monkeypatch.chdir(folder)
    assert file_names([str(folder), "."]) == ["day.1", "day.1-2"]


def test_names_of_files_are_text_that_every_file_system_takes(tmp_path: Path) -> None:
    long = "ä" * 150
    sources = [f"{long}1.mp4", f"{long}2.mp4", "a\nb\x1b[0m.mp4", os.fsdecode(b"caf\xe9.mp4"), "é.mp4", "e\u0301.mp4"]
    names = file_names(sources)
    assert len(set(names)) == len(sources)
    assert names[2:] == ["a_b_[0m", "caf_", "é", "e\u0301-2"]
    for name in names:
        (tmp_path / f"{name}.annotated.mp4.partial").touch()


def test_names_that_others_use_are_avoided() -> None:
    assert file_names(["clip.mp4", "b/clip.mp4"], used={"CLIP"}) == ["clip-2", "clip-3"]


@pytest.mark.parametrize("source", ["file://nas/clip.mp4", "rtsp://[broken", "rtsp://", "file:"])
def test_sources_without_a_file_get_a_name(source: str) -> None:
    assert file_names([source]) == ["recording"]


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
    sources = ["/nowhere/clip.mp4", str(good), str(text), "rtsp://user:secret@host"]
    recordings, refused = open_recordings(sources, file_names(sources), suffix="-run")
    assert [(one.name, one.camera, one.size_px, one.frames_expected) for one in recordings] == [
        ("good", "good-run", (64, 48), 1)
    ]
    assert "there is no file /nowhere/clip.mp4" in refused["clip"]
    assert "not a video" in refused["text"]
    assert "secret" not in str(refused)


class Unusual:
    """A source in place of all others, as the package of another author may bring it."""

    def __init__(self, read: object) -> None:
        self.read = read
        self.frame_count = None

    def close(self) -> None:
        pass


def test_unforeseen_error_is_the_failure_of_its_input_alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def fail() -> None:
        raise ZeroDivisionError("in the\ndecoder")

    monkeypatch.setattr("ingest.sources.open_source", lambda settings: Unusual(fail))
    recordings, refused = open_recordings(["a.mp4", "b.mp4"], ["a", "b"])
    assert recordings == []
    assert list(refused) == ["a", "b"]
    assert refused["a"] == "unexpected ZeroDivisionError with a.mp4: in the decoder (please report it)"


def test_input_that_gives_nothing_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ingest.sources.open_source", lambda settings: Unusual(lambda: time.sleep(3600)))
    with pytest.raises(SourceRejected, match=r"a\.mp4 gave no picture within 0\.05 s"):
        open_recording("a.mp4", "a", "a", limit_s=0.05)
