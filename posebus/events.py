"""How events are named: one place for `id`, `source` and `subject` of everything that posebus itself emits.

Ids are the same when the same frames are processed again, so a consumer can drop what it has seen.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from posebus.messages import Event, EventType


class Position(NamedTuple):
    """Which frame an event is about, and when that was."""

    epoch: int
    seq: int
    time_ns: int


def camera_event(kind: EventType, camera: str, position: Position, data: dict[str, Any], occurrence: str = "") -> Event:
    """An event about `camera`; `occurrence` tells events of one kind apart that are about the same frame."""
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
