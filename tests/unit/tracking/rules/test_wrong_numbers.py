"""Frames with numbers that cannot be right: they decide nothing, and spoil nothing that is remembered."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from unit.tracking.rules.walks import SIZE_PX, Walker, along, filmed, frame, kinds, rules_of, shifted, track

from posebus.messages import Event, Track, TrackFrame, TrackState
from tracking.rules import Rules

FLOOR = [[200, 200], [440, 200], [440, 400], [200, 400]]
RULES: dict[str, dict[str, Any]] = {
    "gate": {"kind": "line", "points": [[100, 300], [500, 300]]},
    "till": {"kind": "zone", "points": FLOOR, "dwell_s": 2, "max_people": 1},
    "seat": {"kind": "loiter", "after_s": 2},
    "many": {"kind": "crowd", "people": 2, "for_s": 1},
    "near": {"kind": "proximity", "body_heights": 0.8, "for_s": 0.5},
    "far": {"kind": "proximity", "distance_m": 2.0, "for_s": 0.5},
    "post": {"kind": "absence", "people": 2, "for_s": 0.8},
    "floor": {"kind": "fall", "fallen_s": 1},
    "up": {"kind": "hands_up", "for_s": 0.5},
    "low": {"kind": "crouch", "for_s": 0.5},
    "runs": {"kind": "running", "speed": 0.3},
    "acts": {"kind": "action", "labels": ["Walking"], "for_s": 0.5},
}
NAN, INF = float("nan"), float("inf")


def busy() -> list[TrackFrame]:
    walkers = [
        Walker(along((0, 60, 250), (3, 300, 260), (6, 300, 360), (9, 600, 300))),
        Walker(along((1, 400, 420), (4, 330, 270), (7, 100, 240)), begin_s=1),
        Walker(along((2, 320, 200), (6, 320, 475)), begin_s=2, end_s=6),
    ]
    return filmed(walkers, 9, 10, sigma_px=2.0)


def boxed(one: Track, *corners: float) -> Track:
    return replace(one, box_xyxy_px=np.array(corners, np.float64))


def joint(one: Track, column: int, value: float) -> Track:
    assert one.keypoints_px is not None
    joints = one.keypoints_px.copy()
    joints[7, column] = value
    return replace(one, keypoints_px=joints)


def with_nan(one: Track) -> Track:
    return boxed(one, NAN, 100, 200, 300)


WRONG = {
    "a box that is no number": with_nan,
    "a box without an end": lambda one: boxed(one, 100, 100, INF, 300),
    "a box from minus infinity": lambda one: boxed(one, 100, -INF, 200, 300),
    "a box of a size that squares to infinity": lambda one: boxed(one, 0, 0, 1e300, 1e300),
    "a box without a width": lambda one: boxed(one, 300, 200, 300, 300),
    "a box without a height": lambda one: boxed(one, 300, 300, 340, 300),
    "a box that is turned inside out": lambda one: boxed(one, 340, 300, 300, 200),
    "a box of three corners": lambda one: boxed(one, 300, 200, 340),
    "a place of a joint that is no number": lambda one: joint(one, 0, NAN),
    "a place of a joint that is infinite": lambda one: joint(one, 1, INF),
    "a confidence of a joint that is no number": lambda one: joint(one, 2, NAN),
    "all joints no numbers": lambda one: replace(one, keypoints_px=np.full((17, 3), NAN, np.float32)),
    "joints without a confidence": lambda one: replace(one, keypoints_px=np.zeros((17, 2), np.float32)),
}


def played(frames: Sequence[TrackFrame]) -> tuple[list[list[Event]], Rules]:
    """The events of each frame, which are JSON, and the rules, none of which is off."""
    rules = rules_of(**RULES)
    events = [rules.update(one) for one in frames]
    assert rules.problems == {}
    json.dumps([[event.data for event in some] for some in events], allow_nan=False)
    return events, rules


def state_of(rules: Rules) -> str:
    return json.dumps(rules.state_dict(), allow_nan=False)


@pytest.mark.parametrize("name", WRONG)
def test_a_person_with_wrong_numbers_counts_as_not_seen_in_that_frame(name: str) -> None:
    wrong_frames, without = [], []
    for one in busy():
        bad = one.seq % 4 == 3 or 40 <= one.seq < 44
        first = [track for track in one.tracks if track.id == 1]
        others = [track for track in one.tracks if track.id != 1]
        wrong_frames.append(replace(one, tracks=(*map(WRONG[name], first), *others)) if bad else one)
        without.append(replace(one, tracks=tuple(others)) if bad else one)
    found, rules = played(wrong_frames)
    expected, same = played(without)
    assert found == expected
    assert state_of(rules) == state_of(same)
    for one, events in zip(wrong_frames, found, strict=True):
        if one.seq % 4 == 3 or 40 <= one.seq < 44:
            # What two people did together may end while one of them is not seen.
            assert all(event.data["track_id"] != 1 or event.data["phase"] == "end" for event in events)
    later = kinds(event for events in found for event in events)
    assert ("line.crossed", 1) in later
    assert ("zone.entered", 1) in later


def test_a_number_that_a_frame_has_twice_is_that_of_the_first_track() -> None:
    frames = busy()
    twice = [replace(one, tracks=(*one.tracks, *(replace(each, score=0.1) for each in one.tracks))) for one in frames]
    moved = [replace(one, tracks=(*one.tracks, *(track(each.id, (600, 470)) for each in one.tracks))) for one in frames]
    expected, rules = played(frames)
    for some in (twice, moved):
        found, others = played(some)
        assert found == expected
        assert state_of(others) == state_of(rules)


def test_what_happens_to_a_track_ends_with_it_whatever_its_last_box_is() -> None:
    rules = rules_of(till=RULES["till"], gate=RULES["gate"])
    for seq in range(10):
        rules.update(frame(seq / 10, seq, [track(1, (300, 250))]))
    (left,) = rules.update(frame(1.0, 10, [with_nan(track(1, (300, 250), state=TrackState.ENDED))]))
    assert (left.type, left.data["reason"]) == ("posebus.zone.left", "unseen")
    assert "box_xyxy_px" not in left.data
    assert rules.problems == {}


def test_other_numbers_that_are_none_are_left_out() -> None:
    def odd(one: Track) -> Track:
        velocity = np.array([NAN, INF], np.float32)
        walks = {"action": "Walking", "action_score": NAN, "speed_m_s": INF, "position_m": (NAN, INF)}
        return replace(one, score=NAN, velocity_px_s=velocity, **walks)

    frames = [replace(one, tracks=tuple(map(odd, one.tracks))) for one in busy()]
    found, rules = played(frames)
    plain, _ = played(
        [replace(one, tracks=tuple(replace(each, action="Walking") for each in one.tracks)) for one in busy()]
    )
    assert [kinds(events) for events in found] == [kinds(events) for events in plain]
    started = [event for events in found for event in events if event.type == "posebus.zone.entered"]
    assert started[0].data["confidence"] is None
    state_of(rules)


@pytest.mark.parametrize("time_ns", [NAN, INF, -INF, 2**63, -(2**80), 1e30])
def test_a_frame_without_a_time_decides_nothing(time_ns: Any) -> None:
    frames = busy()
    expected, rules = played(frames)
    found, others = played([each for one in frames for each in (one, replace(one, captured_at_ns=time_ns))])
    assert found[::2] == expected
    assert not any(found[1::2])
    assert state_of(others) == state_of(rules)


@pytest.mark.parametrize("by_s", [0.0, -5.0, -3600.0, 3600.0, -1.7e9, 1.7e9, 4.0e9])
def test_after_a_clock_that_was_set_people_are_followed_as_before(by_s: float) -> None:
    first = busy()
    again = [
        replace(one, seq=one.seq + 100, tracks=tuple(replace(each, id=each.id + 10) for each in one.tracks))
        for one in shifted(first, first[-1].captured_at_ns / 1e9 + by_s)
    ]
    events, _ = played([*first, *again])
    about = [(kind, number) for kind, number in kinds(e for some in events for e in some) if number is not None]
    before = [one for one in about if one[1] < 10 and not one[0].startswith("proximity")]
    after = [(kind, number - 10) for kind, number in about if number > 10 and not kind.startswith("proximity")]
    assert set(after) >= {("line.crossed", 1), ("line.crossed", 2), ("zone.entered", 1), ("zone.dwelled", 1)}
    assert set(after) <= set(before)
    for some in events:
        for event in some:
            assert event.data.get("duration_s", 0) >= 0


@pytest.mark.parametrize("at_s", [100.0, 1.0])
def test_raised_hands_go_on_over_a_clock_that_goes_back(at_s: float) -> None:
    def up(number: int) -> Track:
        one = track(number, (300, 300))
        assert one.keypoints_px is not None
        joints = one.keypoints_px.copy()
        joints[[7, 8], 1] -= 50.0
        joints[[9, 10], 1] = joints[0, 1] - 25.0
        return replace(one, keypoints_px=joints)

    times_s = [*(at_s + seq / 10 for seq in range(10)), *(0.1 + seq / 10 for seq in range(10))]
    rules = rules_of(up=RULES["up"])
    events = [event for seq, time_s in enumerate(times_s) for event in rules.update(frame(time_s, seq, [up(1)]))]
    for seq in range(20, 40):
        events += rules.update(frame(seq / 10 - 0.9, seq, [track(1, (300, 300))]))
    assert kinds(events) == [("hands_up.detected", 1), ("hands_up.ended", 1)]
    assert 1.0 < events[1].data["duration_s"] < 3.0


def test_frames_without_people_decide_only_about_absence() -> None:
    rules = rules_of(**RULES)
    events = [event for seq in range(30) for event in rules.update(frame(seq / 10, seq))]
    assert kinds(events) == [("absence.detected", None)]
    assert rules.update(TrackFrame("yard", 1, 30, 3 * 10**9, SIZE_PX, ())) == []
