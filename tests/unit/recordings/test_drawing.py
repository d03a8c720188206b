"""Drawing the videos of a run: each on its own."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from recordings.inputs import Recording
from recordings.progress import Silent
from recordings.recording_analysis import RecordingResult
from recordings.results.tally import Tally
from recordings.run import RunRequest, RunState, draw_videos


def test_video_that_cannot_be_drawn_is_a_failure_and_the_others_are_drawn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    results = []
    for name in ("a", "b", "c"):
        picture = tmp_path / f"{name}.png"
        assert cv2.imwrite(str(picture), np.zeros((48, 64, 3), np.uint8))
        (tmp_path / f"{name}.tracks.jsonl").write_text("" if name != "b" else json.dumps({"schema_version": "?"}))
        recording = Recording(source=str(picture), name=name, camera=name, size_px=(64, 48), frames_expected=1)
        results.append(RecordingResult(recording, Tally(), frames_in=1))
    (tmp_path / "a.png").unlink()
    state = RunState(results=results)
    said: list[object] = []

    draw_videos(state, RunRequest(("a", "b", "c"), tmp_path), Silent(), said.append)

    assert set(state.refused) == {"a", "b"}
    assert said == list(state.refused.values())
    assert "there is no file" in state.refused["a"]
    assert (tmp_path / "c.annotated.mp4").exists()
