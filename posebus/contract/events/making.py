"""The construction of events, with `id`, `source` and `subject`.

An id stays the same when the same frames are processed again, so consumers can drop duplicates.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from posebus.messages import Event, EventType


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
