"""What rules about places remember: snapshots, corrections of numbers, tracks that vanish, and frames of any kind."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from unit.tracking.rules.walks import Walker, along, at_s, events_of, filmed, frame, kinds, rules_of, shifted, track

from posebus.messages import Event, Renaming, TrackFrame, TrackState
from tracking.rules import Rules

RULES = {
    "gate": {"kind": "line", "points": [[100, 300], [500, 300]]},
    "edge": {"kind": "line", "points": [[0.1, 0.98], [0.9, 0.98]]},
    "till": {"kind": "zone", "points": [[200, 200], [440, 200], [440, 400], [200, 400]], "dwell_s": 2, "max_people": 1},
    "door": {"kind": "zone", "points": [[0, 0], [0.2, 0], [0.2, 1], [0, 1]], "min_people": 1},
    "seat": {"kind": "loiter", "after_s": 2},
    "many": {"kind": "crowd", "people": 2, "for_s": 1},
    "near": {"kind": "proximity", "body_heights": 0.8, "for_s": 0.5},
    "post": {"kind": "absence", "people": 2, "for_s": 0.8},
}
GATE = {"gate": RULES["gate"]}


def fresh(rules: dict[str, dict[str, object]] = RULES) -> Rules:
    return rules_of(**rules)


def busy() -> list[TrackFrame]:
    walkers = [
        Walker(along((0, 60, 250), (3, 300, 260), (6, 300, 360), (9, 600, 300))),
        Walker(along((1, 400, 420), (4, 330, 270), (7, 100, 240)), begin_s=1, hidden=[(3, 3.5)]),
        Walker(along((2, 320, 200), (6, 320, 475)), begin_s=2, end_s=6),
    ]
    return filmed(walkers, 10, 10, sigma_px=2.0)


def restored(rules: Rules) -> Rules:
    """The same rules in another process."""
    other = fresh()
    other.load_state(json.loads(json.dumps(rules.state_dict(), allow_nan=False)))
    return other


def test_rules_go_on_in_another_process_with_the_same_events() -> None:
    frames = busy()
    expected = events_of(fresh(), frames)
    assert {event.data["kind"] for event in expected} == {rule["kind"] for rule in RULES.values()}
    rules, found = fresh(), []
    for one in frames:
        found += events_of(rules, [one])
        rules = restored(rules)
    assert found == expected


def test_what_is_remembered_of_people_ends_with_their_tracks() -> None:
    rules = fresh()
    events_of(rules, busy())
    ids = {int(number) for rule in rules.state_dict()["rules"].values() for number in rule["tracks"]}
    assert ids <= {1, 2}
    people = [track(number, (300.0, 300.0), state=TrackState.ENDED) for number in (1, 2)]
    events_of(rules, [frame(20.0, 200, people)])
    assert all(rule["tracks"] == {} for rule in rules.state_dict()["rules"].values())
    small = len(json.dumps(rules.state_dict()))
    assert small < 6000


def test_happenings_have_one_id_from_start_to_end() -> None:
    open_: dict[str, Event] = {}
    for event in events_of(fresh(), busy()):
        happening, phase = event.data["happening"], event.data["phase"]
        if phase in ("start", "once"):
            assert happening not in open_
            open_[happening] = event
        else:
            assert event.data["track_id"] == open_[happening].data["track_id"]
            assert event.data["rule"] == open_[happening].data["rule"]


def walked(numbers: dict[int, tuple[int, int]], renamed: dict[int, list[Renaming]]) -> list[Event]:
    """Two people cross the gate in opposite directions at 2 s; `numbers` of both, from a frame on."""
    down, up = along((0, 250, 240), (4, 250, 360)), along((0, 350, 360), (4, 350, 240))
    frames, now = [], (1, 2)
    for seq in range(60):
        now = numbers.get(seq, now)
        tracks = [track(number, path(seq / 10)) for number, path in zip(now, (down, up), strict=True) if number]
        frames.append(frame(seq / 10, seq, tracks, renamed.get(seq, ())))
    return events_of(fresh(GATE), frames)


def directions(events: list[Event]) -> list[tuple[int, str]]:
    return sorted((event.data["track_id"], event.data["direction"]) for event in events)


def test_a_person_under_a_new_number_that_is_corrected_crosses_once() -> None:
    plain = [(1, "a_to_b"), (2, "b_to_a")]
    assert directions(walked({}, {})) == plain
    # Lost before the line, found as another person who crosses, and corrected afterwards.
    after = walked({10: (0, 2), 13: (5, 2), 29: (1, 2)}, {29: [Renaming(5, 1, 13)]})
    assert directions(after) == [(2, "b_to_a"), (5, "a_to_b")]
    # The same, corrected before the crossing is settled, and long before.
    for corrected in (15, 21):
        found = walked({10: (0, 2), 13: (5, 2), corrected: (1, 2)}, {corrected: [Renaming(5, 1, 13)]})
        assert directions(found) == plain
    assert [event.data["counts"] for event in after][-1] == {"a_to_b": 1, "b_to_a": 1}


def test_people_whose_numbers_were_exchanged_for_a_moment_do_not_cross() -> None:
    frames = []
    for seq in range(40):
        numbers = (2, 1) if 20 <= seq < 22 else (1, 2)
        renamed = [Renaming(1, 2, 20), Renaming(2, 1, 20)] if seq == 22 else []
        tracks = [track(number, feet) for number, feet in zip(numbers, ((290, 270), (310, 330)), strict=True)]
        frames.append(frame(seq / 10, seq, tracks, renamed))
    assert events_of(fresh(GATE), frames) == []


def test_numbers_exchanged_while_both_cross_are_counted_once_each() -> None:
    exchanged = walked({19: (2, 1), 24: (1, 2)}, {24: [Renaming(1, 2, 19), Renaming(2, 1, 19)]})
    assert len(exchanged) <= 2
    counts = exchanged[-1].data["counts"] if exchanged else {"a_to_b": 0, "b_to_a": 0}
    assert max(counts.values()) <= 1


def test_a_cut_is_no_way_out_of_the_picture() -> None:
    walk = filmed([Walker(along((0, 300, 380), (2, 300, 478)))], 1.9, 10)
    last = walk[-1]
    end = frame(2.0, 20, [replace(last.tracks[0], state=TrackState.ENDED)])
    edge = {"edge": RULES["edge"]}
    for reason, expected in (("unseen", ["a_to_b"]), ("cut", [])):
        rules = fresh(edge)
        events = [event for one in walk for event in rules.update(one)] + rules.update(end, reason)
        assert [event.data["direction"] for event in events] == expected


def test_predicted_people_do_not_cross_or_enter() -> None:
    frames = filmed([Walker(along((0, 300, 100), (6, 300, 400)))], 8, 10)
    seen_s = 0.9  # where they really were, before line and zone
    frames = [
        one if at_s_of(one) < seen_s else replace(one, tracks=tuple(replace(each, coasted=True) for each in one.tracks))
        for one in frames
    ]
    rules = fresh({**GATE, "till": {key: value for key, value in RULES["till"].items() if key != "max_people"}})
    assert events_of(rules, frames) == []


def at_s_of(one: TrackFrame) -> float:
    return one.captured_at_ns / 1e9


def test_the_clock_of_the_camera_does_not_matter() -> None:
    frames = busy()
    at_once, later = (kinds(events_of(fresh(), shifted(frames, by_s))) for by_s in (0.0, 1_764_000_000.0))
    assert at_once == later


def test_a_stay_goes_on_after_a_gap_in_the_stream_only_if_the_person_is_seen_again() -> None:
    zone = {"till": {"kind": "zone", "points": RULES["till"]["points"], "dwell_s": 10}}
    inside = [frame(seq / 10, seq, [track(1, (300, 300))]) for seq in range(20)]
    again = [frame(30 + seq / 10, 20 + seq, [track(1, (300, 300))]) for seq in range(5)]
    assert kinds(events_of(fresh(zone), [*inside, *again])) == [("zone.entered", 1), ("zone.dwelled", 1)]
    gone = [frame(30.0, 20, [track(1, (300, 300), state=TrackState.ENDED)])]
    events = events_of(fresh(zone), [*inside, *gone])
    assert kinds(events) == [("zone.entered", 1), ("zone.left", 1)]
    assert events[-1].data["reason"] == "unseen"
    assert at_s(events[-1]) == 30.0


NUMBERS = st.integers(1, 4)
PEOPLE = st.tuples(
    NUMBERS,
    st.sampled_from(
        [TrackState.CONFIRMED, TrackState.CONFIRMED, TrackState.LOST, TrackState.ENDED, TrackState.TENTATIVE]
    ),
    st.tuples(st.floats(-100, 900), st.floats(-100, 700)),
    st.sampled_from([1e-3, 20.0, 120.0, 2000.0]),
    st.booleans(),
    st.booleans(),
)
FRAMES = st.lists(
    st.tuples(
        st.lists(PEOPLE, max_size=4, unique_by=lambda one: one[0]),
        st.sampled_from([-5.0, 0.0, 0.03, 0.1, 0.4, 3.0, 4000.0]),
        st.lists(st.tuples(NUMBERS, NUMBERS), max_size=2, unique_by=(lambda one: one[0], lambda one: one[1])),
        st.sampled_from([(640, 480), (640, 480), (640, 480), (1280, 720), (600, 480)]),
        st.booleans(),
    ),
    max_size=25,
)


@given(FRAMES)
def test_no_sequence_of_frames_stops_a_rule(drawn: list) -> None:
    rules, time_s, epoch = fresh(), 100.0, 1
    for seq, (people, step_s, corrections, size_px, keypoints) in enumerate(drawn):
        time_s = max(time_s + step_s, 0.0)
        epoch += step_s < 0
        tracks = [
            replace(
                track(number, feet, height, state=state, coasted=coasted),
                **({} if keypoints or joints else {"keypoints_px": None}),
            )
            for number, state, feet, height, coasted, joints in people
        ]
        renamed = [Renaming(one, other, max(seq - 3, 0)) for one, other in corrections if one != other]
        made = frame(time_s, seq, tracks, renamed)
        for event in rules.update(replace(made, size_px=size_px, epoch=epoch)):
            json.dumps(event.data, allow_nan=False)
            assert np.isfinite(event.data.get("duration_s", 0.0))
            assert event.data.get("since_ns", 0) <= event.time_ns
        assert rules.problems == {}
    json.dumps(rules.state_dict(), allow_nan=False)
