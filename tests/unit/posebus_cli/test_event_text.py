"""Events in words, with units and without the notation of a programming language."""

from __future__ import annotations

import re
from typing import Any

import pytest

from posebus.messages import Event
from posebus.wording import clock_text
from posebus_cli.observe.event_text import event_text

NOW_NS = 1_700_000_000_123_000_000


def text(kind: str, **data: Any) -> str:
    return event_text(Event("i", f"posebus.{kind}", "s", "door", NOW_NS, "door", 1, 2, data))


@pytest.mark.parametrize(
    ("kind", "data", "words"),
    [
        ("track.started", {"track_id": 7, "box_xyxy_px": [1, 2, 3, 4]}, "person 7 appeared"),
        ("track.lost", {"track_id": 7, "duration_s": 12.345}, "person 7 out of sight, after 12.3 s"),
        ("track.ended", {"track_id": 7, "duration_s": 2, "reason": "unseen"}, "person 7 left, after 2.0 s"),
        (
            "track.finished",
            {"track_id": 7, "duration_s": 2, "distance_px": 90, "zones": [{"rule": "till"}], "lines": []},
            "person 7 is finished: 2.0 s, 90 px, by till",
        ),
        (
            "track.ended",
            {"track_id": 7, "duration_s": 2, "reason": "source ended"},
            "person 7 left at the end of the source, after 2.0 s",
        ),
        (
            "track.ended",
            {"track_id": 7, "duration_s": 2, "reason": "renamed", "renamed_to": 3},
            "the number 7 is not used any more",
        ),
        (
            "track.renamed",
            {"track_id": 7, "renamed_to": 3, "since_seq": 120, "since_ns": 0, "exchanged": False},
            "7 is the same person as 3, since frame 120",
        ),
        (
            "track.renamed",
            {"track_id": 5, "renamed_to": 3, "since_seq": 120, "since_ns": 0, "exchanged": True},
            "3 and 5 were confused; they have been exchanged since frame 120",
        ),
        (
            "track.ended",
            {"track_id": 7, "duration_s": 2, "reason": "cut"},
            "person 7 left at a cut, after 2.0 s",
        ),
        ("camera.cut", {"shot": 3, "ended": 2}, "the picture shows another place: 2 tracks ended"),
        ("camera.online", {}, "online"),
        ("camera.offline", {"reason": "it does not answer"}, "offline: it does not answer"),
        ("camera.gap", {"skipped": 1, "reasons": {"too old": 1}}, "1 frame skipped: too old"),
        ("camera.ended", {"frames": 1, "reason": "end of file"}, "ended after 1 frame"),
        ("camera.ended", {"frames": 9, "reason": "it is cut off"}, "ended after 9 frames: it is cut off"),
        (
            "camera.imgsz",
            {"view": "1280", "before": "640", "imgsz": 1280, "reason": "small people"},
            "inferred at 1280 px instead of 640 px: small people",
        ),
        ("camera.rate", {"interval_s": 5.0, "advice": "raise max_fps"}, "raise max_fps"),
    ],
)
def test_known_events_are_sentences(kind: str, data: dict[str, Any], words: str) -> None:
    assert text(kind, **data) == words


def test_fields_of_other_events_have_units() -> None:
    shown = text(
        "rule.queue",
        length=3,
        dwell_s=12.3456,
        delay_ms=80,
        width_px=40,
        size_bytes=2_500_000,
        since_ns=3_723_040_000_000,
        open=True,
        zone=None,
        counts={"in": 3, "out": 1},
        ids=list(range(20)),
        box_xyxy_px=[1.0, 2.0, 3.0, 4.0],
    )
    assert shown == (
        "rule.queue: length 3; dwell 12.3 s; delay 80 ms; width 40 px; size 2.5 MB; since +1:02:03.040; open yes; "
        "zone none; counts in 3, out 1; ids 0, 1, 2, 3, 4, 5, 6, 7, …"
    )


@pytest.mark.parametrize("data", [{}, {"reasons": 3}, {"reasons": {"too old": []}}, {"track_id": 1, "duration_s": "x"}])
@pytest.mark.parametrize(
    "kind", ["camera.gap", "camera.offline", "camera.imgsz", "track.lost", "track.renamed", "other"]
)
def test_events_of_other_versions_are_shown_as_far_as_they_go(kind: str, data: dict[str, Any]) -> None:
    shown = text(kind, **data)
    assert shown
    assert not set(shown) & set("{}[]'")


def test_hostile_values_are_shown_in_short() -> None:
    deep: Any = 1
    for _ in range(5000):
        deep = [deep]
    assert text("other", deep=deep, at_ns=10**30, long=[1] * 10_000).startswith("other: deep …; at ?.")
    assert "duration" in text("track.lost", track_id=1, duration_s=10**400)
    assert "track id 1" in text("track.renamed", track_id=1, renamed_to="x", since_seq=2, exchanged=True)


def test_times_of_recordings_are_positions_in_them() -> None:
    assert clock_text(0) == "+0:00:00.000"
    assert clock_text(3_723_040_000_000) == "+1:02:03.040"
    assert re.fullmatch(r"\d\d:\d\d:\d\d\.123", clock_text(NOW_NS))
