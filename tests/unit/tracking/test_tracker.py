from __future__ import annotations

import inspect
from dataclasses import replace

import numpy as np
import pytest
from unit.tracking.scenes import SECOND_NS, SIZE_PX, crowd, in_state, person, plain, pose_frame, walk

import tracking
from posebus.errors import MalformedMessage
from posebus.messages import PoseFrame, TrackFrame, TrackState
from posebus.settings import TrackerSettings
from posebus.snapshot import pack_state, unpack_state
from tracking import PoseTracker

STATES = {str(state) for state in TrackState}


def run(frames: list[PoseFrame], tracker: PoseTracker | None = None) -> list[TrackFrame]:
    tracker = tracker or PoseTracker()
    return [tracker.update(frame) for frame in frames]


def test_the_package_exports_the_tracker() -> None:
    assert tracking.__all__ == ["PoseTracker"]
    assert [*inspect.signature(PoseTracker).parameters] == ["settings"]


@pytest.mark.parametrize("fps", [5, 7, 12.5, 25, 60])
@pytest.mark.parametrize("keypoints", [True, False])
def test_walkers_keep_their_identities_at_any_frame_rate(fps: float, keypoints: bool) -> None:
    times_s = [i / fps for i in range(int(6 * fps))]
    results = run(walk(times_s, keypoints=keypoints))
    assert all(in_state(result, "confirmed") == [1, 2, 3] for result in results)


@pytest.mark.parametrize("scale", [0.25, 1.0, 3.0])
def test_resolution_does_not_matter(scale: float) -> None:
    """The same crowd from 480p to 4K: the same identities in the same states."""
    frames = crowd(np.random.default_rng(5), 12, 60)
    scaled = []
    for frame in frames:
        assert frame.keypoints_px is not None
        joints = frame.keypoints_px * np.array([scale, scale, 1], np.float32)
        scaled.append(replace(frame, boxes_xyxy_px=frame.boxes_xyxy_px * np.float32(scale), keypoints_px=joints))
    expected = [[(track.id, track.state) for track in result.tracks] for result in run(frames)]
    assert [[(track.id, track.state) for track in result.tracks] for result in run(scaled)] == expected


def test_half_of_the_frames_dropped_at_random() -> None:
    rng = np.random.default_rng(3)
    frames = [frame for frame in walk([i / 25 for i in range(200)]) if rng.random() < 0.5]
    results = run(frames)
    assert {track.id for result in results for track in result.tracks} == {1, 2, 3}


def test_hidden_for_a_second_and_the_same_again() -> None:
    """A walker behind a pillar: lost with a predicted box that walks on, then the same identity."""
    frames = walk([i / 20 for i in range(100)], lanes=1)
    hidden = [
        frame if not 40 <= frame.seq < 60 else pose_frame([], frame.seq, frame.captured_at_ns / SECOND_NS)
        for frame in frames
    ]
    results = run(hidden)
    assert all(in_state(result, "confirmed") == [1] for result in results[:40] + results[60:])
    scores = []
    for frame, result in zip(frames[40:60], results[40:60], strict=True):
        (track,) = result.tracks
        assert (track.id, track.state) == (1, "lost")
        assert track.keypoints_px is not None
        assert np.abs(track.box_xyxy_px - frame.boxes_xyxy_px[0]).max() < 30
        assert np.abs(track.keypoints_px[:, :2] - frame.keypoints_px[0, :, :2]).max() < 30  # type: ignore[index]
        assert (track.keypoints_px[:, 2] < 0.9).all()
        scores.append(track.score)
    assert scores == sorted(scores, reverse=True)
    assert 0 < scores[-1] < scores[0] < 0.9


def clipped(box: np.ndarray) -> np.ndarray:
    """The part of a box that is inside the picture, as a detector sees it."""
    return np.clip(box, 0, [SIZE_PX[0], SIZE_PX[1]] * 2).astype(np.float32)


def test_who_walks_out_is_not_who_walks_in_there() -> None:
    """One leaves on the right; half a second after the last of him, another one enters at the same place."""
    frames = []
    for seq in range(150):
        time_s = seq / 25
        boxes = [clipped(person(1000 + 150 * time_s, 300)), clipped(person(1320 - 150 * max(time_s - 2.5, 0.0), 300))]
        frames.append(pose_frame([box for box in boxes if box[2] - box[0] > 8], seq, time_s))
    results = run(frames)
    assert in_state(results[0], "confirmed") == [1]
    assert in_state(results[-1], "confirmed") == [2]


def test_who_is_hidden_at_the_border_is_not_taken_to_have_left() -> None:
    """Standing at the border and covered for a second: the same identity afterwards."""
    box = clipped(person(1260, 300))
    frames = [pose_frame([] if 25 <= seq < 50 else [box], seq, seq / 25) for seq in range(75)]
    assert in_state(run(frames)[-1], "confirmed") == [1]


def test_legs_hidden_at_once_do_not_make_somebody_new() -> None:
    """The box is that of the upper body in the next frame; head and shoulders are where they were."""
    frames = [pose_frame([person(600, 300, 240)], seq, seq / 25) for seq in range(60)]
    for frame in frames[20:40]:
        assert frame.keypoints_px is not None
        frame.boxes_xyxy_px[0, 3] = 300.0
        frame.keypoints_px[0, 11:, 2] = 0.0
    results = run(frames)
    assert all(in_state(result, "confirmed") == [1] for result in results)


def test_two_who_cross_keep_their_identities() -> None:
    frames = []
    for seq in range(80):
        time_s = seq / 25
        frames.append(pose_frame([person(200 + 250 * time_s, 300), person(1000 - 250 * time_s, 330)], seq, time_s))
    last = run(frames)[-1]
    by_id = {track.id: track.box_xyxy_px[0] for track in last.tracks}
    assert sorted(by_id) == [1, 2]
    assert by_id[1] > by_id[2]


def test_a_lost_track_ends_once_after_its_time() -> None:
    settings = TrackerSettings(lost_s=1.0)
    frames = walk([i / 10 for i in range(10)], lanes=2)
    frames += [pose_frame([], seq, seq / 10) for seq in range(10, 40)]
    results = run(frames, PoseTracker(settings))
    ended = [(result.seq, track.id) for result in results for track in result.tracks if track.state == "ended"]
    assert ended == [(20, 1), (20, 2)]
    assert all(in_state(result, "lost") == [1, 2] for result in results[10:20])
    assert all(not result.tracks for result in results[21:])


def test_a_gap_in_the_stream_longer_than_a_lost_track_lives() -> None:
    frames = walk([0.0, 0.1, 0.2, 3600.0, 3600.1], lanes=1)
    results = run(frames)
    assert [(track.id, track.state) for track in results[3].tracks] == [(2, "confirmed"), (1, "ended")]


def test_a_doubtful_newcomer_is_tentative_first() -> None:
    """Score over birth but not beyond doubt; confirmed by elapsed time, given up where it is not seen again."""
    settings = TrackerSettings()
    score = (settings.birth_score + 0.7) / 2
    steps_s = settings.confirm_s / 4
    frames = [pose_frame([person(300, 300)], seq, seq * steps_s, scores=[score]) for seq in range(8)]
    states = [result.tracks[0].state for result in run(frames)]
    assert states == ["tentative"] * 4 + ["confirmed"] * 4
    frames[2] = pose_frame([], 2, 2 * steps_s)
    results = run(frames)
    assert [(track.id, track.state) for track in results[2].tracks] == [(1, "ended")]
    assert {track.id for track in results[-1].tracks} == {2}


def test_low_scores_carry_on_and_never_begin() -> None:
    settings = TrackerSettings()
    faint = (settings.low_score + settings.high_score) / 2
    frames = walk([i / 25 for i in range(50)], lanes=1)
    fading = [replace(f, scores=np.full(1, faint, np.float32)) if f.seq > 10 else f for f in frames]
    assert all(in_state(result, "confirmed") == [1] for result in run(fading))
    assert not any(result.tracks for result in run(fading[11:]))


def test_a_double_of_a_tracked_person_is_no_newcomer() -> None:
    frames = walk([i / 25 for i in range(30)], lanes=1)
    doubled = [
        pose_frame([f.boxes_xyxy_px[0], f.boxes_xyxy_px[0] + 4], f.seq, f.captured_at_ns / SECOND_NS, scores=[0.9, 0.8])
        for f in frames
    ]
    results = run([frames[0], *doubled[1:]])
    assert {track.id for result in results for track in result.tracks} == {1}


def test_output_follows_the_contract() -> None:
    frames = crowd(np.random.default_rng(0), 15, 60)
    ended: list[int] = []
    for frame, result in zip(frames, run(frames), strict=True):
        assert (result.camera, result.epoch, result.seq) == (frame.camera, frame.epoch, frame.seq)
        assert (result.captured_at_ns, result.size_px) == (frame.captured_at_ns, frame.size_px)
        assert len({track.id for track in result.tracks}) == len(result.tracks)
        for track in result.tracks:
            assert type(track.id) is int
            assert type(track.score) is float
            assert type(track.age_s) is float
            assert type(track.state) is str
            assert track.state in STATES
            assert 0.0 <= track.score <= 1.0
            assert track.age_s >= 0.0
            for array, shape in ((track.box_xyxy_px, (4,)), (track.keypoints_px, (17, 3))):
                assert array is not None
                assert (array.dtype, array.shape) == (np.float32, shape)
                assert array.flags.c_contiguous
                assert np.isfinite(array).all()
            assert track.id not in ended
            if track.state == "ended":
                ended.append(track.id)
    assert ended


def test_boxes_tremble_less_than_detections_and_hardly_lag() -> None:
    rng = np.random.default_rng(0)
    true = walk([i / 25 for i in range(150)], lanes=1, speed_px_s=150)
    noise = rng.normal(0, 8, (150, 4)).astype(np.float32)
    noisy = [replace(f, boxes_xyxy_px=f.boxes_xyxy_px + noise[f.seq]) for f in true]
    reported = [result.tracks[0].box_xyxy_px - f.boxes_xyxy_px[0] for result, f in zip(run(noisy), true, strict=True)]
    assert np.std(reported[25:]) < 0.7 * 8
    steady = [result.tracks[0].box_xyxy_px - f.boxes_xyxy_px[0] for result, f in zip(run(true), true, strict=True)]
    assert np.abs(steady[25:]).max() < 2.0


def test_seen_tracks_have_their_detection_and_own_their_arrays() -> None:
    (frame,) = walk([0.0], lanes=1)
    (track,) = PoseTracker().update(frame).tracks
    assert frame.keypoints_px is not None
    assert track.keypoints_px is not None
    np.testing.assert_array_equal(track.box_xyxy_px, frame.boxes_xyxy_px[0])
    np.testing.assert_array_equal(track.keypoints_px, frame.keypoints_px[0])
    assert not np.shares_memory(track.box_xyxy_px, frame.boxes_xyxy_px)
    assert not np.shares_memory(track.keypoints_px, frame.keypoints_px)


@pytest.mark.parametrize("joints", [None, 17])
def test_empty_frames(joints: int | None) -> None:
    tracker = PoseTracker()
    keypoints = None if joints is None else np.zeros((0, joints, 3), np.float32)
    empty = PoseFrame("yard", 1, 0, 0, (640, 480), np.zeros((0, 4), np.float32), np.zeros(0, np.float32), keypoints)
    assert all(tracker.update(replace(empty, seq=i, captured_at_ns=i * SECOND_NS)).tracks == () for i in range(5))


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
    assert results[25].tracks[0].keypoints_px.shape == (5, 3)  # type: ignore[union-attr]


def test_two_hundred_people() -> None:
    frames = crowd(np.random.default_rng(1), 200, 12, missing=0.02)
    results = run(frames)
    assert max(len(result.tracks) for result in results) > 150
    assert len(in_state(results[-1], "confirmed")) > 100


class TestOrder:
    """Frames that are late, doubled, of another epoch or of a clock that jumped."""

    @pytest.mark.parametrize(
        ("epoch", "seq", "time_s"),
        [(1, 9, 0.9), (1, 3, 0.3), (0, 50, 5.0), (1, 9, 2.0), (1, 10, 0.9), (1, 10, 0.5)],
        ids=["double", "late", "older epoch", "same seq", "same instant", "a little back in time"],
    )
    def test_what_is_not_newer_changes_nothing(self, epoch: int, seq: int, time_s: float) -> None:
        tracker, other = PoseTracker(), PoseTracker()
        frames = walk([i / 10 for i in range(12)])
        run(frames[:10], tracker)
        run(frames[:10], other)
        stale = pose_frame([person(800, 300)], seq, time_s, epoch=epoch)
        answer = tracker.update(stale)
        assert answer.tracks == ()
        assert (answer.epoch, answer.seq, answer.captured_at_ns) == (epoch, seq, stale.captured_at_ns)
        assert [plain(r) for r in run(frames[10:], tracker)] == [plain(r) for r in run(frames[10:], other)]

    def test_a_camera_that_reconnects_goes_on(self) -> None:
        frames = walk([i / 10 for i in range(20)])
        again = [replace(frame, epoch=2, seq=frame.seq - 10) for frame in frames[10:]]
        assert all(in_state(result, "confirmed") == [1, 2, 3] for result in run(frames[:10] + again))

    def test_a_recording_that_starts_again_has_new_people(self) -> None:
        frames = walk([i / 10 for i in range(10)])
        again = [replace(frame, epoch=2) for frame in frames]
        results = run(frames + again)
        first = [(track.id, track.state) for track in results[10].tracks]
        assert first == [(4, "confirmed"), (5, "confirmed"), (6, "confirmed"), (1, "ended"), (2, "ended"), (3, "ended")]
        assert all(in_state(result, "confirmed") == [4, 5, 6] for result in results[10:])
        assert not any(in_state(result, "ended") for result in results[11:])

    def test_a_clock_that_was_set_back_does_not_stop_the_tracks(self) -> None:
        frames = walk([1000 + i / 10 for i in range(10)])
        again = [replace(f, seq=f.seq + 10, captured_at_ns=f.captured_at_ns - 500 * SECOND_NS) for f in frames]
        results = run(frames + again)
        assert in_state(results[10], "ended") == [1, 2, 3]
        assert in_state(results[-1], "confirmed") == [4, 5, 6]


class TestSnapshot:
    """The tracker that takes over says what the other one would have said."""

    @pytest.mark.parametrize("at", [0, 1, 17, 40])
    def test_restored_bit_for_bit(self, at: int) -> None:
        frames = crowd(np.random.default_rng(2), 20, 80)
        tracker = PoseTracker()
        run(frames[:at], tracker)
        heir = PoseTracker()
        heir.load_state(unpack_state(pack_state(tracker.state_dict())))
        assert [plain(r) for r in run(frames[at:], heir)] == [plain(r) for r in run(frames[at:], tracker)]

    def test_handed_over_after_every_frame(self) -> None:
        frames = crowd(np.random.default_rng(4), 8, 40)
        expected = [plain(result) for result in run(frames)]
        tracker, results = PoseTracker(), []
        for frame in frames:
            heir = PoseTracker()
            heir.load_state(unpack_state(pack_state(tracker.state_dict())))
            tracker = heir
            results.append(plain(tracker.update(frame)))
        assert results == expected

    def test_the_snapshot_shares_nothing_with_the_tracker(self) -> None:
        frames = crowd(np.random.default_rng(2), 5, 20)
        tracker = PoseTracker()
        run(frames[:10], tracker)
        state = tracker.state_dict()
        heir = PoseTracker()
        heir.load_state(state)
        for value in state.values():
            if isinstance(value, np.ndarray) and value.size:
                value[:] = 7
        assert [plain(r) for r in run(frames[10:], heir)] == [plain(r) for r in run(frames[10:], tracker)]

    @pytest.mark.parametrize("damage", ["version", "ids", "next_id", "length", "shape"])
    def test_a_damaged_snapshot_is_refused_and_changes_nothing(self, damage: str) -> None:
        tracker = PoseTracker()
        frames = walk([0.0, 0.1])
        expected = [plain(result) for result in run(frames)]
        run(frames[:1], tracker)
        state = tracker.state_dict()
        if damage == "version":
            state["version"] = 99
        elif damage == "length":
            state["score"] = state["score"][:-1]
        elif damage == "shape":
            state["position"] = state["position"][:, :2]
        else:
            del state[damage]
        with pytest.raises(MalformedMessage):
            tracker.load_state(state)
        assert plain(tracker.update(frames[1])) == expected[1]


def test_two_trackers_share_nothing() -> None:
    """Interleaved in one process, each says what it says alone; ids of both count from 1."""
    one, two = crowd(np.random.default_rng(6), 9, 50), crowd(np.random.default_rng(7), 9, 50)
    alone = [plain(result) for result in run(one)], [plain(result) for result in run(two)]
    first, second = PoseTracker(), PoseTracker()
    beside = [(plain(first.update(a)), plain(second.update(b))) for a, b in zip(one, two, strict=True)]
    assert [a for a, _ in beside] == alone[0]
    assert [b for _, b in beside] == alone[1]


def test_the_input_is_left_as_it_is() -> None:
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
