"""The events that posebus emits: what each means, and its construction, with `id`, `source` and `subject`.

An id stays the same when the same frames are processed again, so consumers can drop duplicates.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, NamedTuple

from posebus.messages import Event, EventType

EVENT_BYTES = 2048
"""Upper bound of an event's size in the broker. Each event counts as much, since all processes append to one stream."""
_IN_THE_FRAME = 10**19
"""The first place in a frame behind those of events before it, which are Unix times in ns."""


@dataclass(frozen=True, slots=True)
class EventSpec:
    """When an event of a type is emitted, and the fields of its `data`, with what each holds, as Markdown."""

    when: str
    data: Mapping[str, str]


_LIFE = {
    "track_id": "number of the track",
    "first_seen_ns": "capture time of its first detection",
    "last_seen_ns": "capture time of its last detection, before any predicted frames",
    "duration_s": "seconds from the first to the last detection",
    "box_xyxy_px": "its box in this frame (left, top, right, bottom), where the frame reports it",
}
_RENAMED_TO = "the number of the same person from now on"
TABLE: Mapping[EventType, EventSpec] = MappingProxyType(
    {
        EventType.TRACK_STARTED: EventSpec("A track is confirmed for the first time.", _LIFE),
        EventType.TRACK_LOST: EventSpec(
            "A track is no longer confirmed. It may come back, which the stream of tracks shows, and be lost again.",
            _LIFE,
        ),
        EventType.TRACK_ENDED: EventSpec(
            "A track that was started will not come back.",
            {
                **_LIFE,
                "reason": "`unseen`, `cut` (the picture shows another place), `source ended`, or `renamed`",
                "renamed_to": f"with the reason `renamed`: {_RENAMED_TO}",
            },
        ),
        EventType.TRACK_RENAMED: EventSpec(
            "The number of a track was wrong since an earlier frame.",
            {
                "track_id": "the number that was reported",
                "renamed_to": _RENAMED_TO,
                "since_seq": "the first frame with the wrong number",
                "since_ns": "its capture time",
                "exchanged": "whether `renamed_to` becomes `track_id` at the same time",
            },
        ),
        EventType.CAMERA_ONLINE: EventSpec("The first picture of a connection or of a recording came.", {}),
        EventType.CAMERA_OFFLINE: EventSpec(
            "A camera sends no pictures any more, or ingest was stopped.", {"reason": "one sentence"}
        ),
        EventType.CAMERA_GAP: EventSpec(
            "Frames of a live camera were skipped; at most one event a second.",
            {
                "skipped": "number of frames",
                "reasons": "number of frames by reason",
                "first_seq": "the first of them; missing if they were lost before they had a number",
                "last_seq": "the last of them; likewise",
            },
        ),
        EventType.CAMERA_CUT: EventSpec(
            "The picture shows another place from this frame on.",
            {"shot": "number of the shot, from 0 in each epoch", "ended": "number of tracks that ended with it"},
        ),
        EventType.CAMERA_ENDED: EventSpec(
            "A recording was read to its end.", {"frames": "number of its frames", "reason": "why it ended"}
        ),
        EventType.CAMERA_IMGSZ: EventSpec(
            "The size at which the camera is inferred was chosen, or another one would find more people.",
            {
                "imgsz": "longest side of the network's input in pixels",
                "view": "the same with tiles: `1280/2x1`",
                "before": "the view until now; missing with a fixed size",
                "reason": "why it changed; missing with a fixed size",
                "advice": "what would find more people; missing where nothing would",
            },
        ),
        EventType.CAMERA_RATE: EventSpec(
            "So few frames are inferred that people are lost; once in an epoch.",
            {"interval_s": "seconds between two inferred frames", "advice": "what would help"},
        ),
    }
)
"""Every type that posebus emits. Receivers ignore fields that they do not know: later releases may add some."""


class Position(NamedTuple):
    """The frame that an event is about, and its time (Unix ns, or ns from the start of a recording)."""

    epoch: int
    seq: int
    time_ns: int


def camera_event(kind: EventType, camera: str, position: Position, data: dict[str, Any], occurrence: str = "") -> Event:
    """An event about `camera`. `occurrence` distinguishes events of one kind about the same frame."""
    return Event(
        id=f"{camera}/{position.epoch}/{position.seq}/{kind}{occurrence}",
        type=kind,
        source=f"posebus/cameras/{camera}",
        subject=camera,
        time_ns=position.time_ns,
        camera=camera,
        epoch=position.epoch,
        seq=position.seq,
        data=data,
    )


def track_event(kind: EventType, camera: str, track_id: int, position: Position, data: dict[str, Any]) -> Event:
    """An event about the identity `track_id` of `camera`."""
    return Event(
        id=f"{camera}/{position.epoch}/{position.seq}/{kind}/{track_id}",
        type=kind,
        source=f"posebus/cameras/{camera}",
        subject=f"{camera}/tracks/{track_id}",
        time_ns=position.time_ns,
        camera=camera,
        epoch=position.epoch,
        seq=position.seq,
        data=data,
    )


def before_frame(event: Event, detected_at_ns: int) -> Event:
    """Return `event`, detected at a Unix time in ns, with its place before its frame, behind all such events so far."""
    return replace(event, sequence=_sequence(event, detected_at_ns), detected_at_ns=detected_at_ns)


def published(events: Iterable[Event], published_at_ns: int, detected_at_ns: int | None = None) -> list[Event]:
    """Return the events of one transaction with their places in the order of their camera's events, and their times.

    Unix times in ns; without `detected_at_ns`, those that have no such time were detected when they are published.
    """
    counts: Counter[tuple[str, int, int]] = Counter()
    placed = []
    for event in events:
        frame = (event.camera, event.epoch, event.seq)
        sequence = event.sequence or _sequence(event, _IN_THE_FRAME + counts[frame])
        counts[frame] += 1
        detected = event.detected_at_ns or detected_at_ns or published_at_ns
        placed.append(replace(event, sequence=sequence, detected_at_ns=detected, published_at_ns=published_at_ns))
    return placed


def _sequence(event: Event, place: int) -> str:
    """Return the place of an event of its camera as text that sorts like the numbers in it."""
    return f"{event.epoch:016d}-{event.seq:012d}-{place:020d}"
