"""Loitering, crowds, people close to each other, and absence: the same events at every frame rate."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from unit.tracking.rules.walks import Walker, along, at_s, events_of, filmed, frame, kinds, rules_of, since_s, track

from posebus.messages import Event, Renaming
from tracking.rules.areas.proximity import MOST_PAIRS

RATES = (5, 10, 15, 30)
FLOOR = [[200, 200], [440, 200], [440, 400], [200, 400]]


def play(rule: Mapping[str, Any], walkers: Sequence[Walker], seconds: float, fps: float, seed: int = 0) -> list[Event]:
    return events_of(rules_of(rule=rule), filmed(walkers, seconds, fps, sigma_px=2.0, seed=seed))


def stands(x: float, y: float, **fields: Any) -> Walker:
    return Walker(along((0, x, y)), **fields)


@pytest.mark.parametrize("fps", RATES)
def test_a_person_who_stays_about_the_same_place_loiters(fps: float) -> None:
    rule = {"kind": "loiter", "after_s": 5, "radius": 1.0}
    paces = Walker(
        along(*[(second, 300 + 30 * (second % 2), 300) for second in range(12)], (12, 330, 300), (16, 20, 300))
    )
    walks = Walker(along((0, 30, 400), (16, 620, 400)))
    began, ended = play(rule, [paces, walks], 16, fps)
    assert kinds([began, ended]) == [("loiter.detected", 1), ("loiter.ended", 1)]
    assert since_s(began) == 0.0
    assert at_s(began) == pytest.approx(5.0, abs=0.11 + 1 / fps)
    assert began.data["happening"] == ended.data["happening"]
    assert 12.5 < at_s(ended) < 14.5  # it takes some seconds to walk a body height


@pytest.mark.parametrize("fps", RATES)
def test_who_walks_to_and_fro_in_a_zone_dwells_there_but_does_not_loiter(fps: float) -> None:
    rule = {"kind": "loiter", "points": FLOOR, "after_s": 4, "radius": 0.5}
    wide = Walker(along(*[(2 * turn, 220 + 200 * (turn % 2), 300) for turn in range(10)]))
    leaves = Walker(along((0, 230, 350), (3, 230, 350), (4, 100, 350)))
    assert play(rule, [wide, leaves], 16, fps) == []


@pytest.mark.parametrize("fps", RATES)
def test_loitering_in_a_zone_ends_when_the_person_leaves_it(fps: float) -> None:
    rule = {"kind": "loiter", "points": FLOOR, "after_s": 3, "radius": 5}
    began, ended = play(rule, [Walker(along((0, 410, 300), (6, 410, 300), (8, 560, 300)))], 10, fps)
    assert kinds([began, ended]) == [("loiter.detected", 1), ("loiter.ended", 1)]
    assert ended.data["duration_s"] == pytest.approx(6.5, abs=0.3 + 1 / fps)


@pytest.mark.parametrize("fps", RATES)
def test_a_crowd_has_enough_people_for_long_enough(fps: float) -> None:
    rule = {"kind": "crowd", "points": FLOOR, "people": 3, "for_s": 2}
    walkers = [
        stands(230, 300),
        stands(300, 350, hidden=[(5, 5.7)]),
        Walker(along((1, 100, 250), (3, 360, 250), (8, 360, 250), (10, 100, 250))),
        stands(500, 300),
    ]
    began, ended = play(rule, walkers, 13, fps)
    assert kinds([began, ended]) == [("crowd.detected", None), ("crowd.ended", None)]
    assert (began.data["people"], ended.data["people"]) == (3, 2)
    assert since_s(began) == pytest.approx(1.77, abs=0.1 + 1 / fps)
    assert at_s(began) == pytest.approx(since_s(began) + 2, abs=1 / fps + 0.001)
    assert at_s(ended) == pytest.approx(9.23 + 1.0, abs=0.2 + 1 / fps)


@pytest.mark.parametrize("fps", RATES)
def test_a_crowd_of_a_moment_is_none(fps: float) -> None:
    rule = {"kind": "crowd", "people": 2, "for_s": 2}
    assert play(rule, [stands(200, 300), stands(400, 300, begin_s=3, end_s=4.5)], 9, fps) == []


@pytest.mark.parametrize("fps", RATES)
def test_two_people_are_close_in_body_heights(fps: float) -> None:
    rule = {"kind": "proximity", "body_heights": 0.5, "for_s": 1}
    comes = Walker(along((1, 100, 300), (4, 270, 300), (7, 270, 300), (9, 100, 300)))
    began, ended = play(rule, [stands(300, 300), comes, stands(420, 300)], 12, fps)
    assert kinds([began, ended]) == [("proximity.detected", 1), ("proximity.ended", 1)]
    assert began.data["other_track_id"] == ended.data["other_track_id"] == 2
    assert (began.data["pairs"], began.data["body_heights"] < 0.55) == (1, True)
    assert since_s(began) == pytest.approx(3.47, abs=0.15 + 1 / fps)
    tall = play(rule, [stands(300, 300, height_px=60.0), stands(335, 300, height_px=240.0)], 4, fps)
    assert tall == []  # 35 pixels are more than half of the smaller person


def test_two_people_pass_each_other() -> None:
    rule = {"kind": "proximity", "body_heights": 0.5, "for_s": 2}
    walkers = [Walker(along((0, 50, 300), (8, 590, 300))), Walker(along((0, 590, 320), (8, 50, 320)))]
    for fps in RATES:
        assert play(rule, walkers, 8, fps) == []


def test_close_people_stay_one_happening_while_their_numbers_are_corrected() -> None:
    rules = rules_of(near={"kind": "proximity", "body_heights": 0.5, "for_s": 1})
    frames = []
    for seq in range(80):
        numbers = (5, 7) if seq < 20 else (5, 3) if seq < 40 else (2, 3)
        renamed = {20: [Renaming(7, 3, 15)], 40: [Renaming(5, 2, 30)]}.get(seq, [])
        tracks = (
            [track(numbers[0], (300, 300)), track(numbers[1], (330, 300))]
            if seq < 50
            else [track(numbers[0], (300, 300))]
        )
        frames.append(frame(seq / 10, seq, tracks, renamed))
    began, ended = events_of(rules, frames)
    assert began.data["happening"] == ended.data["happening"]
    assert (began.data["track_id"], began.data["other_track_id"]) == (5, 7)
    assert (ended.data["track_id"], ended.data["other_track_id"]) == (2, 3)


def test_of_a_dense_crowd_a_bounded_number_of_pairs_has_events_that_say_how_many_there_are() -> None:
    rules = rules_of(near={"kind": "proximity", "body_heights": 0.5, "for_s": 0.5})
    people = [track(number, (100 + 2 * (number % 20), 300 + 2 * (number // 20))) for number in range(200)]
    dense = [frame(seq / 10, seq, people) for seq in range(10)]
    began = events_of(rules, dense)
    assert kinds(began) == [("proximity.detected", 0)] * MOST_PAIRS  # person 0 is close to 199 others
    assert {event.data["pairs"] for event in began} == {200 * 199 // 2}
    # Person 0 goes: its pairs end after a second, and those of person 1 are next.
    after = [frame(1 + seq / 10, 10 + seq, people[1:]) for seq in range(30)]
    later = kinds(events_of(rules, after))
    assert later[:MOST_PAIRS] == [("proximity.ended", 0)] * MOST_PAIRS
    assert later[MOST_PAIRS:] == [("proximity.detected", 1)] * MOST_PAIRS
    assert len(rules.state_dict()["rules"]["near"]["tracks"]) == 1


@pytest.mark.parametrize("fps", RATES)
def test_a_post_without_people_is_reported_also_from_the_start(fps: float) -> None:
    rule = {"kind": "absence", "points": FLOOR, "for_s": 4}
    comes = Walker(along((0, 100, 300), (6, 100, 300), (8, 300, 300), (11, 300, 300), (12, 100, 300)))
    events = play(rule, [comes, stands(550, 300)], 20, fps)
    assert kinds(events) == [("absence.detected", None), ("absence.ended", None), ("absence.detected", None)]
    assert since_s(events[0]) == 0.0
    assert at_s(events[0]) == pytest.approx(4.0, abs=0.001 + 1 / fps)
    assert since_s(events[2]) == pytest.approx(11.5, abs=0.1 + 1 / fps)


def test_absence_needs_pictures_of_the_place() -> None:
    rule = {"kind": "absence", "for_s": 10}
    times_s = [*range(5), *range(300, 305)]  # five minutes without pictures
    frames = [frame(time_s, seq) for seq, time_s in enumerate(times_s)]
    assert events_of(rules_of(post=rule), frames) == []
    slow = [frame(60.0 * seq, seq) for seq in range(3)]  # a picture a minute is all that this camera sends
    assert kinds(events_of(rules_of(post=rule), slow)) == [("absence.detected", None)]
    rules = rules_of(post=rule)
    events = [event for seq in range(14) for event in rules.update(frame(seq, seq), "cut" if seq == 7 else "unseen")]
    assert events == []  # the picture before the cut showed another place


@pytest.mark.parametrize("kind", ["zone", "loiter", "crowd", "absence", "proximity"])
def test_time_that_stands_still_or_goes_back_adds_nothing(kind: str) -> None:
    rule = {
        "zone": {"kind": "zone", "points": FLOOR, "dwell_s": 5},
        "loiter": {"kind": "loiter", "after_s": 5},
        "crowd": {"kind": "crowd", "people": 2, "for_s": 5},
        "absence": {"kind": "absence", "people": 3, "for_s": 5},
        "proximity": {"kind": "proximity", "for_s": 5, "body_heights": 0.5},
    }[kind]
    people = [track(1, (300, 300)), track(2, (330, 300))]
    times_s = [100.0, 101.0, 102.0, *[102.0] * 10, 1.0, 1.5, 2.0, 2.5]  # 3.5 s have passed
    events = events_of(rules_of(rule=rule), [frame(time_s, seq, people) for seq, time_s in enumerate(times_s)])
    assert [event for event in events if not event.type.endswith("entered")] == []
    later = [frame(time_s, seq, people) for seq, time_s in enumerate([*times_s, 3.0, 3.5, 4.0])]
    assert len(events_of(rules_of(rule=rule), later)) > len(events)
