"""References from events to their evidence, the snapshot of a frame: `posebus-evidence:CAMERA/EPOCH/SEQ`. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from typing import NamedTuple

from posebus.contract.foreign_json import whole
from posebus.messages import Event

SCHEME = "posebus-evidence:"
MAX_EPOCH = 2**53
FINISHED = "posebus.track.finished"
RECENT_NS = 8_000_000_000
"""The best moment of a finished track is referred to if it is not older: its picture leaves the ring soon after."""
_CAMERA = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}", re.ASCII)


class FrameReference(NamedTuple):
    """The frame of which an event has a snapshot."""

    camera: str
    epoch: int
    seq: int


def dataref(camera: str, epoch: int, seq: int) -> str:
    """Return the reference to the snapshot of a frame, which is the same before the snapshot is made."""
    return f"{SCHEME}{camera}/{epoch}/{seq}"


def with_evidence(events: Iterable[Event]) -> list[Event]:
    """Return events of a camera that keeps evidence, those that have some with a reference to it.

    Events of rules refer to their own frame, and a finished track to its best moment, if that was a moment ago.
    """
    return [_referring(event) for event in events]


def _referring(event: Event) -> Event:
    if event.dataref is not None:
        return event
    if isinstance(event.data.get("rule"), str):
        return replace(event, dataref=dataref(event.camera, event.epoch, event.seq))
    best = event.data.get("best") if event.type == FINISHED else None
    if best is not None and event.time_ns - best["captured_at_ns"] <= RECENT_NS:
        return replace(event, dataref=dataref(event.camera, best["epoch"], best["seq"]))
    return event


def read_dataref(text: str) -> FrameReference:
    """Return the frame that a `dataref` names. Raises ValueError, in one sentence, for any other text."""
    if not text.startswith(SCHEME):
        raise ValueError(f"a reference to evidence begins with {SCHEME!r}, as in {dataref('door', 1, 42)}")
    parts = text.removeprefix(SCHEME).split("/")
    if len(parts) != 3:
        raise ValueError(f"a reference to evidence has three parts, as in {dataref('door', 1, 42)}")
    return _frame(*parts)


def frame_of_event_id(event_id: str) -> FrameReference:
    """Return the frame of an event by its id, `CAMERA/EPOCH/SEQ/…`. Raises ValueError for any other text."""
    parts = event_id.split("/", 3)
    if len(parts) != 4:
        raise ValueError(
            "the id of an event begins with CAMERA/EPOCH/SEQ/, as in door/1/42/posebus.line.crossed/gate/7"
        )
    return _frame(*parts[:3])


def _frame(camera: str, epoch: str, seq: str) -> FrameReference:
    try:
        numbers = whole(epoch, most=MAX_EPOCH), whole(seq)
    except (ValueError, TypeError):
        numbers = None
    if numbers is None or not _CAMERA.fullmatch(camera):
        raise ValueError("it must name a camera, an epoch and the number of a frame: CAMERA/EPOCH/SEQ")
    return FrameReference(camera, *numbers)
