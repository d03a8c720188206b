"""`posebus demo` from start to end."""

from __future__ import annotations

import json
from pathlib import Path

import av
import cv2

from tests.integration.run_command import posebus

CAMERAS = ("bus", "zidane")


def test_demo_ends_with_a_summary_videos_and_pictures(engine_cache: Path, tmp_path: Path) -> None:
    done = posebus(engine_cache, "demo", "--seconds", "2", "--imgsz", "320", "--out", tmp_path)
    assert done.returncode == 0, done.stderr
    for camera in CAMERAS:
        assert f"{camera}: fps in" in done.stdout
        frames = (tmp_path / f"{camera}.tracks.jsonl").read_text().splitlines()
        assert f"{camera}: {len(frames)} frames, " in done.stdout
        people = max(sum(track["state"] == "confirmed" for track in json.loads(line)["tracks"]) for line in frames)
        assert people >= 2
        with av.open(str(tmp_path / f"{camera}.annotated.mp4")) as video:
            decoded = list(video.decode(video=0))
        captured = [json.loads(line)["captured_at_ns"] for line in frames]
        assert len(decoded) == len(frames)
        assert abs(decoded[-1].time - (captured[-1] - captured[0]) / 1e9) < 0.01
        picture = cv2.imread(str(tmp_path / f"{camera}.annotated.png"))
        assert picture.shape == (480, 640, 3)
    assert "posebus run VIDEO" in done.stdout
    assert not list(tmp_path.glob("*.partial"))
