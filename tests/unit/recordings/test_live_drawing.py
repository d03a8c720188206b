"""The video of a live camera: each frame with the picture that was kept for it, at the time of its capture."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from samples import track_frame

from posebus.contract.public_json import dump, track_frame_to_json
from posebus.errors import OutputError
from posebus.machine.kept_pictures import PictureKeeper
from posebus.messages import CaptureClock, Delivery, Provenance
from recordings.live.drawing import draw_kept
from recordings.progress import Silent

TIMES_NS = [1_796_000_000_000_000_000 + ms * 1_000_000 for ms in (0, 40, 90, 300, 310)]
"""Of pictures; the second one has no tracks, because its frame was skipped."""
LEVELS = (40, 80, 120, 160, 200)
"""The grey level of each picture."""


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    keeper = PictureKeeper(tmp_path / "kept")
    for at_ns, level in zip(TIMES_NS, LEVELS, strict=True):
        keeper.add(at_ns, cv2.imencode(".jpg", np.full((48, 64, 3), level, np.uint8))[1].tobytes())
    keeper.close()
    return tmp_path / "kept"


def lines(path: Path, times_ns: list[int]) -> Path:
    provenance = Provenance(CaptureClock.ARRIVAL, Delivery.LIVE, frame_published_at_ns=0)
    found = [replace(track_frame(ids=()), captured_at_ns=at_ns) for at_ns in times_ns]
    path.write_text("".join(dump(track_frame_to_json(one, provenance, 0)) + "\n" for one in found))
    return path


def test_frames_are_drawn_into_their_own_pictures(kept: Path, tmp_path: Path) -> None:
    with_tracks = [0, 2, 3, 4]
    jsonl = lines(tmp_path / "a.tracks.jsonl", [TIMES_NS[index] for index in with_tracks])

    assert draw_kept(kept, jsonl, tmp_path / "a.annotated.mp4", 25.0, Silent()) == 0

    with av.open(str(tmp_path / "a.annotated.mp4")) as video:
        shown = [(frame.time, frame.to_ndarray(format="bgr24")) for frame in video.decode(video=0)]
    assert [time_s for time_s, _ in shown] == pytest.approx([0.0, 0.09, 0.3, 0.31], abs=0.001)
    assert [round(float(picture.mean())) for _, picture in shown] == pytest.approx(
        [LEVELS[index] for index in with_tracks], abs=3
    )


def test_frames_without_a_picture_are_counted(kept: Path, tmp_path: Path) -> None:
    jsonl = lines(tmp_path / "a.tracks.jsonl", [TIMES_NS[0], TIMES_NS[0] + 1, TIMES_NS[4]])
    assert draw_kept(kept, jsonl, tmp_path / "a.annotated.mp4", None, Silent()) == 1


def test_missing_pictures_are_an_error_in_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="No such file"):
        draw_kept(tmp_path / "none", tmp_path / "a", tmp_path / "b", None, Silent())
