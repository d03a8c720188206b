"""Drawing videos in processes beside this one: each on its own."""

from __future__ import annotations

import json
import os
from pathlib import Path

import cv2
import numpy as np

from posebus.config.cameras.camera_settings import CameraOptions
from recordings.drawing.queue import DrawingQueue
from recordings.drawing.task import DrawingTask
from recordings.inputs import WHOLE, camera_settings, scene_fields, scene_of
from recordings.progress import Silent
from recordings.results.video import Style
from tests.polling import wait_until


def task(folder: Path, name: str, tracks: str = "") -> DrawingTask:
    picture = folder / f"{name}.png"
    assert cv2.imwrite(str(picture), np.zeros((48, 64, 3), np.uint8))
    (folder / f"{name}.tracks.jsonl").write_text(tracks)
    return DrawingTask(name, camera_settings(str(picture)), folder / f"{name}.tracks.jsonl", folder)


def test_video_that_cannot_be_drawn_is_a_failure_and_the_others_are_drawn(tmp_path: Path) -> None:
    tasks = [task(tmp_path, "a"), task(tmp_path, "b", json.dumps({"schema_version": "?"})), task(tmp_path, "c")]
    (tmp_path / "a.png").unlink()
    failures: dict[str, str] = {}
    with DrawingQueue(Silent(), failures.__setitem__) as queue:
        for each in tasks:
            queue.add(each)
        queue.finish()
    assert set(failures) == {"a", "b"}
    assert "there is no file" in failures["a"]
    assert (tmp_path / "c.annotated.mp4").exists()


def test_leaving_early_stops_the_process_and_leaves_no_video(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "slow.tracks.jsonl")  # reading it never ends
    slow = task(tmp_path, "other")
    slow = DrawingTask("slow", slow.source, tmp_path / "slow.tracks.jsonl", tmp_path)
    failures: dict[str, str] = {}
    queue = DrawingQueue(Silent(), failures.__setitem__)
    with queue:
        queue.add(slow)
        queue.add(task(tmp_path, "waiting"))
        wait_until(lambda: len(queue.pids) == 1, "the process that draws")
    assert failures == {}
    assert queue.pids == []
    assert not list(tmp_path.glob("*.mp4"))


def test_a_process_that_dies_is_a_failure_in_one_sentence(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "slow.tracks.jsonl")
    slow = DrawingTask("slow", task(tmp_path, "other").source, tmp_path / "slow.tracks.jsonl", tmp_path)
    failures: dict[str, str] = {}
    with DrawingQueue(Silent(), failures.__setitem__) as queue:
        queue.add(slow)
        wait_until(lambda: len(queue.pids) == 1, "the process that draws")
        os.kill(queue.pids[0], 9)
        queue.finish()
    assert "other.png ended early" in failures["slow"]


def test_tasks_are_the_same_in_both_processes(tmp_path: Path) -> None:
    before = DrawingTask("a b", camera_settings("x.mp4"), Path("in/t.jsonl"), tmp_path, Style(dark=True, labels=False))
    assert DrawingTask.from_json(before.to_json()) == before


def test_zones_of_the_camera_are_hidden_in_videos_that_are_drawn_by_a_summary(tmp_path: Path) -> None:
    picture = tmp_path / "yard.png"
    assert cv2.imwrite(str(picture), np.full((48, 64, 3), 255, np.uint8))
    tracks = tmp_path / "yard.tracks.jsonl"
    tracks.write_text("")
    camera = CameraOptions(privacy_zones=[[0, 0], [32, 0], [32, 48], [0, 48]], privacy="none")
    kept = scene_of(json.loads(json.dumps(scene_fields(camera))))
    assert kept is not None
    assert kept.privacy == "heads", "showing heads is chosen anew for each run"
    settings = DrawingTask.from_json(
        DrawingTask("yard", camera_settings(str(picture), WHOLE, kept), tracks, tmp_path).to_json()
    )
    with DrawingQueue(Silent(), lambda name, why: None) as queue:
        queue.add(settings)
        queue.finish()
    shown, image = cv2.VideoCapture(str(tmp_path / "yard.annotated.mp4")).read()
    assert shown
    assert image[:, :30].max() < 20
    assert image[:, 40:].min() > 200
