"""People who move faster, or change their shape more, than the filter expects keep their ids where the match is
unambiguous."""

from __future__ import annotations

import math

import numpy as np
import pytest
from unit.tracking.scenes import dressed, person, pose_frame

from posebus.config.settings import TrackerSettings
from posebus.messages import PoseFrame
from tracking import PoseTracker
from tracking import body_model as model
from tracking.detections import detections_of
from tracking.identities.initiation import initiate
from tracking.matching.continuation import continuation_odds, unambiguous

PX_PER_M = 200 / 1.7
"""Of a person 200 px high."""


def ids_of(frames: list[PoseFrame]) -> list[list[int]]:
    """For each frame the ids of its detections, in their order."""
    tracker = PoseTracker()
    found = []
    for frame in frames:
        by_row = {track.pose_index: track.id for track in tracker.update(frame).tracks if track.pose_index is not None}
        found.append([by_row.get(row, 0) for row in range(len(frame.scores))])
    return found


@pytest.mark.parametrize("fps", [2, 5, 12.5, 30])
@pytest.mark.parametrize("speed_m_s", [1.2, 3.0, 6.0])
def test_a_lone_runner_keeps_the_id(fps: float, speed_m_s: float) -> None:
    step_px = speed_m_s * PX_PER_M / fps
    frames = [pose_frame([person(100 + seq * step_px, 360)], seq, seq / fps) for seq in range(int(1100 / step_px))]
    assert {number for (number,) in ids_of(frames)} == {1}


def test_a_runner_among_people_who_stand_keeps_the_id() -> None:
    standing = [person(x, 250) for x in (300, 600, 900)]
    frames = [pose_frame([person(60 + seq * 130, 500), *standing], seq, seq / 5) for seq in range(8)]
    assert ids_of(frames) == [[1, 2, 3, 4]] * 8


def test_a_detection_that_fits_two_tracks_gets_a_new_id() -> None:
    before = pose_frame([person(400, 360), person(700, 360)], 0, 0.0)
    between = pose_frame([person(550, 400), person(550, 320)], 1, 0.3)
    assert ids_of([before, between])[1] == [3, 4]


def test_colours_decide_between_two_tracks() -> None:
    before = dressed(pose_frame([person(400, 360), person(700, 360)], 0, 0.0), [0, 1])
    between = dressed(pose_frame([person(550, 400), person(550, 320)], 1, 0.3), [1, 0])
    assert ids_of([before, between])[1] == [2, 1]


def test_a_match_faster_than_people_move_is_refused() -> None:
    frames = [pose_frame([person(x, 360)], seq, seq / 25) for seq, x in enumerate((200, 200, 700))]
    assert ids_of(frames)[-1] == [2]


def test_a_weak_detection_continues_no_track() -> None:
    scores = ([0.9], [0.35])
    frames = [
        pose_frame([person(x, 360)], seq, seq / 5, scores=score)
        for seq, (x, score) in enumerate(zip((400, 540), scores, strict=True))
    ]
    assert ids_of(frames)[-1] == [0]


def test_a_person_who_appears_at_the_border_is_new() -> None:
    gone, other = person(300, 360), person(60, 360)
    other[0] = 0.0
    frames = [pose_frame([gone], 0, 0.0), pose_frame([gone], 1, 0.2), pose_frame([other], 2, 0.4)]
    assert ids_of(frames)[-1] == [2]


@pytest.mark.parametrize("fps", [10, 25])
@pytest.mark.parametrize("lasting_s", [0.3, 0.5, 0.8, 1.2])
def test_a_fall_keeps_the_id(fps: float, lasting_s: float) -> None:
    frames = []
    for seq in range(int((lasting_s + 2) * fps)):
        fallen = min(max((seq / fps - 1) / lasting_s, 0.0), 1.0)
        width, height = 80 + 120 * fallen, 200 - 140 * fallen
        frames.append(pose_frame([_box_on_ground(500 + 60 * fallen, 460, width, height)], seq, seq / fps))
    assert {number for (number,) in ids_of(frames)} == {1}


@pytest.mark.parametrize("fps", [10, 25])
def test_a_missed_detection_during_a_fall_keeps_the_id(fps: float) -> None:
    """Half a second long; one frame in the middle of it shows no person."""
    frames = []
    for seq in range(int(2.5 * fps)):
        fallen = min(max((seq / fps - 1) / 0.5, 0.0), 1.0)
        box = _box_on_ground(500 + 60 * fallen, 460, 80 + 120 * fallen, 200 - 140 * fallen)
        frames.append(pose_frame([] if seq == round(1.25 * fps) else [box], seq, seq / fps))
    assert {number for numbers in ids_of(frames) for number in numbers} == {1}


def test_a_missed_person_beside_another_is_not_continued_by_a_jump() -> None:
    """Another person stands a body away, so that it may be a third one who comes out from behind."""
    other = person(560, 360)
    frames = [pose_frame([person(400, 360), other], seq, seq / 25) for seq in range(10)]
    frames += [pose_frame([other], 10, 10 / 25), pose_frame([other, person(400, 290)], 11, 11 / 25)]
    alone = [pose_frame(frame.boxes_xyxy_px[:1], frame.seq, frame.captured_at_ns / 1e9) for frame in frames[:10]]
    alone += [pose_frame([], 10, 10 / 25), pose_frame([person(400, 290)], 11, 11 / 25)]
    assert ids_of(alone)[-1] == [1]
    assert ids_of(frames)[-1] == [2, 3]


def test_a_person_who_falls_beside_another_keeps_the_id() -> None:
    frames = []
    for seq in range(30):
        fallen = min(max((seq - 10) / 4, 0.0), 1.0)
        faller = _box_on_ground(500 + 60 * fallen, 460, 80 + 120 * fallen, 200 - 140 * fallen)
        frames.append(pose_frame([_box_on_ground(640, 460, 80, 200), faller], seq, seq / 10))
    assert ids_of(frames) == [[1, 2]] * 30


def test_odds_by_hand() -> None:
    size_px, body_px, gap_px, elapsed_s = (1280, 720), 200.0, 150.0, 0.2
    first = detections_of(pose_frame([person(400, 360)], 0, 0.0), 0.1)
    tracks = initiate(np.array([0]), first, size_px, 1, 0, TrackerSettings())
    then = detections_of(pose_frame([person(400 + gap_px, 360)], 1, elapsed_s), 0.1)
    odds = continuation_odds(
        tracks.columns(),
        np.array([0]),
        then.centred,
        np.array([0.1]),
        np.array([0.003]),
        round(elapsed_s * 1e9),
        model.CONTINUATION,
        model.MOTION,
    )
    weights = model.CONTINUATION
    # The filter was not predicted: its deviation is that of one measurement, and the speed is not known at all.
    spread2 = weights.place_std**2 + (weights.fast * model.MOTION.measurement_std[0]) ** 2
    density = weights.runs / (2 * math.pi * spread2) * math.exp(-0.5 * (gap_px / body_px) ** 2 / spread2)
    rival = 0.1 * 0.003 * (elapsed_s + weights.together_s)
    assert odds[0, 0] == pytest.approx(math.log(density / rival))


def test_a_pair_is_unambiguous_against_its_row_and_its_column() -> None:
    assert unambiguous(np.array([[5.0, 1.0], [1.0, 5.0]]), 3.0).tolist() == [0, 1]
    assert unambiguous(np.array([[5.0, 3.0], [1.0, 5.0]]), 3.0).tolist() == [-1, -1]
    assert unambiguous(np.array([[2.0]]), 3.0).tolist() == [-1]
    assert unambiguous(np.array([[-np.inf, 4.0], [-np.inf, -np.inf]]), 3.0).tolist() == [1, -1]


def test_the_state_after_a_continuation_survives_a_snapshot() -> None:
    frames = [pose_frame([person(100 + seq * 140, 360)], seq, seq / 5) for seq in range(6)]
    whole, second = PoseTracker(), PoseTracker()
    for frame in frames[:3]:
        whole.update(frame)
    second.load_state(whole.state_dict())
    for frame in frames[3:]:
        expected, got = whole.update(frame), second.update(frame)
        assert [track.id for track in got.tracks] == [track.id for track in expected.tracks]
        np.testing.assert_array_equal(got.tracks[0].box_xyxy_px, expected.tracks[0].box_xyxy_px)


def _box_on_ground(x: float, ground: float, width: float, height: float) -> np.ndarray:
    return np.array([x - width / 2, ground - height, x + width / 2, ground], np.float32)
