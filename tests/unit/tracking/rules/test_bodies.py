"""Rules about bodies: scripted people whose doings are known, before random cameras, at several frame rates."""

from __future__ import annotations

import json

import numpy as np
import pytest

from benchmarks.rules.falls import camera_of, events_of, judged, tracked
from benchmarks.scenes.camera import Camera
from benchmarks.skeletons.scene import scene
from posebus.messages import Event, Track, TrackFrame
from tracking.rules import Rules

SIDE = Camera((1280, 720), 1100.0, 2.2, 0.2)
"""From 2.2 m above the ground, 11 degrees down."""


def events(kind: str, rule: dict[str, object], fps: float = 15.0, seed: int = 2000) -> list[Event]:
    """The events of one rule in a scene through SIDE."""
    made = scene(kind, fps, seed, camera=SIDE)
    rules = Rules({"it": rule}, "scene", made.size_px)
    frames = tracked(made) if rule["kind"] == "running" else made.track_frames()
    found = [event for frame in frames for event in rules.update(frame)]
    assert not rules.problems
    return found


def types(found: list[Event]) -> list[str]:
    return [event.type.removeprefix("posebus.") for event in found]


@pytest.mark.parametrize("fps", [5.0, 10.0, 15.0, 30.0])
@pytest.mark.parametrize("kind", ["fall_backward", "fall_left", "fall_towards_camera"])
def test_a_fall_is_found_once_at_any_frame_rate(kind: str, fps: float) -> None:
    made = scene(kind, fps, 2003, camera=SIDE)
    assert judged(made, events_of(made.track_frames(), made.size_px)) == (True, True, 0)


@pytest.mark.parametrize("kind", ["sit_chair", "bend", "squat", "walk", "run", "hands_up", "leave", "behind_counter"])
def test_other_doings_are_no_falls(kind: str, thorough: bool) -> None:
    for seed in range(2000, 2020 if thorough else 2002):
        made = scene(kind, (5.0, 12.0, 25.0)[seed % 3], seed, camera=camera_of(seed))
        assert judged(made, events_of(made.track_frames(), made.size_px)) == (False, False, 0), seed


def test_fallen_belongs_to_the_fall_and_comes_after_its_time() -> None:
    found = events("fall_left", {"kind": "fall", "fallen_s": 3.0}, seed=2003)
    assert types(found)[:2] == ["fall.detected", "fallen.detected"]
    fall, fallen = found[:2]
    assert fall.data["happening"] == fallen.data["happening"]
    assert fallen.data["phase"] == "update"
    assert fallen.data["captured_at_ns"] - fall.data["since_ns"] >= 3e9 - 1e6
    assert fallen.data["captured_at_ns"] - fall.data["since_ns"] < 3.2e9


def test_who_stands_up_ends_the_fall() -> None:
    for seed in range(2000, 2010):
        made = scene("fall_left", 15.0, seed, camera=SIDE)
        if any(interval.label == "stand_up" for interval in made.truth):
            break
    rules = Rules({"floor": {"kind": "fall", "fallen_s": None}}, "scene", made.size_px)
    found = [event for frame in made.track_frames() for event in rules.update(frame)]
    assert types(found) == ["fall.detected", "fall.ended"]
    assert "reason" not in found[1].data
    ends_s = found[1].time_ns / 1e9
    assert made.label_at(ends_s) in ("stand_up", "standing")


def test_a_state_taken_up_in_the_middle_of_a_fall_gives_the_same_events() -> None:
    made = scene("fall_backward", 15.0, 2003, camera=SIDE)
    settings = {"floor": {"kind": "fall", "fallen_s": 2.0}}
    whole, first, second = (Rules(settings, "scene", made.size_px) for _ in range(3))
    frames = made.track_frames()
    expected = [event.id for frame in frames for event in whole.update(frame)]
    start_s = next(interval.start_s for interval in made.truth if interval.label == "fall")
    cut = int((start_s + 0.4) * 15.0)
    found = [event.id for frame in frames[:cut] for event in first.update(frame)]
    second.load_state(json.loads(json.dumps(first.state_dict())))
    found += [event.id for frame in frames[cut:] for event in second.update(frame)]
    assert found == expected != []


def test_a_person_lost_at_the_impact_has_fallen() -> None:
    made = scene("fall_left", 15.0, 2003, camera=SIDE)
    start_s = next(interval.start_s for interval in made.truth if interval.label == "fall")
    end_s = next(interval.end_s for interval in made.truth if interval.label == "fall")
    frames = []
    for frame in made.track_frames():
        at_s = frame.captured_at_ns / 1e9
        tracks = frame.tracks
        if at_s > end_s + 0.05:
            tracks = tuple(_as(one, "lost" if at_s < end_s + 1.5 else "ended") for one in frames[-1].tracks)
        frames.append(_with(frame, tracks))
        if at_s >= end_s + 1.5:
            break
    found = events_of(frames, made.size_px)
    assert "posebus.fall.detected" in [event.type for event in found], start_s


def test_a_body_that_goes_out_of_the_picture_below_does_not_fall() -> None:
    frames = [_still(seq / 15.0, top_px=100.0 + 60.0 * seq) for seq in range(8)]
    assert events_of(frames, (640, 480)) == []


def test_boxes_without_keypoints_are_enough_for_a_fall_seen_from_the_side() -> None:
    made = scene("fall_left", 15.0, 2003, camera=SIDE)
    frames = [
        _with(frame, tuple(_as(one, one.state, keypoints=False) for one in frame.tracks))
        for frame in made.track_frames()
    ]
    assert judged(made, events_of(frames, made.size_px)) == (True, True, 0)


def test_both_hands_above_the_head_and_nothing_else_are_hands_up() -> None:
    found = events("hands_up", {"kind": "hands_up", "for_s": 1.0})
    assert types(found)[:1] == ["hands_up.detected"]
    assert (found[0].time_ns - found[0].data["since_ns"]) / 1e9 == pytest.approx(1.0, abs=0.1)
    for kind in ("wave", "walk", "stand"):
        assert events(kind, {"kind": "hands_up", "for_s": 1.0}) == []


def test_who_runs_is_running_and_who_walks_is_not() -> None:
    for seed in (2002, 2003):
        assert types(events("run", {"kind": "running"}, seed=seed))[:1] == ["running.detected"]
    for seed in range(2000, 2006):
        assert events("walk", {"kind": "running"}, seed=seed) == []


def test_a_squat_is_a_crouch_and_a_chair_is_none() -> None:
    assert "crouch.detected" in types(events("squat", {"kind": "crouch", "for_s": 1.0}, seed=2002))
    for seed in range(2000, 2006):
        assert events("sit_chair", {"kind": "crouch", "for_s": 1.0}, seed=seed) == []


def _still(at_s: float, top_px: float) -> TrackFrame:
    box = np.array([280.0, top_px, 360.0, min(top_px + 240.0, 480.0)], np.float32)
    track = Track(1, box, 0.9, None, "confirmed", 1.0)
    return TrackFrame("scene", 1, round(at_s * 15), round(at_s * 1e9), (640, 480), (track,))


def _with(frame: TrackFrame, tracks: tuple[Track, ...]) -> TrackFrame:
    return TrackFrame(frame.camera, frame.epoch, frame.seq, frame.captured_at_ns, frame.size_px, tracks)


def _as(track: Track, state: str, *, keypoints: bool = True) -> Track:
    joints = track.keypoints_px if keypoints else None
    coasted = track.coasted or state in ("lost", "ended")
    return Track(track.id, track.box_xyxy_px, track.score, joints, state, track.age_s, coasted=coasted)
