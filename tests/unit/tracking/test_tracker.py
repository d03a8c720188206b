from __future__ import annotations

import inspect
from dataclasses import replace

import numpy as np
import pytest
from unit.tracking.scenes import SECOND_NS, SIZE_PX, crowd, in_state, person, plain, pose_frame, run, walk

import tracking
from posebus.messages import PoseFrame
from tracking import PoseTracker


def test_package_exports_the_tracker() -> None:
    assert tracking.__all__ == ["PoseTracker"]
    assert [*inspect.signature(PoseTracker).parameters] == ["settings"]


@pytest.mark.parametrize("fps", [5, 7, 12.5, 25, 60])
@pytest.mark.parametrize("keypoints", [True, False])
def test_walkers_keep_their_identities_at_any_frame_rate(fps: float, keypoints: bool) -> None:
    times_s = [i / fps for i in range(int(6 * fps))]
    results = run(walk(times_s, keypoints=keypoints))
    assert all(in_state(result, "confirmed") == [1, 2, 3] for result in results)


@pytest.mark.parametrize("scale", [0.25, 1.0, 3.0])
def test_identities_do_not_depend_on_the_resolution(scale: float) -> None:
    """The same crowd from 480p to 4K: the same identities in the same states."""
    frames = crowd(np.random.default_rng(5), 12, 60)
    scaled = []
    for frame in frames:
        assert frame.keypoints_px is not None
        joints = frame.keypoints_px * np.array([scale, scale, 1], np.float32)
        size_px = (round(SIZE_PX[0] * scale), round(SIZE_PX[1] * scale))
        boxes = frame.boxes_xyxy_px * np.float32(scale)
        scaled.append(replace(frame, size_px=size_px, boxes_xyxy_px=boxes, keypoints_px=joints))
    expected = [[(track.id, track.state) for track in result.tracks] for result in run(frames)]
    assert [[(track.id, track.state) for track in result.tracks] for result in run(scaled)] == expected


def test_identities_survive_half_of_the_frames_dropped_at_random() -> None:
    rng = np.random.default_rng(3)
    frames = [frame for frame in walk([i / 25 for i in range(200)]) if rng.random() < 0.5]
    results = run(frames)
    assert {track.id for result in results for track in result.tracks} == {1, 2, 3}


def test_suddenly_hidden_legs_start_no_new_track() -> None:
    """In the next frame the box is that of the upper body; head and shoulders are where they were."""
    frames = [pose_frame([person(600, 300, 240)], seq, seq / 25) for seq in range(60)]
    for frame in frames[20:40]:
        assert frame.keypoints_px is not None
        frame.boxes_xyxy_px[0, 3] = 300.0
        frame.keypoints_px[0, 11:, 2] = 0.0
    results = run(frames)
    assert all(in_state(result, "confirmed") == [1] for result in results)


def test_two_people_who_cross_keep_their_identities() -> None:
    frames = []
    for seq in range(80):
        time_s = seq / 25
        frames.append(pose_frame([person(200 + 250 * time_s, 300), person(1000 - 250 * time_s, 330)], seq, time_s))
    last = run(frames)[-1]
    by_id = {track.id: track.box_xyxy_px[0] for track in last.tracks}
    assert sorted(by_id) == [1, 2]
    assert by_id[1] > by_id[2]


@pytest.mark.parametrize("joints", [None, 17])
def test_empty_frames_give_no_tracks(joints: int | None) -> None:
    tracker = PoseTracker()
    keypoints = None if joints is None else np.zeros((0, joints, 3), np.float32)
    empty = PoseFrame("yard", 1, 0, 0, (640, 480), np.zeros((0, 4), np.float32), np.zeros(0, np.float32), keypoints)
    assert all(tracker.update(replace(empty, seq=i, captured_at_ns=i * SECOND_NS)).tracks == () for i in range(5))


def test_two_hundred_people_are_tracked() -> None:
    frames = crowd(np.random.default_rng(1), 200, 12, missing=0.02)
    results = run(frames)
    assert max(len(result.tracks) for result in results) > 150
    assert len(in_state(results[-1], "confirmed")) > 100


class TestOrder:
    """Frames that are late, duplicated, of another epoch or of a clock that jumped."""

    @pytest.mark.parametrize(
        ("epoch", "seq", "time_s"),
        [(1, 9, 0.9), (1, 3, 0.3), (0, 50, 5.0), (1, 9, 2.0), (1, 10, 0.9), (1, 10, 0.5)],
        ids=["double", "late", "older epoch", "same seq", "same instant", "a little back in time"],
    )
    def test_frame_that_is_not_newer_changes_nothing(self, epoch: int, seq: int, time_s: float) -> None:
        tracker, other = PoseTracker(), PoseTracker()
        frames = walk([i / 10 for i in range(12)])
        run(frames[:10], tracker)
        run(frames[:10], other)
        stale = pose_frame([person(800, 300)], seq, time_s, epoch=epoch)
        answer = tracker.update(stale)
        assert answer.tracks == ()
        assert (answer.epoch, answer.seq, answer.captured_at_ns) == (epoch, seq, stale.captured_at_ns)
        assert [plain(r) for r in run(frames[10:], tracker)] == [plain(r) for r in run(frames[10:], other)]

    def test_camera_that_reconnects_keeps_its_identities(self) -> None:
        frames = walk([i / 10 for i in range(20)])
        again = [replace(frame, epoch=2, seq=frame.seq - 10) for frame in frames[10:]]
        assert all(in_state(result, "confirmed") == [1, 2, 3] for result in run(frames[:10] + again))

    def test_recording_that_starts_again_has_new_identities(self) -> None:
        frames = walk([i / 10 for i in range(10)])
        again = [replace(frame, epoch=2) for frame in frames]
        results = run(frames + again)
        first = [(track.id, track.state) for track in results[10].tracks]
        assert first == [(4, "confirmed"), (5, "confirmed"), (6, "confirmed"), (1, "ended"), (2, "ended"), (3, "ended")]
        assert all(in_state(result, "confirmed") == [4, 5, 6] for result in results[10:])
        assert not any(in_state(result, "ended") for result in results[11:])

    def test_clock_that_was_set_back_starts_new_identities(self) -> None:
        frames = walk([1000 + i / 10 for i in range(10)])
        again = [replace(f, seq=f.seq + 10, captured_at_ns=f.captured_at_ns - 500 * SECOND_NS) for f in frames]
        results = run(frames + again)
        assert in_state(results[10], "ended") == [1, 2, 3]
        assert in_state(results[-1], "confirmed") == [4, 5, 6]


def test_two_trackers_share_no_state() -> None:
    """Interleaved in one process, each reports what it reports alone; ids of both count from 1."""
    one, two = crowd(np.random.default_rng(6), 9, 50), crowd(np.random.default_rng(7), 9, 50)
    alone = [plain(result) for result in run(one)], [plain(result) for result in run(two)]
    first, second = PoseTracker(), PoseTracker()
    beside = [(plain(first.update(a)), plain(second.update(b))) for a, b in zip(one, two, strict=True)]
    assert [a for a, _ in beside] == alone[0]
    assert [b for _, b in beside] == alone[1]


def test_input_arrays_are_not_written_to() -> None:
    frames = crowd(np.random.default_rng(8), 6, 10)
    before = [(f.boxes_xyxy_px.copy(), f.scores.copy(), f.keypoints_px.copy()) for f in frames]  # type: ignore[union-attr]
    for frame in frames:
        for array in (frame.boxes_xyxy_px, frame.scores, frame.keypoints_px):
            array.setflags(write=False)  # type: ignore[union-attr]
    run(frames)
    for frame, (boxes, scores, joints) in zip(frames, before, strict=True):
        np.testing.assert_array_equal(frame.boxes_xyxy_px, boxes)
        np.testing.assert_array_equal(frame.scores, scores)
        np.testing.assert_array_equal(frame.keypoints_px, joints)  # type: ignore[arg-type]
