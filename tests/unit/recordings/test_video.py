"""The annotated MP4: its frame times and sizes, and people in the right frames."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import av
import numpy as np
import pytest
import samples

from posebus.config.settings import CameraSettings
from posebus.contract.public_json import dump, track_frame_to_json
from posebus.errors import OutputError
from recordings.progress import Silent
from recordings.results.video import Mp4Writer, annotate, read_tracks

MS = 1_000_000


def decoded(path: Path) -> list[av.VideoFrame]:
    with av.open(str(path)) as container:
        return list(container.decode(video=0))


def write(path: Path, times_ms: list[int], size_px: tuple[int, int] = (64, 48)) -> list[av.VideoFrame]:
    with Mp4Writer(path, 25.0) as video:
        for time_ms in times_ms:
            video.add(np.full((size_px[1], size_px[0], 3), 128, np.uint8), time_ms * MS)
        video.complete()
    return decoded(path)


def test_video_frames_keep_their_times(tmp_path: Path) -> None:
    frames = write(tmp_path / "a.mp4", [1000, 1040, 1100, 1500, 1501])
    assert [round(frame.time * 1000) for frame in frames] == [0, 40, 100, 500, 501]
    with av.open(str(tmp_path / "a.mp4")) as container:
        stream = container.streams.video[0]
        assert (stream.codec_context.name, stream.codec_context.pix_fmt) == ("h264", "yuv420p")


@pytest.mark.parametrize("size_px", [(64, 48), (65, 47), (33, 33), (1, 1)])
def test_odd_sides_become_even(tmp_path: Path, size_px: tuple[int, int]) -> None:
    frame = write(tmp_path / "a.mp4", [0, 40], size_px)[0]
    assert (frame.width, frame.height) == (size_px[0] + size_px[0] % 2, size_px[1] + size_px[1] % 2)


def test_picture_of_another_size_is_resized(tmp_path: Path) -> None:
    with Mp4Writer(tmp_path / "a.mp4", None) as video:
        video.add(np.zeros((48, 64, 3), np.uint8), 0)
        video.add(np.full((480, 640, 3), 255, np.uint8), 40 * MS)
        video.complete()
    frames = decoded(tmp_path / "a.mp4")
    assert {(frame.width, frame.height) for frame in frames} == {(64, 48)}
    assert frames[1].to_ndarray(format="bgr24").mean() > 240


def test_incomplete_video_keeps_its_partial_name_and_can_be_played(tmp_path: Path) -> None:
    with Mp4Writer(tmp_path / "a.mp4", 25.0) as video:
        for number in range(5):
            video.add(np.zeros((48, 64, 3), np.uint8), number * 40 * MS)
    assert not (tmp_path / "a.mp4").exists()
    with av.open(str(tmp_path / "a.mp4.partial")) as container:
        assert container.streams.video[0].codec_context.width == 64


def test_video_without_a_picture_is_not_written(tmp_path: Path) -> None:
    with Mp4Writer(tmp_path / "a.mp4", 25.0) as video:
        video.complete()
    assert list(tmp_path.iterdir()) == []


def test_unwritable_path_is_an_output_error(tmp_path: Path) -> None:
    with (
        Mp4Writer(tmp_path / "nowhere" / "a.mp4", 25.0) as video,
        pytest.raises(OutputError, match=r"the video .*nowhere/a\.mp4 cannot be written: No such file"),
    ):
        video.add(np.zeros((48, 64, 3), np.uint8), 0)


def test_people_are_drawn_into_the_frame_of_their_capture_time_only(tmp_path: Path) -> None:
    import cv2

    pictures = tmp_path / "pictures"
    pictures.mkdir()
    for number in range(4):
        assert cv2.imwrite(str(pictures / f"{number}.png"), np.full((480, 640, 3), 60, np.uint8))
    jsonl = tmp_path / "clip.tracks.jsonl"
    with jsonl.open("w") as file:
        for seq in (0, 2):  # frame 1 was skipped; 3 has no people
            frame = replace(samples.track_frame(seq), captured_at_ns=seq * 1000 * MS)
            file.write(dump(track_frame_to_json(frame, samples.PROVENANCE, 1)) + "\n")
        empty = replace(samples.track_frame(3, ids=()), captured_at_ns=3000 * MS)
        file.write(json.dumps(track_frame_to_json(empty, samples.PROVENANCE, 1)) + "\n")
    path = annotate(CameraSettings(source=str(pictures)), jsonl, "clip", Silent())
    assert path == tmp_path / "clip.annotated.mp4"
    drawn = [frame.to_ndarray(format="bgr24").std() > 5 for frame in decoded(path)]
    assert drawn == [True, False, True, False]
    assert [frame.seq for frame in read_tracks(jsonl)] == [0, 2, 3]
