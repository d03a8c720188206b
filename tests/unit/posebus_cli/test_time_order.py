"""Messages of several streams come out in the order of their times, whatever the order of reading."""

from __future__ import annotations

from dataclasses import replace

import samples
from hypothesis import given
from hypothesis import strategies as st

from posebus.messages import Event
from posebus.subscribing.subscription import Message
from posebus_cli.observe.time_order import WINDOW_MS, TimeOrder

NOW_MS = 1_700_000_000_000


def tracks(camera: str, captured_ms: int, published_ms: int, seq: int = 0) -> Message:
    frame = replace(samples.track_frame(seq, camera), captured_at_ns=captured_ms * 1_000_000)
    return Message("tracks", camera, frame, samples.PROVENANCE, f"tracks:{camera}", f"{published_ms}-{seq}")


def event(kind: str, time_ms: int, published_ms: int) -> Message:
    body = Event("i", kind, "s", "door", time_ms * 1_000_000, "door", 1, 2, {})
    return Message("events", "door", body, None, "events", f"{published_ms}-0")


def cameras(order: TimeOrder, now_s: float) -> list[str]:
    return [one.message.camera for one in order.due(now_s)]


def test_a_slow_camera_comes_in_its_place() -> None:
    order = TimeOrder()
    order.add(tracks("fast", NOW_MS + 100, NOW_MS + 120), 0.0)
    order.add(tracks("slow", NOW_MS + 50, NOW_MS + 700), 0.6)
    assert cameras(order, 0.6) == []
    assert cameras(order, 0.6 + WINDOW_MS / 1000) == ["slow", "fast"]


def test_a_long_history_is_merged_although_it_comes_in_parts() -> None:
    order = TimeOrder()
    shown: list[int] = []
    for part in range(5):
        # A poll brings ten seconds of the tracks and an hour of the events.
        for second in range(10):
            at_ms = NOW_MS + (10 * part + second) * 1000
            order.add(tracks("door", at_ms, at_ms), 0.0)
        for minute in range(60):
            at_ms = NOW_MS + (60 * part + minute) * 60_000 + 500
            order.add(event("posebus.camera.online", at_ms, at_ms), 0.0)
        shown += [one.at_ms for one in order.due(0.0)]
    assert len(shown) > 40
    shown += [one.at_ms for one in order.rest()]
    assert len(shown) == 350
    assert shown == sorted(shown)


def test_recordings_and_gaps_are_in_the_order_of_their_publication() -> None:
    order = TimeOrder()
    order.add(tracks("recording", 80, NOW_MS + 30), 0.0)
    order.add(event("posebus.camera.gap", NOW_MS - 900, NOW_MS + 20), 0.0)
    order.add(tracks("door", NOW_MS + 10, NOW_MS + 40), 0.0)
    assert [one.message.stream for one in order.rest()] == ["tracks:door", "events", "tracks:recording"]


def test_an_event_stands_beside_the_tracks_of_its_frame_also_after_a_gap_of_another_camera() -> None:
    order = TimeOrder()
    order.add(tracks("door", NOW_MS + 100, NOW_MS + 900, 0), 0.0)
    order.add(tracks("door", NOW_MS + 200, NOW_MS + 910, 1), 0.0)
    order.add(event("posebus.camera.gap", NOW_MS - 500, NOW_MS + 895), 0.0)
    order.add(event("posebus.track.started", NOW_MS + 100, NOW_MS + 900), 0.0)
    assert [one.at_ms - NOW_MS for one in order.rest()] == [100, 100, 200, 895]


def test_a_stream_stays_in_order_when_the_clock_of_its_camera_goes_back() -> None:
    order = TimeOrder()
    order.add(tracks("door", NOW_MS + 500, NOW_MS + 510, 0), 0.0)
    order.add(tracks("door", NOW_MS + 100, NOW_MS + 520, 1), 0.0)
    assert [one.message.body.seq for one in order.rest()] == [0, 1]


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 5000), st.integers(0, 900)), max_size=40), st.data())
def test_nothing_is_lost_and_all_is_in_order_within_the_window(
    frames: list[tuple[str, int, int]], data: st.DataObject
) -> None:
    """Frames captured at one time and published up to 900 ms later, read stream by stream in polls of random size."""
    queues: dict[str, list[Message]] = {"a": [], "b": [], "c": []}
    published: dict[str, int] = dict.fromkeys("abc", 0)
    for camera, captured_ms, age_ms in sorted(frames, key=lambda frame: frame[1]):
        published[camera] = max(published[camera], NOW_MS + captured_ms + age_ms)
        late = published[camera] - (NOW_MS + captured_ms) > WINDOW_MS - 1
        captured = published[camera] if late else NOW_MS + captured_ms
        queues[camera].append(tracks(camera, captured, published[camera], len(queues[camera])))
    order = TimeOrder()
    shown: list[int] = []
    now_s = 0.0
    most = data.draw(st.integers(1, 5))
    while any(queues.values()):
        for queue in queues.values():
            for message in queue[:most]:
                order.add(message, now_s)
            del queue[:most]
        shown += [one.at_ms for one in order.due(now_s)]
    shown += [one.at_ms for one in order.rest()]
    assert len(shown) == len(frames)
    assert shown == sorted(shown)
