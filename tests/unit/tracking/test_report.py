"""What is reported of each track: the fields of `posebus.messages.Track`."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from unit.tracking.scenes import SIZE_PX, crowd, dressed, in_state, person, pose_frame, run, walk

from posebus.config.settings import TrackerSettings
from posebus.messages import PoseFrame, Track, TrackFrame, TrackState
from tracking import PoseTracker

STATES = {str(state) for state in TrackState}


def by_id(result: TrackFrame) -> dict[int, Track]:
    return {track.id: track for track in result.tracks}


def array_of(track: Track, name: str) -> np.ndarray:
    value = getattr(track, name)
    assert isinstance(value, np.ndarray), name
    return value


def test_output_follows_the_contract() -> None:
    frames = crowd(np.random.default_rng(0), 15, 160)
    frames = [dressed(frame, [seq % 5 for seq in range(len(frame.scores))]) for frame in frames]
    shapes = {
        "box_xyxy_px": ((4,), np.float32),
        "keypoints_px": ((17, 3), np.float32),
        "velocity_px_s": ((2,), np.float32),
        "keypoint_visibility": ((17,), np.uint8),
    }
    ended: list[int] = []
    for frame, result in zip(frames, run(frames), strict=True):
        assert (result.camera, result.epoch, result.seq) == (frame.camera, frame.epoch, frame.seq)
        assert (result.captured_at_ns, result.size_px) == (frame.captured_at_ns, frame.size_px)
        assert len(by_id(result)) == len(result.tracks)
        for track in result.tracks:
            types = (type(track.id), type(track.score), type(track.age_s), type(track.state), type(track.coasted))
            assert types == (int, float, float, str, bool)
            assert track.state in STATES
            assert 0.0 <= track.score <= 1.0
            assert track.age_s >= 0.0
            for name, expected in shapes.items():
                array = array_of(track, name)
                assert (array.shape, array.dtype) == expected
                assert array.flags.c_contiguous
                assert np.isfinite(array).all()
            assert track.id not in ended
            if track.state == "ended":
                ended.append(track.id)
    assert ended


def test_live_tracks_come_oldest_first_and_ended_ones_last() -> None:
    for result in run(crowd(np.random.default_rng(3), 12, 120)):
        live = [track.id for track in result.tracks if track.state != "ended"]
        assert live == sorted(live)
        assert all(track.state == "ended" for track in result.tracks[len(live) :])


def test_detected_track_is_at_its_detection_and_owns_its_arrays() -> None:
    (frame,) = walk([0.0], lanes=1)
    (track,) = PoseTracker().update(frame).tracks
    assert frame.keypoints_px is not None
    assert track.keypoints_px is not None
    np.testing.assert_allclose(track.box_xyxy_px, frame.boxes_xyxy_px[0], atol=1e-3)
    np.testing.assert_allclose(track.keypoints_px, frame.keypoints_px[0], atol=1e-3)
    assert not np.shares_memory(track.box_xyxy_px, frame.boxes_xyxy_px)
    assert not np.shares_memory(track.keypoints_px, frame.keypoints_px)


def test_reported_arrays_are_never_changed_afterwards() -> None:
    frames = crowd(np.random.default_rng(5), 8, 30)
    tracker = PoseTracker()
    first = tracker.update(frames[0])
    names = ("box_xyxy_px", "keypoints_px", "velocity_px_s", "keypoint_visibility")
    before = [array_of(track, name).copy() for track in first.tracks for name in names]
    run(frames[1:], tracker)
    after = [array_of(track, name) for track in first.tracks for name in names]
    for was, now in zip(before, after, strict=True):
        np.testing.assert_array_equal(was, now)


class TestVelocity:
    @pytest.mark.parametrize("fps", [5, 25, 60])
    def test_velocity_is_that_of_the_walk(self, fps: int) -> None:
        """In pixels per second at any frame rate, also for coasted tracks."""
        frames = [
            pose_frame([person(200 + 150 * t, 500 - 60 * t), person(1000 - 100 * t, 200)], seq, t)
            for seq, t in enumerate(i / fps for i in range(4 * fps))
        ]
        last = frames[-1]
        frames.append(pose_frame([], last.seq + 1, 4.0))
        for result in run(frames)[-2:]:
            tracks = by_id(result)
            np.testing.assert_allclose(tracks[1].velocity_px_s, [150, -60], rtol=0.15)
            np.testing.assert_allclose(tracks[2].velocity_px_s, [-100, 0], rtol=0.15, atol=1)
        assert all(track.coasted for track in result.tracks)

    def test_standing_person_has_no_velocity(self) -> None:
        result = run([pose_frame([person(600, 300)], seq, seq / 25) for seq in range(50)])[-1]
        np.testing.assert_allclose(result.tracks[0].velocity_px_s, [0, 0], atol=1e-3)

    def test_velocity_predicts_the_next_box(self) -> None:
        results = run(walk([i / 25 for i in range(75)], lanes=1))
        before, after = (result.tracks[0] for result in results[-2:])
        moved = (after.box_xyxy_px - before.box_xyxy_px)[:2] * 25
        np.testing.assert_allclose(before.velocity_px_s, moved, rtol=0.1, atol=1)


class TestVisibility:
    """COCO's flags: 0 not known, 1 hidden, 2 visible."""

    def test_visibility_follows_the_confidence(self) -> None:
        frame = pose_frame([person(300, 300)], 0, 0.0)
        assert frame.keypoints_px is not None
        frame.keypoints_px[0, :, 2] = [0.9, 0.51, 0.49, 0.01, 0.0, np.nan, *[0.8] * 11]
        flags = array_of(PoseTracker().update(frame).tracks[0], "keypoint_visibility")
        assert flags.tolist() == [2, 2, 1, 1, 0, 0] + [2] * 11

    def test_joints_of_a_coasted_track_are_hidden(self) -> None:
        frames = walk([i / 25 for i in range(26)], lanes=1)
        for frame in frames:
            assert frame.keypoints_px is not None
            frame.keypoints_px[0, 9, 2] = 0.0
        frames[25] = pose_frame([], 25, 1.0)
        seen, missed = (result.tracks[0] for result in run(frames)[24:])
        assert array_of(seen, "keypoint_visibility").tolist() == [2] * 9 + [0] + [2] * 7
        assert missed.coasted
        assert array_of(missed, "keypoint_visibility").tolist() == [1] * 9 + [0] + [1] * 7

    def test_visibility_is_none_without_keypoints(self) -> None:
        for result in run(walk([0.0, 0.1], lanes=2, keypoints=False)):
            assert [(t.keypoints_px, t.keypoint_visibility) for t in result.tracks] == [(None, None)] * 2


class TestPoseIndex:
    def test_pose_index_is_the_row_in_the_pose_frame(self) -> None:
        """In any order of rows, with unusable and low-score rows in between."""
        rng = np.random.default_rng(0)
        homes = [person(150 + 300 * place, 300) for place in range(4)]
        for seq, result in enumerate(run(frames := [shuffled(rng, homes, seq) for seq in range(30)])):
            tracks = by_id(result)
            assert sorted(tracks) == [1, 2, 3, 4]
            for track in tracks.values():
                assert type(track.pose_index) is int
                row = frames[seq].boxes_xyxy_px[track.pose_index]
                assert np.abs(track.box_xyxy_px - row).max() < 3
                assert frames[seq].scores[track.pose_index] == np.float32(track.score)
                assert not track.coasted
            assert len({track.pose_index for track in tracks.values()}) == 4

    def test_pose_index_of_a_coasted_track_is_none(self) -> None:
        frames = walk([i / 25 for i in range(26)], lanes=2)
        frames[25] = pose_frame(frames[25].boxes_xyxy_px[1:], 25, 1.0)
        tracks = by_id(run(frames)[-1])
        assert (tracks[1].pose_index, tracks[1].coasted) == (None, True)
        assert (tracks[2].pose_index, tracks[2].coasted) == (0, False)

    def test_pose_index_of_an_ended_track_is_none(self) -> None:
        settings = TrackerSettings(lost_s=0.5)
        frames = walk([i / 10 for i in range(10)], lanes=1)
        frames += [pose_frame([person(1000, 600)], seq, seq / 10) for seq in range(10, 20)]
        ended = [t for r in run(frames, PoseTracker(settings)) for t in r.tracks if t.state == "ended"]
        assert [(track.id, track.pose_index, track.coasted) for track in ended] == [(1, None, True)]

    def test_each_detection_belongs_to_one_track_at_most(self) -> None:
        frames = crowd(np.random.default_rng(9), 25, 60)
        for frame, result in zip(frames, run(frames), strict=True):
            rows = [track.pose_index for track in result.tracks if track.pose_index is not None]
            assert len(set(rows)) == len(rows)
            assert set(rows) <= set(range(len(frame.scores)))
            for track in result.tracks:
                assert track.coasted == (track.pose_index is None)
                if not track.coasted:
                    assert track.state in ("tentative", "confirmed")
                    assert np.float32(track.score) == frame.scores[track.pose_index]


def shuffled(rng: np.random.Generator, homes: list[np.ndarray], seq: int) -> PoseFrame:
    """The people at `homes` in any order, among them a box without area, a NaN box and one with too low a score; all
    scores differ."""
    order = rng.permutation(7)
    boxes = [*homes, np.array([10, 10, 10, 50]), np.array([np.nan, 0, 10, 10]), person(640, 600)]
    scores = np.array([0.9, 0.8, 0.7, 0.95, 0.9, 0.9, 0.05])
    frame = pose_frame([np.asarray(boxes[i], np.float32) for i in order], seq, seq / 25, scores=scores[order].tolist())
    return replace(frame, size_px=SIZE_PX)


def test_confidences_are_those_of_the_detection() -> None:
    """Positions are smoothed, confidences are not."""
    frames = walk([i / 25 for i in range(20)], lanes=1)
    rng = np.random.default_rng(0)
    for frame in frames:
        assert frame.keypoints_px is not None
        frame.keypoints_px[0, :, 2] = rng.uniform(0.05, 0.95, 17)
    for frame, result in zip(frames, run(frames), strict=True):
        assert frame.keypoints_px is not None
        np.testing.assert_allclose(
            array_of(result.tracks[0], "keypoints_px")[:, 2], frame.keypoints_px[0, :, 2], rtol=1e-6
        )


def test_keypoints_may_come_and_go_and_change_their_number() -> None:
    frames = walk([i / 25 for i in range(40)], lanes=2)
    for i in range(10, 20):
        frames[i] = replace(frames[i], keypoints_px=None)
    for i in range(20, 30):
        joints = frames[i].keypoints_px
        assert joints is not None
        frames[i] = replace(frames[i], keypoints_px=np.ascontiguousarray(joints[:, :5]))
    results = run(frames)
    assert all(in_state(result, "confirmed") == [1, 2] for result in results)
    assert [t.keypoints_px is None for t in results[15].tracks] == [True, True]
    for place, count in ((25, 5), (35, 17)):
        for row, track in enumerate(results[place].tracks):
            assert array_of(track, "keypoint_visibility").tolist() == [2] * count
            joints = frames[place].keypoints_px
            assert joints is not None
            np.testing.assert_allclose(array_of(track, "keypoints_px"), joints[row], atol=2)
