"""Recordings resume after any picture, and give the same pictures as without the interruption."""

from __future__ import annotations

import random
import shutil
import zlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from ingest.reading.catching_up import catch_up
from ingest.sources import CapturedImage, Source, open_source
from ingest.sources.base import Seekable
from ingest.sources.file_position import FilePosition
from ingest.sources.pacing import RateCap
from posebus.bus.checkpoint import OPEN, Checkpoint
from posebus.config.settings import CameraSettings
from posebus.errors import SourceChanged
from tests.clips import head
from tests.integration.made_videos import make_video

Fingerprint = tuple[int, int, tuple[int, ...]]
LONG = 1000
"""Frames; at 25 fps, this is longer than a seek goes back."""
KINDS: dict[str, tuple[str, dict[str, object]]] = {
    "H.264, B frames, few key frames": ("a.mp4", {"codec_options": {"bf": "3", "g": "120"}}),
    "H.264, one key frame": ("b.mp4", {"codec_options": {"g": "5000", "sc_threshold": "0", "bf": "2"}}),
    "H.264, open groups": ("c.mp4", {"codec_options": {"x264-params": "open-gop=1:keyint=50:bframes=3"}}),
    "H.264 in Matroska": ("d.mkv", {"codec_options": {"g": "50"}}),
    "H.264 in a transport stream": ("e.ts", {"codec_options": {"g": "50", "bf": "2"}}),
    "MPEG-4 in AVI": ("f.avi", {"codec": "mpeg4", "codec_options": {"g": "50"}}),
    "H.264 with B frames in AVI, no presentation times": ("i.avi", {"codec_options": {"bf": "2", "g": "50"}}),
    "MJPEG": ("g.avi", {"codec": "mjpeg", "pix_fmt": "yuvj420p"}),
    "raw H.264, no times": ("h.h264", {"codec_options": {"g": "50"}}),
}


def fingerprint_of(picture: CapturedImage) -> Fingerprint:
    return picture.captured_at_ns, zlib.crc32(picture.image_bgr.tobytes()), picture.position


def read_all(source: Source, admit: Callable[[int], bool]) -> list[Fingerprint]:
    pictures = []
    while (picture := source.read(admit)) is not None:
        pictures.append(fingerprint_of(picture))
    return pictures


def checkpoint_after(uninterrupted: list[Fingerprint], index: int) -> Checkpoint:
    captured_at_ns, _, place = uninterrupted[index]
    return Checkpoint(1, index + 1, captured_at_ns, OPEN, "", "", place)


def check_everywhere(settings: CameraSettings, rng: random.Random, places: int = 4) -> list[Fingerprint]:
    """Interrupt the recording at its ends and at random; return its pictures without an interruption."""
    uninterrupted = read_all(open_source(settings), RateCap(settings.max_fps).admit)
    for index in [0, len(uninterrupted) - 1, *rng.sample(range(len(uninterrupted)), places)]:
        source, cap = open_source(settings), RateCap(settings.max_fps)
        catch_up(source, checkpoint_after(uninterrupted, index), cap.admit, lambda: False)
        assert read_all(source, cap.admit) == uninterrupted[index + 1 :], f"interrupted after picture {index}"
        source.close()
    return uninterrupted


@pytest.mark.parametrize("kind", KINDS)
def test_videos_of_all_kinds_resume_after_any_picture(kind: str, tmp_path: Path) -> None:
    name, how = KINDS[kind]
    path = make_video(tmp_path / name, LONG, size_px=(96, 64), **how)  # type: ignore[arg-type]
    assert len(check_everywhere(CameraSettings(source=str(path)), random.Random(kind))) > LONG / 2


@pytest.mark.parametrize("name", ["TUD-Stadtmitte.mp4", "one-by-one-person-detection.mp4", "vtest.avi"])
def test_real_recordings_resume_after_any_picture(name: str, shared_data: Path, tmp_path: Path, thorough: bool) -> None:
    """The first 300 pictures of each, or in the thorough version all."""
    path = shared_data / name if thorough else head(shared_data / name, 300, tmp_path / name)
    check_everywhere(CameraSettings(source=str(path)), random.Random(name), places=2)


def test_joined_recordings_resume_in_either_part(tmp_path: Path) -> None:
    kinds: dict[str, dict[str, Any]] = {"a": {}, "b": {"codec": "mpeg2video", "codec_options": {"g": "50"}}}
    parts = [make_video(tmp_path / f"{name}.ts", 400, size_px=(96, 64), **how) for name, how in kinds.items()]
    joined = tmp_path / "joined.ts"
    joined.write_bytes(b"".join(part.read_bytes() for part in parts))
    check_everywhere(CameraSettings(source=str(joined)), random.Random(4))


def test_under_a_rate_cap_resuming_admits_the_same_pictures(tmp_path: Path) -> None:
    path = make_video(tmp_path / "capped.mp4", 300, size_px=(96, 64), codec_options={"bf": "2", "g": "10"})
    assert len(check_everywhere(CameraSettings(source=str(path), max_fps=7), random.Random(1))) < 100


def test_a_folder_of_pictures_resumes_and_keeps_its_warning(tmp_path: Path) -> None:
    for number in range(12):
        cv2.imwrite(str(tmp_path / f"{number}.png"), np.full((8, 8, 3), number, np.uint8))
    check_everywhere(CameraSettings(source=str(tmp_path)), random.Random(2))
    (tmp_path / "3.png").write_bytes(b"no picture")
    settings = CameraSettings(source=str(tmp_path))
    uninterrupted = check_everywhere(settings, random.Random(3))
    source = open_source(settings)
    catch_up(source, checkpoint_after(uninterrupted, 8), lambda _: True, lambda: False)
    assert "1 of the pictures" in str(source.warning)


def test_resuming_by_seeking_reads_only_a_part_of_the_recording(tmp_path: Path) -> None:
    path = make_video(tmp_path / "long.mp4", LONG, size_px=(96, 64), codec_options={"g": "50"})
    settings = CameraSettings(source=str(path))
    uninterrupted = read_all(open_source(settings), lambda _: True)
    source = open_source(settings)
    assert isinstance(source, Seekable)
    considered: list[int] = []

    def admit(captured_at_ns: int) -> bool:
        considered.append(captured_at_ns)
        return True

    catch_up(source, checkpoint_after(uninterrupted, LONG - 2), admit, lambda: False)
    assert considered == []
    last = source.read(admit)
    assert last is not None
    assert fingerprint_of(last) == uninterrupted[-1]


def test_a_replaced_recording_raises_source_changed(tmp_path: Path) -> None:
    path = make_video(tmp_path / "now.mp4", 100, size_px=(96, 64))
    settings = CameraSettings(source=str(path))
    uninterrupted = read_all(open_source(settings), lambda _: True)
    shutil.move(make_video(tmp_path / "other.mp4", 40, size_px=(96, 64)), path)
    with pytest.raises(SourceChanged, match="played from its beginning"):
        catch_up(open_source(settings), checkpoint_after(uninterrupted, 60), lambda _: True, lambda: False)


def test_a_wrong_position_is_not_used(tmp_path: Path) -> None:
    path = make_video(tmp_path / "a.mp4", LONG, size_px=(96, 64), codec_options={"g": "50"})
    settings = CameraSettings(source=str(path))
    uninterrupted = read_all(open_source(settings), lambda _: True)
    good = checkpoint_after(uninterrupted, 600)
    position = FilePosition(*good.place)
    for place in [
        tuple(position._replace(checksum=position.checksum + 1)),
        tuple(position._replace(pts=position.pts + 1)),
        tuple(position._replace(pts=2**62)),
        tuple(position._replace(pts=-(2**62))),
        (1, 2, 3),
    ]:
        source = open_source(settings)
        catch_up(source, replace(good, place=place), lambda _: True, lambda: False)
        assert read_all(source, lambda _: True) == uninterrupted[601:]
