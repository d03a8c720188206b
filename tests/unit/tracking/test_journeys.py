"""The finished track as one event: its path, distance, best moment, zones and lines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from unit.tracking.walks import frame_of, ground, track, walk

from posebus.contract.events import EVENT_BYTES, TABLE, published
from posebus.contract.public_json import ENTRY_BYTES, dump, event_fields, event_to_json
from posebus.contract.snapshot import pack_state, unpack_state
from posebus.messages import Delivery, EndOfStream, Event, EventType, Renaming, TrackFrame, TrackState
from tracking.events import Journeys, TrackEvents
from tracking.events.path import MAX_POINTS, PathPoint, simplified, with_point
from tracking.ground.floor import Floor

FPS = 10
BOX = np.array([100.0, 100.0, 150.0, 250.0])


class Camera:
    """Lives and journeys of one camera, as its tracker derives them."""

    def __init__(self) -> None:
        self.lives, self.journeys = TrackEvents("yard"), Journeys("yard")

    def take(self, frames: Sequence[TrackFrame], rules: dict[int, list[Event]] | None = None) -> list[Event]:
        """The finished events of these frames; `rules`: the events of rules by seq."""
        found = []
        for frame in frames:
            lives = self.lives.update(frame)
            self.journeys.see(frame)
            self.journeys.note((rules or {}).get(frame.seq, []))
            found += self.journeys.finished(lives, frame)
        return found

    def end(self, seq: int) -> list[Event]:
        mark = EndOfStream("yard", 1, seq, round(seq / FPS * 1e9), Delivery.LOSSLESS)
        return self.journeys.finished(self.lives.source_ended(mark))

    def taken_over(self) -> Camera:
        other = Camera()
        other.lives.load_state(unpack_state(pack_state(self.lives.state_dict())))
        other.journeys.load_state(unpack_state(pack_state(self.journeys.state_dict())))
        return other


def moving(seconds: float, step_px: float = 20.0, number: int = 1, first: int = 0) -> list[TrackFrame]:
    """A person who goes to the right by `step_px` a frame, then the frame that ends the track."""
    frames = []
    for seq in range(first, first + round(seconds * FPS)):
        box = BOX + step_px * seq * np.array([1.0, 0.0, 1.0, 0.0])
        frames.append(frame_of([track(box, None, number=number, age_s=(seq - first) / FPS)], seq, seq / FPS))
    return frames


def ended(frame: TrackFrame, seq: int) -> TrackFrame:
    last = replace(frame.tracks[0], state=TrackState.ENDED, coasted=True)
    return frame_of([last], seq, seq / FPS)


def rule(kind: EventType, name: str, seq: int, number: int = 1, **data: object) -> Event:
    at_ns = round(seq / FPS * 1e9)
    return Event(f"{kind}{seq}", kind, "s", "s", at_ns, "yard", 1, seq, {"rule": name, "track_id": number, **data})


def test_a_finished_track_says_where_it_was_and_for_how_long() -> None:
    frames = moving(3.0)
    (event,) = Camera().take([*frames, ended(frames[-1], 30)])
    assert (event.type, event.id) == (EventType.TRACK_FINISHED, "yard/1/30/posebus.track.finished/1")
    data = event.data
    assert data.keys() <= TABLE[EventType.TRACK_FINISHED].data.keys()
    assert (data["track_id"], data["reason"], data["duration_s"]) == (1, "unseen", 2.9)
    assert (data["first_seen_ns"], data["last_seen_ns"]) == (0, 2_900_000_000)
    assert data["path"][0] == [0.0, 125, 250]  # the middle of the lower edge of the box
    # Each third frame is the first after a quarter of a second.
    assert data["path"][-1] == [2.7, 125 + 27 * 20, 250]
    assert data["distance_px"] == pytest.approx(27 * 20, abs=20)
    assert (data["zones"], data["lines"]) == ([], [])
    assert "distance_m" not in data


def test_a_track_that_was_never_confirmed_has_no_journey() -> None:
    frames = [replace(one, tracks=(replace(one.tracks[0], state=TrackState.TENTATIVE),)) for one in moving(1.0)]
    camera = Camera()
    assert camera.take([*frames, ended(frames[-1], 10)]) == []
    assert len(camera.journeys.state_dict()["ids"]) == 0


def test_the_end_of_a_source_finishes_all_tracks() -> None:
    camera = Camera()
    camera.take(moving(1.0))
    (event,) = camera.end(10)
    assert (event.data["reason"], event.data["path"][-1][0]) == ("source ended", 0.9)
    assert camera.end(11) == []


def test_the_best_moment_is_the_large_and_free_one_inside_the_picture() -> None:
    frames = []
    for seq in range(20):
        height = 100.0 + 10 * seq
        person = track(np.array([400.0, 600 - height, 400 + height / 3, 600.0]), None)
        tracks = [person]
        if seq >= 12:  # a larger person stands before them
            tracks.append(track(np.array([380.0, 100.0, 600.0, 700.0]), None, number=2))
        frames.append(frame_of(tracks, seq, seq / 2))
    (event,) = (one for one in Camera().take([*frames, ended(frames[-1], 20)]) if one.data["track_id"] == 1)
    assert event.data["best"] == {
        "epoch": 1,
        "seq": 11,
        "captured_at_ns": 5_500_000_000,
        "box_xyxy_px": [400.0, 390.0, 470.0, 600.0],
    }


def test_zones_and_lines_come_from_the_events_of_rules() -> None:
    frames = moving(5.0)
    events = {
        5: [rule(EventType.ZONE_ENTERED, "till", 5), rule(EventType.ZONE_ENTERED, "yard", 5, number=7)],
        15: [rule(EventType.ZONE_LEFT, "till", 15)],
        20: [rule(EventType.LINE_CROSSED, "gate", 20, direction="a_to_b")],
        30: [rule(EventType.ZONE_ENTERED, "till", 30), rule(EventType.ZONE_OCCUPIED, "till", 30)],
        40: [rule(EventType.ZONE_ENTERED, "exit", 40)],
        50: [rule(EventType.ZONE_LEFT, "till", 50, reason="unseen")],
    }
    (event,) = Camera().take([*frames, ended(frames[-1], 50)], events)
    assert event.data["zones"] == [
        {"rule": "till", "t_s": 0.5, "duration_s": 3.0},
        {"rule": "exit", "t_s": 4.0, "duration_s": 1.0},
    ]
    assert event.data["lines"] == [{"rule": "gate", "t_s": 2.0, "direction": "a_to_b"}]


def test_with_a_ground_plane_the_path_is_in_metres_as_well() -> None:
    floor, frames = Floor(ground()), walk(lambda t: (-3.0 + t, 9.0), FPS, 6.0)
    on_floor = [floor.update(frame) for frame in frames]
    last = floor.update(ended(frames[-1], 60))
    (event,) = Camera().take([*on_floor, last])
    assert event.data["distance_m"] == pytest.approx(5.9, abs=0.3)
    assert len(event.data["path_m"]) == len(event.data["path"])
    for (t_s, _, _), (x_m, y_m) in zip(event.data["path"], event.data["path_m"], strict=True):
        assert (x_m, y_m) == pytest.approx((-3.0 + t_s, 9.0), abs=0.4)


def wandering(seconds: float, seed: int = 1) -> list[TrackFrame]:
    rng = np.random.default_rng(seed)
    place, frames = np.array([600.0, 300.0]), []
    for seq in range(round(seconds * FPS)):
        place = np.clip(place + rng.normal(0, 15, 2), 100, [1100, 500])
        box = np.array([place[0] - 20, place[1] - 60, place[0] + 20, place[1] + 60])
        seen = replace(
            track(box, None, age_s=seq / FPS), position_m=(place[0] / 100, place[1] / 100), distance_m=seq / 10
        )
        frames.append(frame_of([seen], seq, seq / FPS))
    return frames


def test_a_long_journey_fits_into_an_event_with_all_that_it_may_hold() -> None:
    frames = wandering(300.0)
    events = {
        seq: [
            rule(EventType.ZONE_ENTERED, f"{'zone' * 5}-{seq}", seq),
            rule(EventType.LINE_CROSSED, f"{'line' * 5}-{seq}", seq, direction="b_to_a"),
        ]
        for seq in range(20)
    }
    camera = Camera()
    (event,) = camera.take([*frames, ended(frames[-1], 3000)], events)
    (sent,) = published([event], 2**62)
    assert len(dump(event_to_json(sent)).encode()) <= EVENT_BYTES - ENTRY_BYTES
    assert "left_out" not in event_fields(sent)["data"]
    assert 2 <= len(event.data["path"]) <= MAX_POINTS
    assert event.data["path"][0][0] == 0.0
    assert event.data["path"][-1][0] == 299.7
    assert len(event.data["path"]) >= 8
    assert len(event.data["zones"]) == 8
    assert event.data["lines"][-1]["rule"].endswith("-19")
    assert len(pack_state(camera.journeys.state_dict())) < 1000  # nothing of a finished track is kept


def test_the_memory_of_a_track_is_bounded() -> None:
    camera = Camera()
    camera.take(wandering(60.0))
    after_minute = len(pack_state(camera.journeys.state_dict()))
    camera.take(
        [replace(one, seq=one.seq + 600, captured_at_ns=one.captured_at_ns + 60 * 10**9) for one in wandering(600.0)]
    )
    assert len(pack_state(camera.journeys.state_dict())) <= after_minute + 50
    assert after_minute < 4000


def test_a_path_keeps_its_turns_and_its_stops() -> None:
    corners = [(0, 0.0, 0.0), (10, 100.0, 0.0), (30, 100.0, 0.0), (40, 100.0, 100.0)]  # t_s, x, y
    times = [time_s for time_s, _, _ in corners]
    path: list[PathPoint] = []
    for step in range(401):
        time_s = step / 10
        x, y = (float(np.interp(time_s, times, [corner[axis] for corner in corners])) for axis in (1, 2))
        path = with_point(path, PathPoint(round(time_s * 1e9), x, y, np.nan, np.nan))
    assert len(path) == MAX_POINTS
    four = simplified(path, 4)
    found = [(round(one.at_ns / 1e9), one.x_px, one.y_px) for one in four]
    for (time_s, x, y), (known_s, known_x, known_y) in zip(found, corners, strict=True):
        assert (x, y) == pytest.approx((known_x, known_y), abs=8)
        assert time_s == pytest.approx(known_s, abs=1.5)


def test_a_tracker_that_takes_over_at_any_frame_finishes_with_the_same_event() -> None:
    frames = [*wandering(20.0), ended(wandering(20.0)[-1], 200)]
    events = {30: [rule(EventType.ZONE_ENTERED, "till", 30)], 50: [rule(EventType.LINE_CROSSED, "gate", 50)]}
    whole = Camera().take(frames, events)
    for cut in range(0, 200, 23):
        first = Camera()
        begun = first.take(frames[:cut], events)
        assert [*begun, *first.taken_over().take(frames[cut:], events)] == whole


def test_a_correction_gives_each_person_the_own_journey() -> None:
    """Numbers 1 (goes right) and 2 (stands) are exchanged from frame 20 to 30, which corrects it."""
    frames = []
    for seq in range(40):
        right = track(BOX + 20 * seq * np.array([1.0, 0.0, 1.0, 0.0]), None, age_s=seq / FPS)
        stands = track(BOX + 200.0, None, age_s=seq / FPS)
        numbers = (2, 1) if 20 <= seq < 30 else (1, 2)
        tracks = [replace(one, id=number) for one, number in zip((right, stands), numbers, strict=True)]
        frame = frame_of(tracks, seq, seq / FPS)
        renamed = (Renaming(1, 2, 20), Renaming(2, 1, 20)) if seq == 30 else ()
        frames.append(replace(frame, renamed=renamed))
    events = {25: [rule(EventType.LINE_CROSSED, "gate", 25, number=2, direction="a_to_b")]}
    camera = Camera()
    camera.take(frames, events)
    first, second = camera.end(40)
    assert [one[1] for one in first.data["path"]] == [125 + round(20 * FPS * one[0]) for one in first.data["path"]]
    assert {tuple(one[1:]) for one in second.data["path"]} == {(325, 450)}
    assert (first.data["lines"], second.data["lines"]) == (
        [{"rule": "gate", "t_s": 2.5, "direction": "a_to_b"}],
        [],
    )


def test_a_number_that_is_corrected_away_leaves_its_journey_to_the_other() -> None:
    frames = moving(2.0)
    as_two = [replace(one, tracks=(replace(one.tracks[0], id=2),)) for one in moving(1.0, first=20)]
    later = [replace(one, seq=one.seq) for one in moving(1.0, first=30)]
    later[0] = replace(later[0], renamed=(Renaming(2, 1, 20),))
    lost = frame_of([replace(frames[-1].tracks[0], state=TrackState.LOST, coasted=True)], 20, 2.0)
    as_two[0] = replace(as_two[0], tracks=(*lost.tracks, *as_two[0].tracks))
    camera = Camera()
    assert camera.take([*frames, *as_two, *later]) == []
    (event,) = camera.end(40)
    assert event.data["track_id"] == 1
    assert [one[0] for one in event.data["path"]][-1] == 3.8
    assert max(np.diff([one[0] for one in event.data["path"]])) <= 0.4


def test_frames_of_another_epoch_and_a_clock_that_goes_back_are_taken() -> None:
    camera = Camera()
    frames = moving(1.0)
    again = [replace(one, epoch=2, captured_at_ns=one.captured_at_ns + 10**9) for one in frames]
    back = [replace(one, epoch=3) for one in frames]
    camera.take([*frames, *again, *back])
    (event,) = camera.end(10)
    assert event.data["best"]["epoch"] == 1
