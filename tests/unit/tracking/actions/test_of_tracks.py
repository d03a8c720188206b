"""Actions of tracks over time: what is remembered, for how long, and that a snapshot changes nothing."""

from __future__ import annotations

from dataclasses import fields, replace

import numpy as np
import pytest
from unit.tracking.actions.bodies import body, frame

from posebus.contract.snapshot import pack_state, unpack_state
from posebus.messages import Renaming, Track, TrackState
from tracking.actions.base import OTHER, ActionAnswer, Windows
from tracking.actions.of_tracks import KEPT_S, MAX_PEOPLE, Actions
from tracking.actions.table import open_classifier


class Place:
    """Says on which side of the picture a person is at the moment, and counts how often it is asked."""

    labels = ("Left", "Right", OTHER)
    sample_s, every_s, samples = 0.12, 0.24, 4

    def __init__(self) -> None:
        self.asked: list[int] = []

    def classify(self, windows: Windows) -> ActionAnswer:
        self.asked.append(len(windows))
        x_px = windows.poses_px[:, -1, 11, 0]
        other = x_px > 600
        right = (x_px > 320) & ~other
        found = np.column_stack([~right & ~other, right, other]).astype(float)
        return ActionAnswer(found, windows.stature_px, windows.descent)


LEFT, RIGHT, NEITHER = body(at=(100, 300)), body(at=(500, 300)), body(at=(620, 300))


def actions_of(
    made: Actions, seq: int, at_s: float, poses: dict[int, np.ndarray], **changes: object
) -> list[str | None]:
    return [track.action for track in made.update(frame(seq, at_s, poses, **changes)).tracks]


@pytest.mark.parametrize("fps", [5, 10, 25, 30, 60])
def test_people_are_classified_by_the_clock_and_not_by_frames(fps: int) -> None:
    classifier = Place()
    made = Actions(classifier)
    for seq in range(4 * fps):
        made.update(frame(seq, seq / fps, {1: LEFT, 2: RIGHT}))
    assert 10 <= len(classifier.asked) <= 17
    assert set(classifier.asked) == {2}


def test_people_who_came_at_different_times_are_classified_together_soon() -> None:
    classifier = Place()
    made = Actions(classifier)
    for seq in range(12):
        made.update(frame(seq, seq * 0.12, {1: LEFT} if seq < 3 else {1: LEFT, 2: RIGHT}))
    # The first one at 0, 0.24, 0.48; the second one at once at 0.36, and with the first one at 0.48 or 0.6.
    assert classifier.asked[:2] == [1, 1]
    assert classifier.asked[-3:] == [2, 2, 2]
    assert len(classifier.asked) <= 7


def test_each_track_has_its_action_with_a_score() -> None:
    made = Actions(Place())
    found = made.update(frame(0, 0.0, {1: LEFT, 2: RIGHT, 3: NEITHER})).tracks
    assert [track.action for track in found] == ["Left", "Right", None]
    assert [track.action_score for track in found] == [1.0, 1.0, None]


def test_all_other_fields_of_a_track_stay_as_they_are() -> None:
    made = Actions(Place())
    given = frame(
        *(0, 0.0, {1: LEFT}),
        velocity_px_s=np.ones(2, np.float32),
        keypoint_visibility=np.full(17, 2, np.uint8),
        pose_index=3,
        position_m=(1.0, 2.0),
        speed_m_s=3.0,
        distance_m=4.0,
    )
    (was,), (found,) = given.tracks, made.update(given).tracks
    assert (found.action, found.action_score) == ("Left", 1.0)
    for one in fields(Track):
        if one.name not in ("action", "action_score"):
            assert getattr(found, one.name) is getattr(was, one.name), one.name


def test_a_track_that_ended_is_not_reported_again_whether_or_not_it_was_restarted() -> None:
    made = Actions(Place())
    last = frame(0, 0.0, {1: LEFT})
    assert made.update(replace(last, tracks=(replace(last.tracks[0], state=TrackState.ENDED),))).tracks[0].action
    again = Actions(Place())
    again.load_state(unpack_state(pack_state({"actions": made.state_dict()}))["actions"])
    assert actions_of(made, 1, 0.01, {1: LEFT}) == actions_of(again, 1, 0.01, {1: LEFT}) == [None]


def test_more_people_than_rows_keep_what_is_remembered_of_them() -> None:
    made = Actions(Place())
    for seq, people in enumerate((1, 20, 70)):
        poses = {number: LEFT if number % 2 else RIGHT for number in range(people)}
        found = actions_of(made, seq, seq * 0.25, poses)
        assert found == ["Left" if number % 2 else "Right" for number in range(people)]
    made.update(replace(frame(3, 0.8, {}), renamed=(Renaming(3, 200, 0),)))
    assert 3 not in made.state_dict()["people"]["numbers"]
    assert 200 in made.state_dict()["people"]["numbers"]


def test_one_wrong_answer_does_not_change_the_action() -> None:
    made = Actions(Place())
    poses = [LEFT] * 3 + [RIGHT] + [LEFT] * 3
    assert [actions_of(made, seq, seq * 0.25, {1: pose}) for seq, pose in enumerate(poses)] == [["Left"]] * 7


def test_a_person_without_joints_keeps_the_action_for_a_moment() -> None:
    made = Actions(Place())
    assert actions_of(made, 0, 0.0, {1: LEFT}) == ["Left"]
    assert actions_of(made, 1, KEPT_S - 0.1, {1: LEFT}, coasted=True) == ["Left"]
    assert actions_of(made, 2, KEPT_S + 0.1, {1: LEFT}, coasted=True) == [None]


def test_hidden_joints_do_not_count() -> None:
    made = Actions(Place())
    hidden = np.ones(17, np.uint8)
    assert actions_of(made, 0, 0.0, {1: LEFT}, keypoint_visibility=hidden) == [None]
    assert actions_of(made, 1, 0.2, {1: LEFT}, keypoint_visibility=hidden + 1) == ["Left"]


def test_corrections_exchange_what_is_remembered() -> None:
    made = Actions(Place())
    actions_of(made, 0, 0.0, {1: LEFT, 2: RIGHT})
    swapped = replace(
        frame(1, 0.05, {2: LEFT, 1: RIGHT}), renamed=(Renaming(1, 2, 0), Renaming(2, 1, 0)), inferred=False
    )
    assert [track.action for track in made.update(swapped).tracks] == ["Left", "Right"]


def test_ended_and_surplus_people_are_forgotten() -> None:
    made = Actions(Place())
    made.update(frame(0, 0.0, dict.fromkeys(range(MAX_PEOPLE + 20), LEFT)))
    assert len(made.state_dict()["people"]["numbers"]) == MAX_PEOPLE
    last = frame(1, 0.1, {0: LEFT})
    made.update(replace(last, tracks=(replace(last.tracks[0], state=TrackState.ENDED),)))
    assert 0 not in made.state_dict()["people"]["numbers"]


def test_another_epoch_starts_anew() -> None:
    made = Actions(Place())
    actions_of(made, 0, 100.0, {1: LEFT})
    again = replace(frame(0, 0.0, {1: LEFT}, coasted=True), epoch=2)
    assert [track.action for track in made.update(again).tracks] == [None]


def test_a_snapshot_changes_nothing() -> None:
    frames = [
        frame(seq, seq / 15, {1: body(thigh=0.5 * np.sin(seq), at=(100 + 6 * seq, 300)), 2: body(1.5, 1.5)})
        for seq in range(45)
    ]
    whole = Actions(open_classifier("builtin"), "builtin")
    expected = [whole.update(one) for one in frames]
    parts = Actions(open_classifier("builtin"), "builtin")
    for place, one in enumerate(frames):
        state = unpack_state(pack_state({"actions": parts.state_dict()}))
        parts = Actions(open_classifier("builtin"), "builtin")
        parts.load_state(state["actions"])
        found = parts.update(one)
        assert [(track.action, track.action_score) for track in found.tracks] == [
            (track.action, track.action_score) for track in expected[place].tracks
        ]


def test_the_state_of_another_classifier_is_left_alone_and_a_damaged_one_refused() -> None:
    made = Actions(Place(), "place")
    made.update(frame(0, 0.0, {1: LEFT}))
    state = made.state_dict()
    other = Actions(Place(), "other")
    other.load_state(state)
    assert other.state_dict()["people"]["numbers"] == []
    state["people"]["poses_px"] = np.zeros((1, 5, 3), np.float32)
    with pytest.raises(ValueError, match="wrong shape"):
        Actions(Place(), "place").load_state(state)
