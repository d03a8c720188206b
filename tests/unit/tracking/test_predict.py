"""Frames without inference: tracks are reported at predicted positions, none is missed, identities continue."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from unit.tracking.scenes import SECOND_NS, SIZE_PX, in_state, person, plain, pose_frame, walk

from posebus.config.policies import AUTO, Policies
from posebus.messages import CaptureClock, Delivery, PoseFrame, Uninferred
from tracking import PoseTracker
from tracking.policies.planning import Planner

FPS = 10.0


def not_inferred(seq: int, time_s: float, epoch: int = 1) -> Uninferred:
    return Uninferred(
        "yard", epoch, seq, round(time_s * SECOND_NS), CaptureClock.FILE, Delivery.LOSSLESS, SIZE_PX, "rate"
    )


def uninferred(frame: PoseFrame) -> Uninferred:
    return replace(not_inferred(frame.seq, 0.0, frame.epoch), captured_at_ns=frame.captured_at_ns)


@pytest.mark.parametrize("every", [2, 3, 4])
def test_walkers_are_reported_at_their_positions_when_few_frames_are_inferred(every: int) -> None:
    frames = walk([i / FPS for i in range(60)])
    tracker = PoseTracker()
    for frame in frames:
        inferred = frame.seq % every == 0
        result = tracker.update(frame) if inferred else tracker.predict(uninferred(frame))
        assert result.inferred is inferred
        assert (result.seq, result.captured_at_ns) == (frame.seq, frame.captured_at_ns)
        if frame.seq < 20:
            continue
        assert in_state(result, "confirmed") == [1, 2, 3]
        boxes = np.array([track.box_xyxy_px for track in result.tracks])
        assert np.abs(boxes - frame.boxes_xyxy_px).max() < 12
        assert all(track.coasted is not inferred for track in result.tracks)


def test_no_track_is_lost_by_frames_without_inference() -> None:
    """For five seconds, longer than a lost track lives."""
    tracker = PoseTracker()
    for frame in walk([i / FPS for i in range(20)], speed_px_s=5.0):
        tracker.update(frame)
    for seq in range(20, 70):
        assert in_state(tracker.predict(not_inferred(seq, seq / FPS)), "confirmed") == [1, 2, 3]
    (after,) = walk([7.0], speed_px_s=5.0)
    assert in_state(tracker.update(replace(after, seq=70)), "confirmed") == [1, 2, 3]


def test_track_missed_before_keeps_its_deadline() -> None:
    tracker = PoseTracker()
    for seq in range(20):
        tracker.update(pose_frame([person(400, 300), person(900, 300)], seq, seq / FPS))
    for seq in range(20, 30):
        tracker.update(pose_frame([person(400, 300)], seq, seq / FPS))
    ended = [
        (seq, track.id)
        for seq in range(30, 80)
        for track in tracker.predict(not_inferred(seq, seq / FPS)).tracks
        if track.state == "ended"
    ]
    assert [number for _, number in ended] == [2]
    assert 55 <= ended[0][0] <= 62, "lost_s after the last frame that was inferred with it"


def test_stale_frame_changes_nothing() -> None:
    tracker = PoseTracker()
    for frame in walk([i / FPS for i in range(10)]):
        tracker.update(frame)
    before = plain(tracker.predict(not_inferred(10, 1.0)))
    stale = tracker.predict(not_inferred(10, 1.0))
    assert stale.tracks == ()
    assert stale.inferred is False
    assert plain(tracker.predict(not_inferred(11, 1.1)))[1] != before[1]


def test_successor_continues_after_predictions_bit_for_bit() -> None:
    first = PoseTracker()
    frames = walk([i / FPS for i in range(40)])
    for frame in frames[:21]:
        _ = first.update(frame) if frame.seq % 3 == 0 else first.predict(uninferred(frame))
    second = PoseTracker()
    second.load_state(first.state_dict())
    for frame in frames[21:]:
        inferred = frame.seq % 3 == 0
        results = [one.update(frame) if inferred else one.predict(uninferred(frame)) for one in (first, second)]
        assert plain(results[0]) == plain(results[1])


def planned(planner: Planner, tracker: PoseTracker, frames: list[PoseFrame]) -> None:
    for frame in frames:
        if frame.seq % 2 == 0:
            tracker.update(frame)
            planner.inferred(frame, None, tracker.tracks)
        else:
            tracker.predict(uninferred(frame))
            planner.not_inferred(uninferred(frame), tracker.tracks)


def test_successor_of_a_planner_makes_the_same_decisions() -> None:
    policies = Policies(imgsz=AUTO, infer_fps=AUTO, motion_gate="eager")
    frames = walk([i / FPS for i in range(120)], speed_px_s=40.0)
    first, tracker = Planner("yard", policies, lossless=True), PoseTracker()
    planned(first, tracker, frames[:60])
    assert first.decisions
    second, follower = Planner("yard", policies, lossless=True), PoseTracker()
    second.load_state(json.loads(json.dumps(first.state_dict())))
    follower.load_state(tracker.state_dict())
    planned(first, tracker, frames[60:])
    planned(second, follower, frames[60:])
    assert first.plan == second.plan
    assert first.decisions == second.decisions
    assert first.state_dict() == second.state_dict()


def test_state_of_other_policies_is_not_loaded() -> None:
    first, tracker = Planner("yard", Policies(infer_fps=AUTO), lossless=True), PoseTracker()
    planned(first, tracker, walk([i / FPS for i in range(40)]))
    second = Planner("yard", Policies(infer_fps=AUTO, motion_gate="eager"), lossless=True)
    second.load_state(first.state_dict())
    assert second.plan is None
    assert second.decisions == ()


def test_directive_is_occupied_only_while_a_person_may_be_present() -> None:
    planner, tracker = Planner("yard", Policies(motion_gate="conservative"), lossless=True), PoseTracker()
    occupied = []
    for seq in range(90):
        there = 20 <= seq < 40
        frame = pose_frame([person(640, 360)] if there else [], seq, seq / FPS)
        tracker.update(frame)
        planner.inferred(frame, None, tracker.tracks)
        assert planner.directive is not None
        occupied.append(planner.directive.occupied)
    assert not any(occupied[:20])
    assert all(occupied[20:75]), "also while a lost track may come back"
    assert not any(occupied[82:])
