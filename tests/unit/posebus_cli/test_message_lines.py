"""Messages as lines: short ones as text, complete ones as JSON."""

from __future__ import annotations

import json
import re
from typing import Any

import samples
from hypothesis import given
from hypothesis import strategies as st

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
    shown = texts(lines.add(message(people()), 7000))
    assert shown == ["33 frames skipped in 2.0 s, 2 reasons: 30 overtaken, 3 old", "no people"]
    assert lines.advance_to(20_000) == []


def test_the_sum_of_one_reason_names_it_once_and_an_incomplete_sum_is_not_lost() -> None:
    lines = MessageLines()
    lines.add(gap(5000, overtaken=1), 5000)
    lines.add(gap(5100, "yard", overtaken=2), 5100)
    assert texts(lines.advance_to(7050)) == ["1 frame skipped in 2.0 s: overtaken"]
    assert texts(lines.rest()) == ["2 frames skipped: overtaken"]
    assert lines.rest() == []


def test_gaps_that_go_on_take_a_line_for_2_4_8_seconds_and_so_on() -> None:
    lines = MessageLines()
    shown = [line for at_s in range(130) for line in lines.add(gap(1000 * at_s, overtaken=7), 1000 * at_s)]
    shown += lines.rest()
    # 2 + 4 + 8 + 16 + 32 seconds with 7 frames each, then a minute, and what is left.
    assert [text.split(":")[0] for text in texts(shown)] == [
        *(
            f"{7 * seconds} frames skipped in {seconds}{'.0' if seconds < 10 else ''} s"
            for seconds in (2, 4, 8, 16, 32)
        ),
        "420 frames skipped in 60 s",
        "56 frames skipped in 7.0 s",
    ]
    assert sum(int(text.split()[0]) for text in texts(shown)) == 7 * 130
    assert texts(lines.add(gap(900_000, old=1), 900_000) + lines.advance_to(950_000)) == [
        "1 frame skipped in 2.0 s: old"
    ]


@given(st.lists(st.tuples(st.integers(1, 9000), st.sampled_from("ab"), st.integers(1, 50)), max_size=60))
def test_no_frame_is_lost_or_counted_twice_whenever_gaps_come(gaps: list[tuple[int, str, int]]) -> None:
    lines, at_ms, shown = MessageLines(), 0, []
    for pause_ms, camera, frames in gaps:
        at_ms += pause_ms
        shown += lines.add(gap(at_ms, camera, old=frames), at_ms)
    shown += lines.rest()
    for camera in "ab":
        mine = [int(line.split()[2]) for line in shown if line.split()[1] == camera]
        assert sum(mine) == sum(frames for _, name, frames in gaps if name == camera)


def test_a_camera_that_flaps_is_shown_twice_and_then_summed_up() -> None:
    lines = MessageLines()
    shown: list[str] = []
    for turn in range(10):
        reason = "no answer" if turn % 3 else "closed the stream"
        at_ms = 1000 + 400 * turn
        shown += lines.add(event("posebus.camera.offline", {"reason": reason}, at_ms * 10**6), at_ms)
        shown += lines.add(event("posebus.camera.online", {}, (at_ms + 200) * 10**6), at_ms + 200)
    shown += lines.advance_to(60_000)
    # The first two changes come at 1.0 and 1.2 s, 5 turns begin from 1.4 s on, within 2 s, and 4 more within 4 s.
    assert texts(shown) == [
        "offline: closed the stream",
        "online",
        "5 times offline in 2.0 s, 2 reasons: 4 no answer, 1 closed the stream; now online",
        "4 times offline in 4.0 s, 2 reasons: 2 closed the stream, 2 no answer; now online",
    ]
    shown = lines.add(event("posebus.camera.offline", {"reason": "no answer"}, 200_000 * 10**6), 200_000)
    assert texts(shown) == ["offline: no answer"], "later, it is shown at once again"


def test_with_all_each_message_is_a_line() -> None:
    lines = MessageLines(all_of_them=True)
    shown = [line for at_ms in (0, 100, 200) for line in lines.add(gap(at_ms, old=2), at_ms)]
    shown += [line for _ in range(3) for line in lines.add(message(people("confirmed")), 300)]
    assert texts(shown) == ["2 frames skipped: old"] * 3 + ["1 person: 1"] * 3


def test_json_lines_are_the_public_messages() -> None:
    line = json_line(message(samples.track_frame(seq=3)))
    assert line is not None
    assert (json.loads(line)["seq"], len(json.loads(line)["tracks"])) == (3, 2)
    event = Event("i", "posebus.track.ended", "s", "door/1", NOW_NS, "door", 1, 2, {"id": 7})
    line = json_line(message(event))
    assert line is not None
    assert json.loads(line)["data"]["id"] == 7
