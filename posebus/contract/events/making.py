"""The construction of events, with `id`, `source` and `subject`.

An id stays the same when the same frames are processed again, so consumers can drop duplicates.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from typing import Any, NamedTuple

from posebus.messages import Event, EventType

EVENT_BYTES = 2048
"""Upper bound of an event's size in the broker. Each event counts as much, since all processes append to one stream."""
IN_THE_FRAME = 10**19
"""The first place in a frame behind those of events before it, which are Unix times in ns."""


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
        sequence = event.sequence or _sequence(event, IN_THE_FRAME + counts[frame])
        counts[frame] += 1
        detected = event.detected_at_ns or detected_at_ns or published_at_ns
        placed.append(replace(event, sequence=sequence, detected_at_ns=detected, published_at_ns=published_at_ns))
    return placed


def _sequence(event: Event, place: int) -> str:
    """Return the place of an event of its camera as text that sorts like the numbers in it."""
    return f"{event.epoch:016d}-{event.seq:012d}-{place:020d}"
