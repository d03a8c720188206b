"""Running, raised hands, crouching and actions: stick figures whose doings are written in the script of each scene."""

from __future__ import annotations

import json

import numpy as np
import pytest

from benchmarks.rules.doings import RATES, RULES, found_in, lateral, posture, scene_of
from benchmarks.rules.figures import Body, FigureScene, Person, between, gait, still
from posebus.messages import Event, Track, TrackFrame
from tracking.rules import Rules

SEEDS = (1000, 1001)
"""The first ones of a thousand that no figure was fitted on."""


def starts(made: FigureScene, fps: float) -> list[tuple[str, int]]:
    """Rules and tracks of all events that begin something."""
    return [(rule, track) for rule, track, phase in found_in(made, fps) if phase == "start"]


@pytest.mark.parametrize("kind", ["run_lateral", "run_towards"])
def test_runners_are_found_at_any_frame_rate(kind: str) -> None:
    for seed, fps in zip((*SEEDS, *SEEDS), RATES, strict=True):
        assert starts(scene_of(kind, seed), fps) == [("running", 1)], (seed, fps)


@pytest.mark.parametrize("kind", ["walk_lateral", "walk_towards", "stand_switch", "stand_panned"])
def test_walking_and_exchanged_numbers_and_a_camera_that_turns_are_no_running(kind: str) -> None:
    for seed, fps in zip(SEEDS, (5.0, 15.0), strict=True):
        assert starts(scene_of(kind, seed), fps) == [], (seed, fps)


def test_a_runner_is_found_while_the_camera_turns() -> None:
    assert starts(scene_of("run_panned", 1000), 10.0) == [("running", 1)]


def test_running_is_the_speed_on_the_floor_where_there_is_a_ground_plane() -> None:
    made = lateral("run_lateral", 1000, 3.0, 3.1)
    for speed_m_s, expected in ((1.9, []), (2.6, ["posebus.running.detected"])):
        rules = Rules({"it": {"kind": "running"}}, "figures", made.size_px)
        frames = [
            TrackFrame(one.camera, 1, one.seq, one.captured_at_ns, one.size_px, tuple(_fast(one.tracks, speed_m_s)))
            for one in made.frames(15.0)
        ]
        found = [event for frame in frames for event in rules.update(frame)]
        assert [event.type for event in found][:1] == expected
        assert all(event.data["speed_m_s"] == 2.6 for event in found[:1])


def test_running_ends_when_the_person_stops() -> None:
    def place(at_s: float) -> tuple[float, float, float]:
        return 100.0 + 300.0 * min(at_s, 3.0), 600.0, 150.0

    runs, stands = gait(3.4, 0.0), still(Body())
    person = Person(1, lambda at_s: runs(at_s) if at_s < 3.0 else stands(at_s), place)
    for fps in RATES:
        assert found_in(FigureScene("stops", (1280, 720), [person], 7), fps) == [
            ("running", 1, "start"),
            ("running", 1, "end"),
        ]


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("hands_up", [("hands_up", 1)]),
        ("hands_up_one_hidden", [("hands_up", 1)]),
        ("hands_up_arm_hidden", []),
        ("one_hand_up", []),
        ("scratch_head", []),
        ("crouch", [("crouch", 1)]),
        ("sit_chair", []),
        ("bend", []),
    ],
)
def test_hands_up_and_crouching_are_what_the_script_says(kind: str, expected: list[tuple[str, int]]) -> None:
    for seed, fps in zip(SEEDS, (5.0, 15.0), strict=True):
        assert starts(scene_of(kind, seed), fps) == expected, (seed, fps)


def test_hands_up_begins_after_its_time_and_ends_with_it() -> None:
    up = Body(arms=(2.9, 2.9))
    person = Person(1, between(Body(), up, 2.0, 4.4, moves_s=0.01), lambda _: (640.0, 600.0, 300.0))
    made = FigureScene("up", (1280, 720), [person], 5, missing=0.0)
    rules = Rules({"it": RULES["hands_up"]}, "figures", made.size_px)
    start, end = [event for frame in made.frames(20.0) for event in rules.update(frame)]
    assert start.data["happening"] == end.data["happening"]
    assert (start.time_ns - 1_000_000_000) / 1e9 == pytest.approx(3.0, abs=0.11)
    assert (end.time_ns - 1_000_000_000) / 1e9 == pytest.approx(4.4 + 0.5, abs=0.11)


def test_a_state_taken_up_in_the_middle_of_a_run_gives_the_same_events() -> None:
    made = scene_of("run_towards", 1000)
    whole, first, second = (Rules(RULES, "figures", made.size_px) for _ in range(3))
    frames = list(made.frames(10.0))
    expected = [event.id for frame in frames for event in whole.update(frame)]
    for cut in (3, 12, 30):
        found = [event.id for frame in frames[:cut] for event in first.update(frame)]
        second.load_state(json.loads(json.dumps(first.state_dict())))
        found += [event.id for frame in frames[cut:] for event in second.update(frame)]
        assert found == expected != []
        first, second = (Rules(RULES, "figures", made.size_px) for _ in range(2))


def _acting(actions: list[tuple[str | None, float | None]], labels: list[str]) -> list[Event]:
    rules = Rules({"it": {"kind": "action", "labels": labels, "for_s": 1.0}}, "figures", (640, 480))
    found = []
    for seq, (action, score) in enumerate(actions):
        box = np.array([280.0, 100.0, 360.0, 340.0], np.float32)
        track = Track(1, box, 0.9, None, "confirmed", seq / 10, action=action, action_score=score)
        frame = TrackFrame("figures", 1, seq, 1_000_000_000 + seq * 100_000_000, (640, 480), (track,))
        found += rules.update(frame)
    return found


def test_an_action_begins_after_its_time_and_ends_half_a_second_after_another_one() -> None:
    walks, sits = ("Walking", 0.8), ("Sitting", 0.7)
    start, end = _acting([walks] * 10 + [sits] * 20 + [(None, None)] * 10, ["sitting"])
    assert (start.type, end.type) == ("posebus.action.detected", "posebus.action.ended")
    assert start.data["action"] == "Sitting"
    assert start.data["confidence"] == 0.7
    assert start.data["since_ns"] == 2_000_000_000
    assert start.time_ns == 3_000_000_000
    assert end.time_ns == 4_500_000_000


def test_other_actions_and_short_ones_and_tracks_without_one_begin_nothing() -> None:
    walks, sits, nothing = ("Walking", 0.8), ("Sitting", 0.7), (None, None)
    assert _acting([walks] * 20 + [sits] * 9 + [walks] * 20 + [nothing] * 20, ["Sitting", "Fallen"]) == []


def test_a_person_without_keypoints_has_no_hands_up_and_does_not_crouch() -> None:
    for doing in (Body(arms=(2.9, 2.9)), Body((1.75, 1.75), (2.35, 2.35), down=0.33)):
        made = posture("boxes", 1000, doing, lasts_s=2.5)
        made.keypoints = False
        assert starts(made, 10.0) == []


def _fast(tracks: tuple[Track, ...], speed_m_s: float) -> list[Track]:
    return [
        Track(one.id, one.box_xyxy_px, one.score, one.keypoints_px, one.state, one.age_s, speed_m_s=speed_m_s)
        for one in tracks
    ]
