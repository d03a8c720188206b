"""The lines that `posebus up` shows on a terminal, and when a deployment of recordings is over."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from posebus.messages import Event, EventType
from posebus_cli.operate.activity import LINE_EVERY_S, Activity, Watched
from posebus_cli.operate.running import Tending


def event(kind: EventType, camera: str = "door", seq: int = 0, **data: Any) -> Event:
    return Event("id", kind, "posebus", camera, 0, camera, 1, seq, data)


def test_states_of_a_camera_come_as_lines() -> None:
    activity = Activity(["door", "hall1"])
    activity.add(event(EventType.CAMERA_ONLINE))
    activity.add(event(EventType.TRACK_STARTED, track_id=1))
    activity.add(event(EventType.TRACK_STARTED, track_id=2))
    activity.add(event(EventType.CAMERA_OFFLINE, "hall1", reason="refuses the connection"))
    activity.add(event(EventType.CAMERA_ONLINE, "of-another-deployment"))
    assert activity.lines(0.0) == [
        "door   online",
        "door   first person seen",
        "hall1  offline: refuses the connection",
    ]
    assert activity.lines(100.0) == []
    assert activity.summary() == ["door: 2 people", "hall1: was never online"]


def test_connection_that_comes_and_goes_is_one_line_every_few_seconds() -> None:
    activity = Activity(["door"])
    activity.add(event(EventType.CAMERA_ONLINE))
    assert activity.lines(0.0) == ["door  online"]
    for _ in range(5):
        activity.add(event(EventType.CAMERA_OFFLINE, reason="gone"))
        activity.add(event(EventType.CAMERA_ONLINE))
    activity.add(event(EventType.CAMERA_OFFLINE, reason="gone for good"))
    assert activity.lines(LINE_EVERY_S / 2) == []
    assert activity.lines(LINE_EVERY_S) == ["door  offline: gone for good"]


def test_person_whose_number_was_wrong_counts_once() -> None:
    activity = Activity(["door"])
    activity.add(event(EventType.CAMERA_ONLINE))
    for track_id in (1, 2, 3):
        activity.add(event(EventType.TRACK_STARTED, track_id=track_id))
    activity.add(event(EventType.TRACK_RENAMED, track_id=3, renamed_to=1))
    activity.add(event(EventType.TRACK_RENAMED, track_id=1, renamed_to=2, exchanged=True))
    assert activity.summary() == ["door: 2 people"]


def test_deployment_of_recordings_is_over_with_the_last_of_them() -> None:
    activity = Activity(["a", "b"])
    waits: list[float] = []

    def poll(wait_s: float) -> list[str]:
        waits.append(wait_s)
        return activity.lines(0.1 * len(waits))  # the second line of a camera would be held back for a moment

    watched = cast(Watched, SimpleNamespace(activity=activity, poll=poll))
    fleet = cast(Any, SimpleNamespace(check=lambda: None, processes=SimpleNamespace(children={})))
    shown: list[str] = []
    ends, goes_on = (Tending(fleet, watched, shown.append, ends=ends) for ends in (True, False))
    activity.add(event(EventType.CAMERA_ONLINE, "b"))
    activity.add(event(EventType.CAMERA_ENDED, "a", seq=75, frames=75, reason="end of file"))
    assert not ends.step(0.5)
    activity.add(event(EventType.CAMERA_ENDED, "b", seq=1, frames=1, reason="it is cut off"))
    assert ends.step(0.5)
    assert not goes_on.step(0.5)
    assert [line[10:] for line in shown] == [
        "a  ended after 75 frames",
        "b  online",
        "b  ended after 1 frame: it is cut off",
    ]
    assert activity.summary() == ["a: 75 frames, no people", "b: 1 frame, no people"]
    assert waits == [0.5] * 3


def test_deployment_whose_ingest_has_ended_is_over_after_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    now_s = [100.0]
    monkeypatch.setattr("posebus_cli.operate.running.time.monotonic", lambda: now_s[0])
    watched = cast(Watched, SimpleNamespace(activity=Activity(["damaged"]), poll=lambda wait_s: []))
    ingest = SimpleNamespace(exit_code=None)
    fleet = cast(Any, SimpleNamespace(check=lambda: None, processes=SimpleNamespace(children={"ingest": ingest})))
    tending = Tending(fleet, watched, print, ends=True)
    assert not tending.step(0.1)
    ingest.exit_code = 1
    assert not tending.step(0.1)
    now_s[0] += 60
    assert tending.step(0.1)
