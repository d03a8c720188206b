"""The engine of rules: happenings, schedules, cool-downs, corrections, ends, and wrong rules in sentences."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import chain
from typing import Any

import numpy as np
import pytest

from posebus.errors import ConfigError
from posebus.messages import Delivery, EndOfStream, Renaming, Track, TrackFrame, TrackState
from tracking.rules import Memory, Phase, Place, Rules, RuleSpec, Scene, Step, engine, opened

ZONE = {"kind": "zone", "points": [[0, 0], [320, 0], [320, 480], [0, 480]]}
NOON_NS = 1_764_590_400 * 10**9
"""2025-12-01 12:00 UTC, a Monday."""


def track(number: int, x_px: float, state: TrackState = TrackState.CONFIRMED) -> Track:
    """A person of 30 x 100 pixels whose feet are at (x, 300)."""
    return Track(number, np.array([x_px - 15, 200, x_px + 15, 300], np.float32), 0.9, None, state, 1.0)


def frame(seq: int, *tracks: Track, start_ns: int = 0, **changes: Any) -> TrackFrame:
    """A frame at 10 frames a second."""
    return TrackFrame("yard", 1, seq, start_ns + seq * 100_000_000, (640, 480), tracks, **changes)


def types(events: Sequence[Any]) -> list[str]:
    return [event.type.removeprefix("posebus.") for event in events]


class Seen:
    """A rule of a package: an event once for each person, and one happening while anyone is in the picture."""

    def update(self, scene: Scene, memory: Memory) -> Iterator[Step]:
        for track_id in scene.ids:
            if track_id not in memory.tracks:
                memory.tracks[track_id] = {}
                yield Step("com.example.seen", Phase.ONCE, track_id, data={"number": len(memory.tracks)})
        if bool(scene.ids) != memory.whole.get("busy", False):
            memory.whole["busy"] = bool(scene.ids)
            yield Step("com.example.busy", Phase.START if scene.ids else Phase.END, None, end_type="com.example.busy")


@pytest.fixture
def packages(monkeypatch: pytest.MonkeyPatch) -> dict[str, RuleSpec]:
    """Kinds of rules that packages add."""
    added: dict[str, RuleSpec] = {"seen": RuleSpec("seen", lambda settings, place: Seen())}
    built_in = opened.all_rules()
    monkeypatch.setattr(opened, "all_rules", lambda: {**built_in, **added})
    monkeypatch.setattr("posebus.config.rules.reading.plugin_names", lambda group: frozenset(added))
    return added


def test_a_happening_has_one_id_from_its_start_to_its_end_and_events_say_what_they_are_about() -> None:
    rules = Rules({"till": {**ZONE, "dwell_s": 1}}, "yard", (640, 480))
    events = [event for seq in range(20) for event in rules.update(frame(seq, track(7, 100)))]
    events += [event for seq in range(20, 30) for event in rules.update(frame(seq, track(7, 500)))]
    assert types(events) == ["zone.entered", "zone.dwelled", "zone.left"]
    entered, dwelled, left = events
    assert {event.data["happening"] for event in events} == {entered.data["happening"]}
    assert [event.data["phase"] for event in events] == ["start", "update", "end"]
    assert (entered.data["rule"], entered.data["kind"], entered.data["track_id"]) == ("till", "zone", 7)
    assert entered.data["captured_at_ns"] == entered.time_ns == entered.seq * 100_000_000
    assert entered.data["box_xyxy_px"] == [85.0, 200.0, 115.0, 300.0]
    assert (entered.data["confidence"], dwelled.data["duration_s"]) == (0.9, 1.0)
    assert entered.subject == "yard/tracks/7"
    assert len({event.id for event in events}) == 3
    assert left.id == f"yard/1/{left.seq}/posebus.zone.left/till/7"


@pytest.mark.parametrize(
    ("state", "reason"), [(TrackState.ENDED, "unseen"), (None, "source ended"), (TrackState.LOST, None)]
)
def test_what_happens_to_a_track_ends_with_it(state: TrackState | None, reason: str | None) -> None:
    rules = Rules({"till": ZONE}, "yard", (640, 480))
    for seq in range(10):
        rules.update(frame(seq, track(7, 100)))
    if state is None:
        events = rules.end(EndOfStream("yard", 1, 10, 10**9, Delivery.LOSSLESS))
    else:
        events = rules.update(frame(10, track(7, 100, state)))
    assert [(event.type, event.data["reason"]) for event in events] == (
        [] if reason is None else [("posebus.zone.left", reason)]
    )
    if reason is not None:
        assert rules.state_dict()["rules"]["till"]["tracks"] == {}


def test_a_track_whose_end_nothing_reports_is_forgotten() -> None:
    rules = Rules({"till": ZONE}, "yard", (640, 480))
    for seq in range(10):
        rules.update(frame(seq, track(7, 100)))
    events = rules.update(frame(10 + 10 * round(engine.FORGOTTEN_S)))
    assert types(events) == ["zone.left"]


def test_a_rule_begins_nothing_out_of_its_schedule_and_ends_what_began_in_it() -> None:
    rules = Rules({"till": {**ZONE, "schedule": "11:00-12:00 UTC"}}, "yard", (640, 480))
    before = [rules.update(frame(seq, track(1, 100), start_ns=NOON_NS - 10**9)) for seq in range(9)]
    assert types([*chain(*before)]) == ["zone.entered"]
    after = [rules.update(frame(seq, track(2, 100), start_ns=NOON_NS)) for seq in range(9)]
    assert types([*chain(*after)]) == []
    gone = rules.update(frame(9, track(1, 100, TrackState.ENDED), track(2, 100, TrackState.ENDED), start_ns=NOON_NS))
    assert [(event.type, event.data["track_id"]) for event in gone] == [("posebus.zone.left", 1)]


def test_schedules_follow_the_clock_of_their_zone_over_the_change_to_winter_time() -> None:
    # 2026-10-25 in Berlin: at 03:00 summer time (01:00 UTC) the clock goes back to 02:00.
    rules = Rules({"till": {**ZONE, "schedule": "02:30-06:00 Europe/Berlin"}}, "yard", (640, 480))
    hours = {"00:15": 1_792_887_300, "00:45": 1_792_889_100, "04:45": 1_792_903_500, "05:15": 1_792_905_300}
    found = {}
    for number, (clock, at_s) in enumerate(hours.items(), start=1):
        events = [rules.update(frame(seq, track(number, 100), start_ns=at_s * 10**9)) for seq in range(6)]
        found[clock] = [kind for kind in types([*chain(*events)]) if kind != "zone.left"]
    assert found == {"00:15": [], "00:45": ["zone.entered"], "04:45": ["zone.entered"], "05:15": []}


def test_cooldown_counts_from_the_start_of_the_last_event() -> None:
    rules = Rules({"till": {**ZONE, "cooldown_s": 2}}, "yard", (640, 480))
    entered = []
    for seq in range(60):
        people = [track(number, 100) for number in range(1, 7) if seq >= 10 * (number - 1)]
        events = rules.update(frame(seq, *people))
        entered += [event.data["track_id"] for event in events if event.type == "posebus.zone.entered"]
    assert entered == [1, 3, 5]  # one person more each second


def test_exchanged_numbers_take_their_happenings_along() -> None:
    rules = Rules({"till": ZONE}, "yard", (640, 480))
    for seq in range(10):
        rules.update(frame(seq, track(1, 100), track(2, 500)))
    exchange = (Renaming(1, 2, 0), Renaming(2, 1, 0))
    events = [*rules.update(frame(10, track(2, 100), track(1, 500), renamed=exchange))]
    for seq in range(11, 20):
        events += rules.update(frame(seq, track(2, 100), track(1, 500)))
    assert events == []
    left = rules.update(frame(20, track(2, 100, TrackState.ENDED), track(1, 500)))
    assert [(event.type, event.data["track_id"]) for event in left] == [("posebus.zone.left", 2)]


@pytest.mark.parametrize("delay", [2, 4, 8, 15])
@pytest.mark.parametrize("meet_px", [320, 345, 295])
def test_two_people_who_were_confused_while_they_met_have_crossed_and_entered_once_each(
    delay: int, meet_px: int
) -> None:
    """Person 1 walks right and person 2 left; where they meet, their numbers are exchanged for `delay` frames."""
    rules = Rules({"till": ZONE, "gate": {"kind": "line", "points": [[320, 0], [320, 480]]}}, "yard", (640, 480))
    events: list[Any] = []
    for seq in range(61):
        one, two = meet_px + 9 * (seq - 25), meet_px - 9 * (seq - 25)
        wrong = 25 <= seq < 25 + delay
        people = (track(2, one), track(1, two)) if wrong else (track(1, one), track(2, two))
        renamed = (Renaming(1, 2, 25), Renaming(2, 1, 25)) if seq == 25 + delay else ()
        events += rules.update(frame(seq, *people, renamed=renamed))
    inside = dict.fromkeys((1, 2), 0)
    for event in events:
        step = {"posebus.zone.entered": 1, "posebus.zone.left": -1}.get(event.type, 0)
        inside[event.data["track_id"]] += step
    assert sum(inside.values()) == 1, "one of them is in the zone at the end"
    crossed = [(event.data["track_id"], event.data["direction"]) for event in events if event.data["kind"] == "line"]
    # The line leads down: its side a is the right half, to which person 1 walks.
    net = dict.fromkeys((1, 2), 0)
    for number, direction in crossed:
        net[number] += 1 if direction == "b_to_a" else -1
    assert sorted(direction for _, direction in crossed) in (["a_to_b", "b_to_a"], ["a_to_b"] * 2 + ["b_to_a"] * 2)
    if delay <= 4:
        assert net == {1: 1, 2: -1}
        assert inside == {1: 0, 2: 1}
        assert len(crossed) == 2


def test_a_person_who_was_counted_under_two_numbers_is_counted_once_after_the_correction() -> None:
    rules = Rules({"till": {**ZONE, "max_people": 1}}, "yard", (640, 480))
    events = []
    for seq in range(10):
        events += rules.update(frame(seq, track(1, 100)))
    for seq in range(10, 15):
        events += rules.update(frame(seq, track(1, 100, TrackState.LOST), track(9, 120)))
    events += rules.update(frame(15, track(1, 120), renamed=(Renaming(9, 1, 10),)))
    for seq in range(16, 26):
        events += rules.update(frame(seq, track(1, 120)))
    assert types(events) == ["zone.entered", "zone.entered", "zone.left"]
    left = events[-1].data
    assert (left["track_id"], left["reason"], left["renamed_to"]) == (9, "renamed", 1)


def test_rules_go_on_from_their_state_after_every_frame(packages: dict[str, RuleSpec]) -> None:
    settings = {"till": {**ZONE, "dwell_s": 0.5}, "door": {"kind": "line", "points": [[320, 0], [320, 480]]}}
    settings["one"] = {"kind": "seen"}
    frames = [frame(seq, track(1, 40 + 12 * seq), track(2, 600 - 11 * seq)) for seq in range(50)]
    frames.append(frame(50, track(1, 640, TrackState.ENDED)))
    whole = Rules(settings, "yard", (640, 480))
    expected = [whole.update(one) for one in frames]
    assert sum(map(len, expected)) > 10
    state = json.dumps(Rules(settings, "yard", (640, 480)).state_dict())
    for one, events in zip(frames, expected, strict=True):
        rules = Rules(settings, "yard", (640, 480))
        rules.load_state(json.loads(state))
        assert rules.update(one) == events
        state = json.dumps(rules.state_dict())


def test_a_rule_with_other_settings_begins_anew_after_what_was_happening_has_ended_and_the_others_go_on() -> None:
    before = Rules({"till": ZONE, "bay": ZONE}, "yard", (640, 480))
    for seq in range(10):
        before.update(frame(seq, track(1, 100)))
    after = Rules({"till": ZONE, "bay": {**ZONE, "dwell_s": 5}}, "yard", (640, 480))
    after.load_state(json.loads(json.dumps(before.state_dict())))
    events = [event for seq in range(10, 20) for event in after.update(frame(seq, track(1, 100)))]
    assert [(event.type, event.data["rule"]) for event in events] == [
        ("posebus.zone.left", "bay"),
        ("posebus.zone.entered", "bay"),
    ]
    left, entered = events
    assert (left.data["reason"], left.data["track_id"]) == ("rules changed", 1)
    assert left.data["happening"] != entered.data["happening"]


@pytest.mark.parametrize("state", [{}, {"version": 2}, {"version": 1, "rules": {"till": {}}}])
def test_an_invalid_state_is_refused(state: dict[str, Any]) -> None:
    with pytest.raises((KeyError, TypeError, ValueError)):
        Rules({"till": ZONE}, "yard", (640, 480)).load_state(state)


def test_rules_of_packages_have_types_of_their_own(packages: dict[str, RuleSpec]) -> None:
    rules = Rules({"one": {"kind": "seen"}}, "yard", (640, 480))
    events = rules.update(frame(0, track(4, 100)))
    assert [event.type for event in events] == ["com.example.seen", "com.example.busy"]
    assert events[0].id == "yard/1/0/com.example.seen/one/4"
    assert types(rules.end(EndOfStream("yard", 1, 1, 10**9, Delivery.LOSSLESS))) == ["com.example.busy"]


class Failing:
    """A rule that does something wrong in its third frame."""

    def __init__(self, wrong: Any) -> None:
        self._wrong = wrong
        self._frames = 0

    def update(self, scene: Scene, memory: Memory) -> Sequence[Step]:
        self._frames += 1
        if self._frames < 3:
            return []
        if isinstance(self._wrong, Exception):
            raise self._wrong
        if isinstance(self._wrong, Step):
            return [self._wrong]
        memory.whole["x"] = self._wrong
        return []


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        (ZeroDivisionError("x"), "ZeroDivisionError"),
        (Step("posebus.zone.entered", Phase.ONCE, None), "is not allowed"),
        (Step("com.example.a", Phase.ONCE, None, data={"x": float("nan")}), "JSON"),
        (Step("com.example.a", Phase.ONCE, None, data={"x": {1}}), "JSON"),
        ({1, 2}, "JSON"),
    ],
)
def test_a_rule_of_a_package_that_fails_is_off_and_the_others_go_on(
    packages: dict[str, RuleSpec], wrong: Any, says: str
) -> None:
    packages["failing"] = RuleSpec("failing", lambda settings, place: Failing(wrong))
    rules = Rules({"bad": {"kind": "failing"}, "till": ZONE}, "yard", (640, 480))
    events = [event for seq in range(10) for event in rules.update(frame(seq, track(1, 100)))]
    assert types(events) == ["zone.entered"]
    assert list(rules.problems) == ["bad"]
    assert rules.problems["bad"].startswith("rule bad is off because it failed: ")
    assert says in rules.problems["bad"]
    json.dumps(rules.state_dict())


def test_fields_of_other_packages_reach_them(packages: dict[str, RuleSpec]) -> None:
    given: list[Any] = []

    def opened(settings: Any, place: Place) -> Seen:
        given.append((settings.model_extra, place.camera, place.rule, place.size_px))
        if "far" in settings.model_extra:
            raise ConfigError("the field far is not known")
        return Seen()

    packages["mine"] = RuleSpec("mine", opened)
    Rules({"one": {"kind": "mine", "near": 3}}, "yard", (640, 480))
    assert given == [({"near": 3}, "yard", "one", (640, 480))]
    with pytest.raises(ConfigError, match=r"^rule one: the field far is not known$"):
        Rules({"one": {"kind": "mine", "far": 3}}, "yard", (640, 480))


@pytest.mark.parametrize(
    ("rule", "says"),
    [
        ({"kind": "zone", "points": [[0, 0], [100, 100], [100, 0], [0, 100]]}, "must not cross itself"),
        ({"kind": "zone", "points": [[0, 0], [100, 100]]}, "at least 3 points"),
        ({"kind": "zone", "points": [[0, 0], [700, 0], [700, 100]]}, "outside the picture"),
        ({"kind": "zone", "points": [[0, 0], [-5, 0], [7, 100]]}, "must lie in the picture"),
        ({"kind": "zone"}, "points: is required and missing"),
        ({"kind": "line", "points": [[0, 0], [100, 100], [100, 0]]}, "must be two points"),
        ({"kind": "line", "points": [[5, 5], [5, 5]]}, "two different points"),
        (
            {"kind": "zon", "points": []},
            "'zon', which does not exist; did you mean 'zone'? The kinds are",
        ),
        ({"kind": "x", "points": []}, "is of the kind 'x', which does not exist; kinds are zone, line,"),
        ({"points": []}, "has no kind"),
        ("zone", "must be a rule with its kind"),
        ({**ZONE, "dwel_s": 3}, "dwel_s: there is no such field; did you mean 'dwell_s'?"),
        ({**ZONE, "settle_s": 3}, "settle_s: there is no such field"),
        ({**ZONE, "dwell_s": -3}, "greater than 0"),
        ({**ZONE, "schedule": "09:00-17:00 Europe/Berln"}, "which is not known"),
        ({**ZONE, "schedule": "25:00-17:00 UTC"}, "no time of the day"),
    ],
)
def test_wrong_rules_are_refused_in_one_sentence_that_names_them(rule: Any, says: str) -> None:
    with pytest.raises(ConfigError) as caught:
        Rules({"till": rule}, "yard", (640, 480))
    assert str(caught.value).startswith("rule till")
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)
    lenient = Rules({"till": rule, "good": ZONE}, "yard", (640, 480), skip_wrong=True)
    assert list(lenient.problems) == ["till"]
    events = [event for seq in range(6) for event in lenient.update(frame(seq, track(1, 100)))]
    assert [event.data["rule"] for event in events] == ["good"]


def test_pictures_of_another_size_switch_off_only_what_lies_outside_of_them() -> None:
    rules = Rules({"px": ZONE, "parts": {"kind": "zone", "points": [[0, 0], [1, 0], [1, 1]]}}, "yard", (640, 480))
    rules.update(frame(0, track(1, 100)))
    small = replace(frame(1, track(1, 100)), size_px=(320, 240))
    rules.update(small)
    assert list(rules.problems) == ["px"]
    rules.update(frame(2, track(1, 100)))
    assert rules.problems == {}


def test_a_frame_of_another_camera_is_refused() -> None:
    with pytest.raises(ValueError, match="was given to the rules of camera"):
        Rules({"till": ZONE}, "yard", (640, 480)).update(replace(frame(0), camera="door"))
