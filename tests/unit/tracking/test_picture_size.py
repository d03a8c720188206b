"""A picture that changes its size: people keep their ids where the view is the same."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from unit.tracking.moving import confirmed, resized
from unit.tracking.scenes import SECOND_NS, person, pose_frame, run

from posebus.messages import CameraMotion, PoseFrame, Uninferred
from tracking import PoseTracker

PLACES = ((330.0, 330.0, 200.0), (600.0, 380.0, 220.0), (860.0, 350.0, 190.0))


def walking(seq: int, people: int) -> PoseFrame:
    boxes = [person(x + 6.0 * seq, y, height) for x, y, height in PLACES]
    return pose_frame(boxes[:people], seq, seq / 10)


def stretched(wide: float, high: float) -> Callable[[np.ndarray], np.ndarray]:
    return lambda points: points * np.array((wide, high))


CHANGES: dict[str, tuple[tuple[int, int], Callable[[np.ndarray], np.ndarray]]] = {
    "half": ((640, 360), stretched(0.5, 0.5)),
    "two thirds": ((853, 480), stretched(853 / 1280, 480 / 720)),
    "half as much again": ((1920, 1080), stretched(1.5, 1.5)),
    "stretched to 4:3": ((640, 480), stretched(0.5, 480 / 720)),
    "letterboxed in 4:3": ((640, 480), lambda points: points * 0.5 + np.array((0.0, 60.0))),
    "cropped to 4:3": ((960, 720), lambda points: points - np.array((160.0, 0.0))),
    "cropped and scaled": ((640, 480), lambda points: points / 1.5 - np.array((320 / 3, 0.0))),
    "cut at the right": ((1024, 720), lambda points: points),
    "extended": ((1600, 1200), lambda points: points + np.array((160.0, 240.0))),
}


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("people", [1, 3])
@pytest.mark.parametrize("new_epoch", [False, True])
def test_ids_are_kept_however_the_view_is_resized(change: str, people: int, new_epoch: bool) -> None:
    """In a new epoch a second passes: a camera that reconnects with another stream. People walk on meanwhile."""
    size_px, place = CHANGES[change]
    frames = [walking(seq, people) for seq in range(10)]
    for seq in range(10, 18):
        later = 9 if new_epoch else 0
        frame = resized(walking(seq + later, people), size_px, place)
        frames.append(replace(frame, epoch=2, seq=seq - 10) if new_epoch else frame)
    results = run(frames)
    assert confirmed(results) == [list(range(1, people + 1))] * len(frames)
    wide = place(np.array((1.0, 0.0)))[0] - place(np.array((0.0, 0.0)))[0]
    velocity = results[-1].tracks[0].velocity_px_s[0]
    assert velocity == pytest.approx(60.0 * wide, rel=0.35)


def test_a_stream_that_changes_to_and_fro_keeps_the_ids() -> None:
    frames = [
        resized(walking(seq, 3), (640, 360), stretched(0.5, 0.5)) if seq // 4 % 2 else walking(seq, 3)
        for seq in range(24)
    ]
    assert confirmed(run(frames)) == [[1, 2, 3]] * 24


def test_another_view_in_the_new_size_has_other_people() -> None:
    """As many people as before stand there, elsewhere and of other heights."""
    frames = [walking(seq, 3) for seq in range(10)]
    others = [person(120, 300, 60), person(210, 100, 50), person(560, 90, 75)]
    frames += [replace(pose_frame(others, seq, seq / 10), size_px=(640, 360)) for seq in range(10, 16)]
    assert confirmed(run(frames))[-1] == [4, 5, 6]


def test_unseen_people_are_predicted_in_the_new_size() -> None:
    tracker = PoseTracker()
    run([walking(seq, 3) for seq in range(10)], tracker)
    mark = Uninferred("yard", 1, 10, SECOND_NS, "file", "lossless", (640, 360), "rate")  # type: ignore[arg-type]
    for track, box in zip(tracker.predict(mark).tracks, walking(10, 3).boxes_xyxy_px, strict=True):
        np.testing.assert_allclose(track.box_xyxy_px, box / 2.0, atol=3.0)


def test_camera_motion_of_a_frame_includes_the_change_of_size() -> None:
    """The picture is halved and has moved by 200 px of the old size, all in one matrix."""
    frames = []
    for seq in range(16):
        moved = seq >= 8
        frame = walking(seq, 1)
        if moved:
            frame = resized(frame, (640, 360), lambda points: points * 0.5 + np.array((100.0, 0.0)))
        matrix = (0.5, 0.0, 100.0, 0.0, 0.5, 0.0) if moved else (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)
        frames.append(replace(frame, camera_motion=CameraMotion(0, matrix, 0.9)))
    assert confirmed(run(frames)) == [[1]] * 16


def test_a_motion_that_could_not_be_estimated_leaves_the_size_to_the_people() -> None:
    still = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)
    frames = [walking(seq, 2) for seq in range(8)]
    frames += [resized(walking(seq, 2), (640, 360), stretched(0.5, 0.5)) for seq in range(8, 14)]
    moving = [replace(frame, camera_motion=CameraMotion(0, still, float(frame.seq != 8))) for frame in frames]
    assert confirmed(run(moving)) == [[1, 2]] * 14
