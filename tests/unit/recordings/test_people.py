"""The table of people, their snapshots, and the events of a recording: against what was put into the frames."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import samples
from PIL import Image, ImageStat

from posebus.contract.events import Position, camera_event, track_event
from posebus.contract.public_json import event_from_json
from posebus.messages import EndOfStream, Event, EventType, Renaming, Track, TrackFrame
from recordings.results.people.person import Moment, Person
from recordings.results.people.snapshots import Snapshots
from recordings.results.people.table import people_in, write_people
from recordings.results.tracks_writer import TracksWriter
from tracking.events import TrackEvents

FPS = 25
CAMERA = "clip-ab12"
EPOCH = 1_796_060_312_000_000


def person(track_id: int, x: float, seq: int, *, height: float = 100.0, **changes: object) -> Track:
    """A person of 40 px x `height` whose middle is at x; all joints are visible, and the trunk sways by 3 px."""
    box = np.array((x - 20, 100, x + 20, 100 + height), np.float32)
    keypoints = np.full((17, 3), 0.9, np.float32)
    keypoints[:, 0] = x + 3 * np.sin(seq)
    keypoints[:, 1] = 150
    known = Track(track_id, box, 0.9, keypoints, "confirmed", seq / FPS, keypoint_visibility=np.full(17, 2, np.uint8))
    return replace(known, **changes)  # type: ignore[arg-type]


def frame(seq: int, *tracks: Track, renamed: tuple[Renaming, ...] = ()) -> TrackFrame:
    return TrackFrame(CAMERA, EPOCH, seq, seq * 40_000_000, (640, 480), tracks, renamed=renamed)


def scene() -> list[TrackFrame]:
    """100 frames: 1 stands, 2 walks 2 px a frame and is called 9 at first, 3 is never confirmed, 4 stands before 1 for
    a while, which then is hidden (coasted) in frames 40 to 49, and is largest in frame 80."""
    frames = []
    for seq in range(100):
        tracks = [person(1, 100, seq, height=140 if seq == 80 else 100, coasted=40 <= seq < 50)]
        tracks.append(person(9 if seq < 10 else 2, 200 + 2 * seq, seq))
        if seq < 5:
            tracks.append(person(3, 500, seq, state="tentative"))
        if seq == 5:
            tracks.append(person(3, 500, seq, state="ended", coasted=True))
        if 30 <= seq < 60:
            tracks.append(person(4, 110, seq))
        frames.append(frame(seq, *tracks, renamed=(Renaming(9, 2, 0),) if seq == 10 else ()))
    return frames


def write(folder: Path, frames: list[TrackFrame], *events: Event, formats: tuple[str, ...] = ()) -> list[Person]:
    with TracksWriter(folder, "clip", ("people", "events", *formats)) as writer:
        assert writer.people is not None
        assert writer.events is not None
        for event in events:
            writer.events.add(event)
        for one in frames:
            writer.write(one, samples.PROVENANCE)
        writer.complete()
        return writer.people.people


def rows(path: Path) -> dict[int, dict[str, str]]:
    return {int(row["track_id"]): row for row in csv.DictReader(path.open(newline=""))}


def test_table_says_when_each_person_was_seen_and_how_far_they_walked(tmp_path: Path) -> None:
    (tmp_path / "again").mkdir()
    write(tmp_path, scene())
    table = rows(tmp_path / "clip.people.csv")
    assert sorted(table) == [1, 2, 4]
    # Counted again from the file of tracks, they are the same.
    counted = write(tmp_path / "again", scene(), formats=("jsonl",))
    assert people_in(tmp_path / "again" / "clip.tracks.jsonl") == counted
    standing, walking, other = table[1], table[2], table[4]
    assert (standing["first_frame"], standing["last_frame"]) == ("0", "99")
    assert (standing["frames_detected"], standing["frames_present"]) == ("90", "100")
    assert (float(standing["distance_px"]), float(standing["distance_body_heights"])) == (0, 0)
    assert float(standing["largest_height_px"]) == 140
    assert float(walking["duration_s"]) == pytest.approx(99 / FPS)
    # 198 px in all, of which the last step may not be counted yet, and 3 px of swaying at each end.
    assert float(walking["distance_px"]) == pytest.approx(198, abs=10 + 6)
    assert float(walking["distance_body_heights"]) == pytest.approx(float(walking["distance_px"]) / 100, abs=0.01)
    assert (float(other["first_seen_s"]), float(other["last_seen_s"])) == (30 / FPS, 59 / FPS)
    assert int(other["last_seen_ns"]) == 59 * 40_000_000


def test_best_moment_is_large_and_neither_hidden_nor_cut_off(tmp_path: Path) -> None:
    seen = {one.track_id: one for one in write(tmp_path, scene())}
    assert (seen[1].best.frame, rows(tmp_path / "clip.people.csv")[1]["best_frame"]) == (80, "80")
    assert len(seen[1].moments) == 3
    leaving = [frame(seq, person(1, 40 - seq, seq, height=100 + seq)) for seq in range(60)]
    assert write(tmp_path, leaving)[0].best.frame <= 20, "later the person is larger, but half out of the picture"
    hidden = [frame(seq, person(1, 100, seq, height=100 + seq), person(2, 300 - 4 * seq, seq)) for seq in range(50)]
    assert write(tmp_path, hidden)[0].best.frame <= 41, "later another one stands before the person"


def test_person_whose_trunk_is_never_seen_walks_with_the_box(tmp_path: Path) -> None:
    hidden = np.zeros(17, np.uint8)
    frames = [frame(seq, person(1, 100 + 3 * seq, seq, keypoint_visibility=hidden)) for seq in range(50)]
    (seen,) = write(tmp_path, frames)
    assert seen.distance_px == pytest.approx(147, abs=10)


def picture(shade: int) -> np.ndarray:
    """Two people of different colours; noise of the strength `shade` makes their picture sharp."""
    image = np.zeros((480, 640, 3), np.uint8)
    image[100:200, 80:120] = (0, 0, 200)
    image[100:200, 380:420] = (200, 0, 0)
    noise = np.random.default_rng(0).integers(0, shade + 1, image.shape, dtype=np.uint8)
    return image + noise * (image > 0)


def test_snapshots_are_the_sharpest_of_the_best_moments(tmp_path: Path) -> None:
    def at(seq: int, x: float) -> Moment:
        return Moment(seq, seq / FPS, seq * 40_000_000, (x - 20, 100, x + 20, 200), 100 - seq / 100)

    people = []
    for number, x in ((1, 100.0), (2, 400.0)):
        moments = tuple(at(seq, x) for seq in (10, 30, 50))
        people.append(Person(number, 0, 60, 0, 2.4, 0, 1, 60, 60, 0, 0, 100, moments[0], moments))
    snapshots = Snapshots(tmp_path, "=clip", people)
    for seq in range(60):
        if snapshots.wants(seq * 40_000_000):
            snapshots.see(picture(50 if seq == 30 else 10), seq * 40_000_000)
    found = snapshots.complete()
    assert [(one.best.frame, one.snapshot) for one in found] == [
        (30, "=clip.people/1.jpg"),
        (30, "=clip.people/2.jpg"),
    ]
    for number, channel in ((1, 0), (2, 2)):
        with Image.open(tmp_path / "=clip.people" / f"{number}.jpg") as image:
            assert image.size == (40 + 31, 100 + 31), "the box with 15 % of its height on each side"
            means = ImageStat.Stat(image.convert("RGB")).mean
        assert max(range(3), key=means.__getitem__) == channel, "another person's picture"
    table = rows(tmp_path / "=clip.people.csv")
    assert (table[1]["snapshot"], table[1]["best_frame"]) == ("./=clip.people/1.jpg", "30")


def events_of(path: Path) -> list[Event]:
    return [event_from_json(json.loads(line)) for line in path.read_text().splitlines()]


def published() -> list[Event]:
    """What a subscriber receives of the scene: events of the tracks as they were at the time, and of the camera."""
    tracker = TrackEvents(CAMERA)
    events = [camera_event(EventType.CAMERA_ONLINE, CAMERA, Position(EPOCH, 0, 0), {})]
    for one in scene():
        events += tracker.update(one)
        if one.seq == 20:
            position = Position(EPOCH, 20, one.captured_at_ns)
            events.append(
                camera_event(EventType.CAMERA_GAP, CAMERA, position, {"skipped": 3, "reasons": {"damaged": 3}})
            )
    events += tracker.source_ended(EndOfStream(CAMERA, EPOCH, 100, 99 * 40_000_000, samples.PROVENANCE.delivery))
    ended = {"frames": 100, "reason": "end of file"}
    return [*events, camera_event(EventType.CAMERA_ENDED, CAMERA, Position(EPOCH, 100, 99 * 40_000_000), ended)]


def test_events_are_those_of_the_run_with_final_numbers_in_the_order_of_frames(tmp_path: Path) -> None:
    received = published()
    assert EventType.TRACK_RENAMED in {event.type for event in received}
    write(tmp_path, scene(), *received, formats=("csv",))
    found = events_of(tmp_path / "clip.events.jsonl")
    assert {(event.camera, event.epoch) for event in found} == {("clip", 1)}
    assert {event.source for event in found} == {"posebus/cameras/clip"}
    assert len({event.id for event in found}) == len(found)
    assert not any("ab12" in event.id or str(EPOCH) in event.id for event in found)
    short = [(event.seq, event.type.removeprefix("posebus."), event.data.get("track_id")) for event in found]
    assert short == [
        (0, "camera.online", None),
        (0, "track.started", 1),
        (0, "track.started", 2),
        (20, "camera.gap", None),
        (30, "track.started", 4),
        (100, "track.ended", 1),
        (100, "track.ended", 2),
        (100, "track.ended", 4),
        (100, "track.finished", 1),
        (100, "track.finished", 2),
        (100, "track.finished", 4),
        (100, "camera.ended", None),
    ]
    table = list(csv.DictReader((tmp_path / "clip.events.csv").open(newline="")))
    assert [(int(row["frame"]), row["type"].removeprefix("posebus.")) for row in table] == [one[:2] for one in short]
    assert table[4]["box_x1_px"] == "90.0"
    assert (table[5]["reason"], float(table[5]["duration_s"])) == ("source ended", 3.96)
    assert json.loads(table[3]["data"]) == {"skipped": 3, "reasons": {"damaged": 3}}


def test_tracks_that_another_shot_ends_say_so_as_in_the_stream(tmp_path: Path) -> None:
    cut = camera_event(EventType.CAMERA_CUT, CAMERA, Position(EPOCH, 3, 120_000_000), {"shot": 1, "ended": 1})
    frames = [frame(seq, person(1, 100, seq)) for seq in range(3)]
    frames += [frame(3, person(1, 100, 3, state="ended", coasted=True)), frame(4, person(2, 100, 4))]
    write(tmp_path, [*frames, frame(5, person(2, 100, 5, state="ended", coasted=True))], cut)
    found = events_of(tmp_path / "clip.events.jsonl")
    ends = [
        (event.type, event.data.get("track_id"), event.data.get("reason")) for event in found if event.seq in (3, 5)
    ]
    assert ends == [
        (EventType.CAMERA_CUT, None, None),
        (EventType.TRACK_ENDED, 1, "cut"),
        (EventType.TRACK_FINISHED, 1, "cut"),
        (EventType.TRACK_ENDED, 2, "unseen"),
        (EventType.TRACK_FINISHED, 2, "unseen"),
    ]


def test_nothing_of_an_earlier_reading_remains(tmp_path: Path) -> None:
    with TracksWriter(tmp_path, "clip", ("people", "events")) as writer:
        assert writer.events is not None
        writer.write(frame(0, person(77, 100, 0)), samples.PROVENANCE)
        writer.events.add(track_event(EventType.TRACK_STARTED, CAMERA, 77, Position(EPOCH, 0, 0), {}))
        writer.restart()
        writer.write(frame(0, person(1, 100, 0)), samples.PROVENANCE)
        writer.complete()
    assert list(rows(tmp_path / "clip.people.csv")) == [1]
    assert [event.data["track_id"] for event in events_of(tmp_path / "clip.events.jsonl")] == [1]


def test_recording_without_people_gives_a_table_with_its_header(tmp_path: Path) -> None:
    write_people(tmp_path, "clip", [])
    assert (tmp_path / "clip.people.csv").read_bytes().count(b"\r\n") == 1
    assert rows(tmp_path / "clip.people.csv") == {}
