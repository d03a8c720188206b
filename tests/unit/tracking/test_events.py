from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
from unit.tracking.scenes import SECOND_NS, crowd, person, pose_frame, walk

from posebus.config.settings import TrackerSettings
from posebus.contract.snapshot import pack_state, unpack_state
from posebus.messages import Delivery, EndOfStream, Event, Renaming, Track, TrackFrame
from tracking import PoseTracker
from tracking.events import TrackEvents

BOX = np.array([1.0, 2.0, 3.0, 4.0], np.float32)


def frame(seq: int, **states: str) -> TrackFrame:
    """Tracks by number and state, `t1="lost"`, one frame a second; every track is as old as the stream."""
    tracks = tuple(Track(int(name[1:]), BOX, 0.9, None, state, float(seq)) for name, state in states.items())
    return TrackFrame("yard", 1, seq, seq * SECOND_NS, (640, 480), tracks)


def coasting(item: TrackFrame) -> TrackFrame:
    """`item` with all tracks coasted."""
    return replace(item, tracks=tuple(replace(track, coasted=True) for track in item.tracks))


def end(seq: int) -> EndOfStream:
    return EndOfStream("yard", 1, seq, seq * SECOND_NS, Delivery.LOSSLESS)


def summary(events: list[Event]) -> list[tuple[str, int, int]]:
    return [(event.type.rsplit(".", 1)[1], event.data["track_id"], event.seq) for event in events]


def events_of(*frames: TrackFrame) -> list[Event]:
    events = TrackEvents("yard")
    return [event for item in frames for event in events.update(item)]


def test_track_is_started_lost_and_ended_in_order() -> None:
    events = events_of(
        frame(0, t1="tentative"),
        frame(1, t1="confirmed"),
        frame(2, t1="confirmed"),
        frame(3, t1="lost"),
        frame(4, t1="lost"),
        frame(5, t1="confirmed"),
        frame(6, t1="lost"),
        frame(7, t1="ended"),
        frame(8),
    )
    assert summary(events) == [("started", 1, 1), ("lost", 1, 3), ("lost", 1, 6), ("ended", 1, 7)]
    last = events[-1]
    assert last.id == "yard/1/7/posebus.track.ended/1"
    assert (last.source, last.subject) == ("posebus/cameras/yard", "yard/tracks/1")
    assert (last.camera, last.epoch, last.time_ns) == ("yard", 1, 7 * SECOND_NS)
    assert last.data == {
        "track_id": 1,
        "first_seen_ns": 0,
        "last_seen_ns": 5 * SECOND_NS,
        "duration_s": 5.0,
        "box_xyxy_px": [1.0, 2.0, 3.0, 4.0],
        "reason": "unseen",
    }


def test_track_that_was_never_confirmed_has_no_events() -> None:
    assert events_of(frame(0, t1="tentative"), frame(1, t1="tentative"), frame(2, t1="ended")) == []


def test_coasted_track_is_not_lost_but_its_last_seen_time_stays() -> None:
    events = events_of(
        frame(0, t1="confirmed", t2="confirmed"),
        coasting(frame(1, t1="confirmed", t2="confirmed")),
        frame(2, t1="confirmed", t2="lost"),
        coasting(frame(3, t1="confirmed")),
        coasting(frame(4, t1="lost")),
        frame(5, t1="ended", t2="ended"),
    )
    assert summary(events) == [("started", 1, 0), ("started", 2, 0), ("lost", 2, 2), ("lost", 1, 4),
                            ("ended", 1, 5), ("ended", 2, 5)]  # fmt: skip
    assert [event.data["last_seen_ns"] // SECOND_NS for event in events[2:]] == [0, 2, 2, 0]
    assert events[3].data["duration_s"] == 2.0
    assert events[3].time_ns == 4 * SECOND_NS


def test_lost_track_that_is_not_reported_keeps_its_times() -> None:
    seen_until = [frame(0, t1="confirmed"), frame(1, t1="lost"), frame(2), frame(3)]
    assert summary(events_of(*seen_until, frame(4, t1="ended"))) == [("started", 1, 0), ("lost", 1, 1), ("ended", 1, 4)]
    again = events_of(*seen_until, frame(4, t1="confirmed"), frame(5, t1="lost"), frame(6))
    assert summary(again) == [("started", 1, 0), ("lost", 1, 1), ("lost", 1, 5)]
    assert again[-1].data["last_seen_ns"] == 4 * SECOND_NS


def test_stale_frame_without_tracks_loses_no_track() -> None:
    here, before = frame(1, t1="confirmed"), replace(frame(2), captured_at_ns=SECOND_NS // 2)
    assert summary(events_of(frame(0, t1="confirmed"), here, before, frame(3, t1="confirmed"))) == [("started", 1, 0)]


def test_end_of_source_ends_every_track_once() -> None:
    events = TrackEvents("yard")
    events.update(frame(0, t3="confirmed", t1="confirmed", t2="tentative"))
    events.update(frame(1, t3="confirmed", t1="lost", t2="tentative"))
    over = events.source_ended(end(2))
    assert summary(over) == [("ended", 1, 2), ("ended", 3, 2)]
    assert all(event.data["reason"] == "source ended" for event in over)
    assert events.source_ended(end(2)) == []


def test_restored_state_gives_the_same_events() -> None:
    frames = [frame(0, t1="confirmed", t2="confirmed"), frame(1, t1="lost"), frame(2, t1="lost", t2="ended")]
    events = TrackEvents("yard")
    published = events.update(frames[0])
    for item in frames[1:]:
        events = successor_of(events)
        published += events.update(item)
    assert published == events_of(*frames)


def test_snapshot_of_an_earlier_release_knows_no_times_and_is_continued() -> None:
    events = TrackEvents("yard")
    events.load_state({"lives": [[1, 0, SECOND_NS, False], [7, SECOND_NS, SECOND_NS, False]]})
    renamed, ended = events.update(renaming(frame(2, t1="confirmed"), (7, 1, 1)))
    assert (renamed.data["since_seq"], renamed.data["since_ns"]) == (1, 2 * SECOND_NS)
    assert ended.data["reason"] == "renamed"


def successor_of(events: TrackEvents) -> TrackEvents:
    """The events of a tracker that continues from the snapshot of one that was killed."""
    successor = TrackEvents("yard")
    successor.load_state(unpack_state(pack_state(events.state_dict())))
    return successor


def test_every_confirmed_identity_of_a_crowd_starts_once_and_ends_once() -> None:
    """Every event id is unique, and the same frames give the same events."""

    def replay() -> list[Event]:
        tracker, events = PoseTracker(), TrackEvents("yard")
        frames = crowd(np.random.default_rng(9), 12, 80, missing=0.4)
        published = [event for item in frames for event in events.update(tracker.update(item))]
        return published + events.source_ended(end(80))

    published = replay()
    assert published == replay()
    assert len({event.id for event in published}) == len(published)
    for track_id in {event.data["track_id"] for event in published}:
        kinds = [event.type.rsplit(".", 1)[1] for event in published if event.data["track_id"] == track_id]
        assert kinds[0] == "started"
        assert kinds[-1] == "ended"
        assert set(kinds[1:-1]) <= {"lost"}
    for event in published:
        json.dumps(event.data)


def test_person_who_goes_away_is_lost_and_then_ended_at_any_frame_rate() -> None:
    for fps in (0.7, 1.0, 5.0, 30.0):
        tracker, events = PoseTracker(), TrackEvents("yard")
        frames = [pose_frame([person(600, 300)] if seq < 3 else [], seq, seq / fps) for seq in range(int(7 * fps) + 4)]
        published = [event for item in frames for event in events.update(tracker.update(item))]
        assert [kind for kind, _, _ in summary(published)] == ["started", "lost", "ended"], fps
        assert {event.data["last_seen_ns"] for event in published[1:]} == {frames[2].captured_at_ns}


def test_first_seen_time_is_before_the_confirmation() -> None:
    tracker, events = PoseTracker(), TrackEvents("yard")
    score = TrackerSettings().certain_score - 0.05
    frames = [pose_frame(f.boxes_xyxy_px, f.seq, f.seq / 50, scores=[score]) for f in walk(range(10), 1, 1.0)]
    published = [event for item in frames for event in events.update(tracker.update(item))]
    assert summary(published)[0][:2] == ("started", 1)
    assert published[0].seq > 0
    assert published[0].data["first_seen_ns"] == 0


def renaming(item: TrackFrame, *renamed: tuple[int, int, int]) -> TrackFrame:
    """`item` with corrections from, to, since."""
    return replace(item, renamed=tuple(Renaming(*values) for values in renamed))


def times(event: Event) -> tuple[int, int]:
    return event.data["first_seen_ns"] // SECOND_NS, event.data["last_seen_ns"] // SECOND_NS


def test_exchange_is_announced_for_both_and_exchanges_the_times_since_then() -> None:
    """3 is present from frame 0 and 5 from frame 1; from frame 4 on their numbers are confused."""
    events = events_of(
        frame(0, t3="confirmed"),
        replace(frame(1, t3="confirmed", t5="confirmed"), tracks=(track(3, age_s=1), track(5, age_s=0))),
        *(frame(seq, t3="confirmed", t5="confirmed") for seq in (2, 3, 4)),
        frame(5, t3="confirmed", t5="lost"),
        renaming(frame(6, t3="lost", t5="confirmed"), (3, 5, 4), (5, 3, 4)),
        frame(7, t3="ended", t5="confirmed"),
        frame(8, t5="ended"),
    )
    assert summary(events[2:]) == [
        ("lost", 5, 5),
        ("renamed", 3, 6),
        ("renamed", 5, 6),
        ("ended", 3, 7),
        ("ended", 5, 8),
    ]
    assert events[3].data == {
        "track_id": 3,
        "renamed_to": 5,
        "since_seq": 4,
        "since_ns": 4 * SECOND_NS,
        "exchanged": True,
    }
    assert (events[3].id, events[3].subject) == ("yard/1/6/posebus.track.renamed/3", "yard/tracks/3")
    assert [times(event) for event in events[5:]] == [(0, 4), (1, 7)]


def track(number: int, age_s: float, state: str = "confirmed") -> Track:
    return Track(number, BOX, 0.9, None, state, age_s)


def test_new_track_that_is_a_lost_one_joins_its_life_and_ends_at_once() -> None:
    new = replace(frame(4, t1="lost"), tracks=(track(1, 4, "lost"), track(7, 0)))
    found = renaming(frame(5, t1="confirmed"), (7, 1, 4))
    events = events_of(frame(0, t1="confirmed"), frame(3, t1="lost"), new, found, frame(6, t1="ended"))
    assert summary(events) == [
        ("started", 1, 0),
        ("lost", 1, 3),
        ("started", 7, 4),
        ("renamed", 7, 5),
        ("ended", 7, 5),
        ("ended", 1, 6),
    ]
    assert (events[3].data["renamed_to"], events[3].data["exchanged"]) == (1, False)
    assert (events[4].data["reason"], events[4].data["renamed_to"], times(events[4])) == ("renamed", 1, (4, 4))
    assert (events[5].data["reason"], times(events[5])) == ("unseen", (0, 5))


def test_double_that_ends_with_its_renaming_is_ended_once() -> None:
    both = replace(frame(1), tracks=(track(1, 1), track(2, 0)))
    merged = renaming(frame(2, t1="confirmed", t2="ended"), (2, 1, 1))
    assert summary(events_of(frame(0, t1="confirmed"), both, merged)) == [
        ("started", 1, 0),
        ("started", 2, 1),
        ("renamed", 2, 2),
        ("ended", 2, 2),
    ]


def test_correction_of_a_track_that_was_never_announced_has_no_event() -> None:
    new = frame(2, t1="lost", t7="tentative")
    found = renaming(frame(3, t1="confirmed"), (7, 1, 2))
    assert summary(events_of(frame(0, t1="confirmed"), frame(1, t1="lost"), new, found)) == [
        ("started", 1, 0),
        ("lost", 1, 1),
    ]


def test_number_that_comes_back_by_a_correction_is_started_again() -> None:
    events = events_of(
        frame(0, t1="confirmed"),
        frame(1, t1="ended"),
        frame(2, t7="confirmed"),
        renaming(frame(3, t1="confirmed"), (7, 1, 2)),
    )
    assert summary(events[2:]) == [("started", 7, 2), ("renamed", 7, 3), ("ended", 7, 3), ("started", 1, 3)]


def test_people_present_are_the_numbers_started_and_not_ended_and_kills_change_nothing() -> None:
    """Random corrections; after each frame another tracker continues from the snapshot."""
    rng = np.random.default_rng(3)
    frames = [frame(0)]
    for seq in range(1, 200):
        ids = rng.choice(6, rng.integers(0, 6), replace=False) + 1
        states = {f"t{number}": str(rng.choice(["confirmed", "confirmed", "lost", "ended"])) for number in ids}
        first, second = (int(number) for number in rng.choice(6, 2, replace=False) + 1)
        since = max(seq - int(rng.integers(0, 3)), 0)
        changes = [(first, second, since)] if rng.random() < 0.3 else []
        changes += [(second, first, since)] if changes and rng.random() < 0.5 else []
        frames.append(renaming(frame(seq, **states), *changes))
    events, published = TrackEvents("yard"), []
    present: set[int] = set()
    for item in frames:
        events = successor_of(events)
        now = events.update(item)
        published += now
        for event in now:
            kind = event.type.rsplit(".", 1)[1]
            assert (event.data["track_id"] in present) != (kind == "started") or kind == "renamed"
            present ^= {event.data["track_id"]} if kind in {"started", "ended"} else set()
        assert {one.id for one in item.tracks if one.state == "confirmed"} <= present
        assert not {one.id for one in item.tracks if one.state == "ended"} & present
    assert published == events_of(*frames)
    assert len({event.id for event in published}) == len(published)
    assert {row[0] for row in events.state_dict()["lives"]} == present
