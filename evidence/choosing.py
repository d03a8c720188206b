"""Which events have a snapshot, and of which frame. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from posebus.contract.evidence import FrameReference, read_dataref
from posebus.messages import Event
from posebus.subscribing.subscription import Message


@dataclass(frozen=True, slots=True)
class Wanted:
    """One snapshot that events ask for.

    captured_at_ns: when the frame was captured, None where the events are about another frame. rules: names of the
    rules of these events. messages: the events, which are handled with the snapshot.
    """

    frame: FrameReference
    captured_at_ns: int | None
    rules: frozenset[str]
    messages: tuple[Message, ...]

    @property
    def entry_id(self) -> str:
        """The stream entry of the first event."""
        return self.messages[0].id


def frame_of(event: Event) -> FrameReference | None:
    """Return the frame whose snapshot is evidence of `event`; None for an event without evidence.

    An event says it by its `dataref`; events of rules without one are about their own frame.
    """
    if event.dataref is not None:
        try:
            found = read_dataref(event.dataref)
        except ValueError:
            return None
        return found if found.camera == event.camera else None
    if isinstance(event.data.get("rule"), str):
        return FrameReference(event.camera, event.epoch, event.seq)
    return None


def wanted_snapshots(messages: Iterable[Message]) -> tuple[list[Wanted], list[Message]]:
    """Return the snapshots that messages ask for, one for each frame in their order, and the other messages."""
    of_frame: dict[FrameReference, list[Message]] = {}
    others: list[Message] = []
    for message in messages:
        frame = frame_of(message.body) if isinstance(message.body, Event) else None
        if frame is None:
            others.append(message)
        else:
            of_frame.setdefault(frame, []).append(message)
    return [_wanted(frame, found) for frame, found in of_frame.items()], others


def _wanted(frame: FrameReference, messages: list[Message]) -> Wanted:
    events = [message.body for message in messages if isinstance(message.body, Event)]
    times = [event.time_ns for event in events if (event.epoch, event.seq) == frame[1:]]
    rules = {str(event.data["rule"]) for event in events if "rule" in event.data}
    return Wanted(frame, times[0] if times else None, frozenset(rules), tuple(messages))
