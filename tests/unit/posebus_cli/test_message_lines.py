"""Messages as lines: short ones as text, complete ones as JSON."""

from __future__ import annotations

import json
import re

import samples

from posebus.messages import Event, Track, TrackFrame
from posebus.subscribing.subscription import Message
from posebus_cli.observe.message_lines import MessageLines, clock_text, json_line

NOW_NS = 1_700_000_000_123_000_000


def message(body: TrackFrame | Event) -> Message:
    kind = "events" if isinstance(body, Event) else "tracks"
    return Message(kind, body.camera, body, None if kind == "events" else samples.PROVENANCE, "stream", "1-0")


def people(*states: str, seq: int = 0) -> TrackFrame:
    tracks = tuple(
        Track(number, samples.track_frame().tracks[0].box_xyxy_px, 0.9, None, state, 1.0)
        for number, state in enumerate(states, start=1)
    )
    return TrackFrame("door", 1, seq, NOW_NS, (640, 480), tracks)


def test_people_are_shown_when_they_change_and_otherwise_once_a_second() -> None:
    lines = MessageLines()
    shown = [
        lines.line(message(people("confirmed")), 0.0),
        lines.line(message(people("confirmed")), 0.5),
        lines.line(message(people("confirmed", "confirmed")), 0.6),
        lines.line(message(people("confirmed", "confirmed")), 1.5),
        lines.line(message(people("confirmed", "confirmed")), 1.6),
    ]
    assert [None if line is None else line.split("  ", 2)[2].strip() for line in shown] == [
        "1 person: 1",
        None,
        "2 people: 1 2",
        None,
        "2 people: 1 2",
    ]


def test_lost_people_are_shown_apart_and_tentative_ones_not_at_all() -> None:
    line = MessageLines().line(message(people("tentative", "lost", "ended")), 0.0)
    assert line is not None
    assert line.endswith("no people  (lost: 2)")


def test_lines_of_cameras_are_independent() -> None:
    lines = MessageLines()
    other = TrackFrame("yard", 1, 0, NOW_NS, (640, 480), ())
    assert lines.line(message(people()), 0.0)
    assert lines.line(message(other), 0.0)


def test_events_show_their_data_without_passwords() -> None:
    event = Event(
        "i", "posebus.camera.offline", "s", "door", NOW_NS, "door", 1, 2, {"at_ns": 3, "reason": "rtsp://a:hunter2@h"}
    )
    line = MessageLines().line(message(event), 0.0)
    assert line is not None
    assert re.search(r"door +camera\.offline +reason=rtsp://\*\*\*@h$", line)


def test_json_lines_are_the_public_messages() -> None:
    line = json_line(message(samples.track_frame(seq=3)))
    assert line is not None
    assert (json.loads(line)["seq"], len(json.loads(line)["tracks"])) == (3, 2)
    event = Event("i", "posebus.track.ended", "s", "door/1", NOW_NS, "door", 1, 2, {"id": 7})
    line = json_line(message(event))
    assert line is not None
    assert json.loads(line)["data"]["id"] == 7


def test_times_of_recordings_are_positions_in_them() -> None:
    assert clock_text(0) == "+0:00:00.000"
    assert clock_text(3_723_040_000_000) == "+1:02:03.040"
    assert re.fullmatch(r"\d\d:\d\d:\d\d\.123", clock_text(NOW_NS))
