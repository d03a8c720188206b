"""Identities at low and irregular frame rates, and through gaps: a low rate alone loses no person, a gap does."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pytest
from unit.tracking.scenes import SECOND_NS, SIZE_PX, in_state, person, plain, pose_frame, run

from posebus.config.settings import TrackerSettings
from posebus.contract.snapshot import pack_state, unpack_state
from posebus.messages import CaptureClock, Delivery, PoseFrame, TrackFrame, Uninferred
from tracking import PoseTracker
from tracking.motion.intervals import KEPT, LONGEST_NS, NO_INTERVALS, Intervals

SETTINGS = TrackerSettings()
SEATS = (200.0, 330.0, 800.0)
"""Where people 200 px high sit; the first two are closer than two thirds of a body."""


def sitting(times_s: Iterable[float], rng: np.random.Generator) -> list[PoseFrame]:
    """People who sit, lean and turn: their boxes move by 5 % of their height."""
    return [
        pose_frame([person(x + rng.normal(0, 10), 400 + rng.normal(0, 5)) for x in SEATS], seq, time_s)
        for seq, time_s in enumerate(times_s)
    ]


def confirmed(results: list[TrackFrame]) -> list[list[int]]:
    return [in_state(result, "confirmed") for result in results]


def ended(results: list[TrackFrame]) -> list[tuple[int, list[int]]]:
    return [(result.seq, ids) for result in results if (ids := in_state(result, "ended"))]


@pytest.mark.parametrize("fps", [25, 5, 4, 3, 2, 1, 0.5, 0.2, 0.1])
def test_people_who_sit_keep_their_ids_at_any_rate(fps: float) -> None:
    results = run(sitting([seq / fps for seq in range(40)], np.random.default_rng(1)))
    assert confirmed(results) == [[1, 2, 3]] * 40
    assert not any(track.coasted for result in results for track in result.tracks)
    assert [[track.pose_index for track in result.tracks] for result in results] == [[0, 1, 2]] * 40


@pytest.mark.parametrize("fps", [25, 5, 2, 1])
def test_a_person_who_walks_keeps_the_id_from_one_frame_a_second_on(fps: float) -> None:
    """1.2 m/s: of a body of 1.7 m and 200 px, 141 px/s."""
    boxes = [person(100 + 141 * seq / fps, 360) for seq in range(int(7 * fps))]
    assert {tuple(ids) for ids in confirmed(run([pose_frame([b], i, i / fps) for i, b in enumerate(boxes)]))} == {(1,)}


def test_a_lone_person_who_begins_to_walk_between_two_frames_keeps_the_id() -> None:
    """Stands, and walks 240 px in 2 s: 2 m of a body of 1.7 m and 200 px, so 1 m/s."""
    way = (360, 362, 361, 363, 360, 600)
    assert confirmed(run(pose_frame([person(x, 360)], seq, 2.0 * seq) for seq, x in enumerate(way))) == [[1]] * 6


@pytest.mark.parametrize("fps", [0.5, 0.2, 0.1])
def test_another_person_far_away_in_the_next_frame_is_another_person(fps: float) -> None:
    """It is less than half as high, and the first one has left its place."""
    frames = [
        pose_frame([person(200, 360, 400) if seq < 4 else person(1000, 250, 150)], seq, seq / fps) for seq in range(8)
    ]
    assert confirmed(run(frames)) == [[1]] * 4 + [[2]] * 4


@pytest.mark.parametrize("interval_s", [1.0, 2.0, 5.0, 10.0])
def test_a_missed_person_is_lost_with_that_frame_and_ends_lost_s_later(interval_s: float) -> None:
    """Missed in frame 5, at which `in_sight_s` counts, and from there on: each interval counts wholly."""
    results = run([pose_frame([person(300, 300)] * (seq < 5), seq, seq * interval_s) for seq in range(16)])
    counted_s = [SETTINGS.in_sight_s + (seq - 5) * interval_s for seq in range(5, 16)]
    first = next(seq for seq, unseen_s in enumerate(counted_s, 5) if unseen_s > SETTINGS.lost_s)
    assert confirmed(results) == [[1]] * 5 + [[]] * 11
    assert in_state(results[5], "lost") == [1]
    assert ended(results) == [(first, [1])]


def test_person_is_coasted_for_one_frame_if_missed_s_is_longer_than_what_counts_of_an_interval() -> None:
    tracker = PoseTracker(TrackerSettings(missed_s=0.3))
    results = run([pose_frame([person(300, 300)] * (seq < 5), seq, float(seq)) for seq in range(8)], tracker)
    assert confirmed(results) == [[1]] * 6 + [[]] * 2
    assert [track.coasted for track in results[5].tracks] == [True]


@pytest.mark.parametrize("fps", [2, 1, 0.5, 0.2])
def test_new_person_with_a_low_score_is_confirmed_by_its_second_detection(fps: float) -> None:
    score = (SETTINGS.birth_score + SETTINGS.certain_score) / 2
    results = run([pose_frame([person(300, 300)], seq, seq / fps, scores=[score]) for seq in range(3)])
    assert [[track.state for track in result.tracks] for result in results] == [
        ["tentative"],
        ["confirmed"],
        ["confirmed"],
    ]


@pytest.mark.parametrize("fps", [2, 1, 0.2])
def test_low_score_continues_a_track_that_was_detected_in_the_frame_before(fps: float) -> None:
    faint = (SETTINGS.low_score + SETTINGS.high_score) / 2
    frames = [pose_frame([person(300, 300)], seq, seq / fps, scores=[0.9 if seq < 5 else faint]) for seq in range(12)]
    assert confirmed(run(frames)) == [[1]] * 12


@pytest.mark.parametrize("fps", [3, 2, 1])
def test_person_who_walks_out_is_judged_in_the_next_frame_before_it_may_have_left(fps: float) -> None:
    """It stops at the border of the picture: between two frames it was not out of it for `leaving_s`."""
    xs = np.minimum(900 + 100 * np.arange(int(8 * fps)) / fps, 1235)
    results = run([pose_frame([person(x, 300)], seq, seq / fps) for seq, x in enumerate(xs)])
    assert {tuple(ids) for ids in confirmed(results)} == {(1,)}


@pytest.mark.parametrize("gap_s", [10.0, 600.0, 3600.0])
def test_gap_ends_all_tracks_where_frames_come_fast(gap_s: float) -> None:
    times_s = [seq / 10 + gap_s * (seq >= 30) for seq in range(60)]
    results = run(sitting(times_s, np.random.default_rng(2)))
    assert confirmed(results) == [[1, 2, 3]] * 30 + [[4, 5, 6]] * 30
    assert ended(results) == [(30, [1, 2, 3])]


@pytest.mark.parametrize(("missing", "kept"), [(1, True), (2, False), (60, False)])
def test_one_frame_of_a_slow_camera_may_be_missing(missing: int, kept: bool) -> None:
    """At one frame in 5 s, what is above 7.5 s counts as unseen: 2.5 s of 10 s, and 7.5 s of 15 s."""
    times_s = [5.0 * (seq + missing * (seq >= 10)) for seq in range(20)]
    results = run(sitting(times_s, np.random.default_rng(3)))
    assert confirmed(results) == [[1, 2, 3]] * 10 + [[1, 2, 3] if kept else [4, 5, 6]] * 10


@pytest.mark.parametrize(("first_s", "kept"), [(10.0, True), (18.0, True), (20.0, False), (600.0, False)])
def test_first_interval_is_as_usual_up_to_the_longest(first_s: float, kept: bool) -> None:
    """Of 20 s, 15 s are a rate, of which 0.25 s count; the other 5 s are more than `lost_s`."""
    results = run(sitting([0.0, first_s], np.random.default_rng(4)))
    assert confirmed(results)[1] == ([1, 2, 3] if kept else [4, 5, 6])


def test_irregular_rate_keeps_the_ids_of_people_who_sit() -> None:
    """Frames 0.1 to 3 s apart, as of a live camera whose workers are overloaded."""
    rng = np.random.default_rng(5)
    times_s = np.cumsum(rng.choice([0.1, 0.2, 0.5, 1.0, 3.0], 150)).tolist()
    assert confirmed(run(sitting(times_s, rng))) == [[1, 2, 3]] * 150


@pytest.mark.parametrize("until", [1, 10, 21])
def test_successor_knows_the_rate(until: int) -> None:
    """A tracker restored in the middle of a slow stream, and one from a snapshot of a release without intervals."""
    frames = sitting([5.0 * (seq + (seq >= 22)) for seq in range(40)], np.random.default_rng(6))
    first, second, third = PoseTracker(), PoseTracker(), PoseTracker()
    run(frames[:until], first)
    state = unpack_state(pack_state(first.state_dict()))
    second.load_state(state)
    third.load_state({name: value for name, value in state.items() if name != "intervals_ns"})
    expected = [plain(result) for result in run(frames[until:], first)]
    assert [plain(result) for result in run(frames[until:], second)] == expected
    assert confirmed(run(frames[until:], third)) == [[1, 2, 3]] * (40 - until)


@pytest.mark.parametrize("keypoints", [True, False])
def test_frames_that_are_not_inferred_miss_no_person_at_a_low_rate(keypoints: bool) -> None:
    """Frames come at 5 a second, every 25th is inferred: each person is confirmed in all of them."""
    rng = np.random.default_rng(7)
    tracker, results = PoseTracker(), []
    for seq in range(201):
        time_s = seq / 5
        if seq % 25 == 0:
            (frame,) = sitting([time_s], rng)
            boxes = frame.boxes_xyxy_px
            results.append(tracker.update(pose_frame(boxes, seq, time_s, keypoints=keypoints)))
        else:
            results.append(tracker.predict(not_inferred(seq, time_s)))
    assert confirmed(results) == [[1, 2, 3]] * 201


def not_inferred(seq: int, time_s: float) -> Uninferred:
    time_ns = round(time_s * SECOND_NS)
    return Uninferred("yard", 1, seq, time_ns, CaptureClock.FILE, Delivery.LOSSLESS, SIZE_PX, "rate")


class TestIntervals:
    def test_only_what_is_above_the_usual_interval_counts_wholly(self) -> None:
        usual = NO_INTERVALS.followed_by(2 * SECOND_NS).followed_by(SECOND_NS)
        counted_ns = [elapsed - usual.not_unseen_ns(elapsed, 100) for elapsed in (50, 100, 101, 3 * SECOND_NS)]
        assert counted_ns == [50, 100, 100, 100]
        assert 10 * SECOND_NS - usual.not_unseen_ns(10 * SECOND_NS, 100) == 7 * SECOND_NS + 100

    def test_the_longest_of_the_last_intervals_is_usual_and_never_more_than_the_bound(self) -> None:
        intervals = NO_INTERVALS
        for elapsed_ns in (3600 * SECOND_NS, *[SECOND_NS] * (KEPT - 1)):
            intervals = intervals.followed_by(elapsed_ns)
        assert intervals.usual_ns() == LONGEST_NS
        assert intervals.followed_by(SECOND_NS) == Intervals((SECOND_NS,) * KEPT)
        assert intervals.followed_by(SECOND_NS).usual_ns() == 1.5 * SECOND_NS
