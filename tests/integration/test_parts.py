"""Parts of recordings: the frames between two times by ffprobe, every N-th of them, and how much is decoded."""

from __future__ import annotations

import json
import subprocess
from fractions import Fraction
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from ingest.reading.catching_up import catch_up
from ingest.sources import Source, open_source
from ingest.sources.excerpt.selection import Selection
from posebus.bus.checkpoint import OPEN, Checkpoint
from posebus.config.settings import CameraSettings
from posebus.errors import SourceRejected
from tests.integration.made_videos import make_video

FRAMES = 1000
KINDS: dict[str, dict[str, Any]] = {
    "a.mp4": {"codec_options": {"bf": "3", "g": "50"}},
    "b.mkv": {"codec_options": {"g": "50"}},
    "c.avi": {"codec": "mpeg4", "codec_options": {"g": "50"}},
    "d.ts": {"codec_options": {"g": "50", "bf": "2"}},
}


def probed_us(path: Path) -> list[int]:
    """Times of all frames by ffprobe in microseconds after the first one."""
    command = [
        "ffprobe",
        "-v",
        "error",
        "-select_streams",
        "v:0",
        "-show_entries",
        "frame=pts_time,best_effort_timestamp",
    ]
    command += ["-show_entries", "stream=time_base", "-of", "json", str(path)]
    shown = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    base = Fraction(shown["streams"][0]["time_base"])
    ticks = [int(frame["best_effort_timestamp"]) for frame in shown["frames"]]
    return [round((tick - ticks[0]) * base * 1_000_000) for tick in ticks]


def times_us(source: Source) -> list[int]:
    times = []
    while (picture := source.read()) is not None:
        times.append(round(picture.captured_at_ns / 1000))
    source.close()
    return times


@pytest.fixture(scope="module")
def videos(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("videos")
    return {name: make_video(folder / name, FRAMES, size_px=(96, 64), **how) for name, how in KINDS.items()}


@pytest.mark.parametrize("name", KINDS)
def test_the_frames_of_a_part_are_those_that_ffprobe_shows_between_the_times(
    name: str, videos: dict[str, Path]
) -> None:
    probed = probed_us(videos[name])
    for start_s, end_s, every in [
        (30.0, 31.0, 1),
        (20.04, 20.4, 3),
        (0.0, 0.5, 1),
        (38.99, None, 2),
        (25.001, 25.2, 1),
    ]:
        settings = CameraSettings(source=str(videos[name]), start_s=start_s, end_s=end_s, every=every)
        within = [time for time in probed if start_s * 1e6 <= time < (1e9 if end_s is None else end_s * 1e6)]
        assert times_us(open_source(settings)) == within[::every], (start_s, end_s, every)


def test_a_start_late_in_the_file_is_found_by_seeking(videos: dict[str, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    from ingest.sources.decoding.decoder import VideoDecoder

    decoded = []
    decode = VideoDecoder.decode
    monkeypatch.setattr(VideoDecoder, "decode", lambda *given: decoded.append(1) or decode(*given))
    settings = CameraSettings(source=str(videos["a.mp4"]), start_s=39.0, end_s=39.2)
    assert len(times_us(open_source(settings))) == 5
    assert len(decoded) < FRAMES / 2


def test_a_part_resumes_after_any_picture(videos: dict[str, Path]) -> None:
    settings = CameraSettings(source=str(videos["a.mp4"]), start_s=30.0, end_s=36.0, every=4)
    whole, source = [], open_source(settings)
    while (picture := source.read()) is not None:
        whole.append((picture.captured_at_ns, picture.position))
    for index in (0, 7, len(whole) - 1):
        time_ns, place = whole[index]
        source = open_source(settings)
        catch_up(source, Checkpoint(1, index + 1, time_ns, OPEN, "", "", place), lambda _: True, lambda: False)
        assert times_us(source) == [round(time / 1000) for time, _ in whole[index + 1 :]]


def test_a_rate_limit_holds_within_the_part(videos: dict[str, Path]) -> None:
    from ingest.sources.pacing import RateCap

    source = open_source(CameraSettings(source=str(videos["a.mp4"]), start_s=10.0, end_s=20.0, max_fps=5))
    cap, times = RateCap(5), []
    while (picture := source.read(cap.admit)) is not None:
        times.append(picture.captured_at_ns / 1e9)
    assert 48 <= len(times) <= 52
    assert 10.0 <= min(times) <= max(times) < 20.0


def test_a_part_of_a_folder_of_pictures_has_their_times(tmp_path: Path) -> None:
    for number in range(10):
        cv2.imwrite(str(tmp_path / f"{number}.png"), np.full((8, 8, 3), number, np.uint8))
    settings = CameraSettings(source=str(tmp_path), start_s=3, end_s=8, every=2)
    assert times_us(open_source(settings)) == [3_000_000, 5_000_000, 7_000_000]


def test_a_part_without_frames_is_refused_with_the_length_of_the_recording(videos: dict[str, Path]) -> None:
    for start_s in (40.0, 4000.0, 1e9):
        with pytest.raises(SourceRejected, match=r"is 40\.000 s long, so it has no frame from"):
            times_us(open_source(CameraSettings(source=str(videos["b.mkv"]), start_s=start_s)))
    with pytest.raises(SourceRejected, match=r"no frame between 10\.001 s and 10\.01 s"):
        times_us(open_source(CameraSettings(source=str(videos["b.mkv"]), start_s=10.001, end_s=10.01)))
    with pytest.raises(SourceRejected, match="make end_s larger"):
        open_source(CameraSettings(source=str(videos["b.mkv"]), start_s=10, end_s=5))
    with pytest.raises(SourceRejected, match="is no recording, so no part of it"):
        open_source(CameraSettings(source="synthetic:bus", start_s=10))


def test_every_nth_frame_is_counted_from_the_start() -> None:
    selection = Selection(start_s=1.0, end_s=2.0, every=3)
    chosen = [time_ms for time_ms in range(900, 2200, 100) if selection.selects(time_ms * 1_000_000)]
    assert chosen == [1000, 1300, 1600, 1900]
    assert not selection.after(1_999_999_000)
    assert selection.after(1_999_999_999), "a time that rounds to the end is not before it"
