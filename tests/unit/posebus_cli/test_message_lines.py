"""Messages as lines: short ones as text, complete ones as JSON."""

from __future__ import annotations

import json
import re
from typing import Any

import samples

from posebus.messages import Event, Track, TrackFrame
from posebus.subscribing.subscription import Message
from posebus_cli.observe.message_lines import MessageLines, json_line

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


def texts(lines: list[str]) -> list[str]:
    """The lines without time and camera."""
    return [line.split("  ", 2)[2].strip() for line in lines]


def event(kind: str, data: dict[str, Any], at_ns: int = NOW_NS, camera: str = "door") -> Message:
    return message(Event("i", kind, "s", camera, at_ns, camera, 1, 2, data))


def gap(at_ms: int, camera: str = "door", **reasons: int) -> Message:
    data = {"first_seq": 1, "last_seq": 9, "skipped": sum(reasons.values()), "reasons": reasons}
    return event("posebus.camera.gap", data, at_ms * 1_000_000, camera)


def test_exchange_of_two_numbers_is_one_line() -> None:
    lines = MessageLines()
    shown = []
    for before, now in ((3, 5), (5, 3), ("x", 3)):
        data = {"track_id": before, "renamed_to": now, "since_seq": 120, "since_ns": 0, "exchanged": True}
        shown += lines.add(event("posebus.track.renamed", data), 0)
    sentence, other = texts(shown)
    assert sentence == "3 and 5 were confused; they have been exchanged since frame 120"
    assert "track id x" in other


def test_people_are_shown_when_they_change_and_otherwise_once_a_second() -> None:
    lines = MessageLines()
    shown = [
        lines.add(message(people(*["confirmed"] * number)), at_ms)
        for number, at_ms in ((1, 0), (1, 500), (2, 600), (2, 1500), (2, 1600))
    ]
    assert [texts(one) for one in shown] == [["1 person: 1"], [], ["2 people: 1 2"], [], ["2 people: 1 2"]]


def test_lost_people_are_shown_apart_and_tentative_ones_not_at_all() -> None:
    (line,) = MessageLines().add(message(people("tentative", "lost", "ended")), 0)
    assert line.endswith("no people  (lost: 2)")


def test_lines_of_cameras_are_independent() -> None:
    lines = MessageLines()
    other = TrackFrame("yard", 1, 0, NOW_NS, (640, 480), ())
    assert lines.add(message(people()), 0)
    assert lines.add(message(other), 0)


def test_events_show_their_data_without_passwords() -> None:
    (line,) = MessageLines().add(event("posebus.camera.offline", {"at_ns": 3, "reason": "rtsp://a:hunter2@h"}), 0)
    assert re.search(r"door +offline: rtsp://\*\*\*@h$", line)


def test_skipped_frames_are_summed_up_for_two_seconds() -> None:
    lines = MessageLines()
    assert [lines.add(gap(at_ms, overtaken=10, old=1), at_ms) for at_ms in (5000, 6000, 6900)] == [[], [], []]
    assert texts(lines.add(message(people()), 7000)) == ["33 frames skipped in 2.0 s: 30 overtaken, 3 old", "no people"]
    assert lines.advance_to(20_000) == []


def test_the_sum_of_one_reason_names_it_once_and_an_incomplete_sum_is_not_lost() -> None:
    lines = MessageLines()
    lines.add(gap(5000, overtaken=1), 5000)
    lines.add(gap(5100, "yard", overtaken=2), 5100)
    assert texts(lines.advance_to(7050)) == ["1 frame skipped in 2.0 s: overtaken"]
    assert texts(lines.rest()) == ["2 frames skipped: overtaken"]
    assert lines.rest() == []


def test_json_lines_are_the_public_messages() -> None:
    line = json_line(message(samples.track_frame(seq=3)))
    assert line is not None
    assert (json.loads(line)["seq"], len(json.loads(line)["tracks"])) == (3, 2)
    event = Event("i", "posebus.track.ended", "s", "door/1", NOW_NS, "door", 1, 2, {"id": 7})
    line = json_line(message(event))
    assert line is not None
    assert json.loads(line)["data"]["id"] == 7
