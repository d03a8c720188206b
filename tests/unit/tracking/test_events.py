from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
from unit.tracking.scenes import SECOND_NS, crowd, person, pose_frame, walk

from posebus.config.settings import TrackerSettings
from posebus.messages import Delivery, EndOfStream, Event, Track, TrackFrame
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
        successor = TrackEvents("yard")
        successor.load_state(json.loads(json.dumps(events.state_dict())))
        events = successor
        published += events.update(item)
    assert published == events_of(*frames)


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
