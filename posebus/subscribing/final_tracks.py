"""Messages of the kind `final_tracks`: those of `tracks`, held back until no correction can reach their numbers."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from types import MappingProxyType

from posebus.messages import Delivery, Event, EventType, TrackFrame
from posebus.subscribing.renaming import FinalIds
from posebus.subscribing.subscription import Message

QUIET_S = MappingProxyType({Delivery.LIVE: 10.0, Delivery.LOSSLESS: 600.0})
"""Seconds without a frame of a camera after which its held frames are final. A live camera went away, and any later
frame was captured later; a recording was given up, since one that is only slow announces its end."""

ENDS_KEPT = 1000
"""Number of ends of sources that are remembered: an end may be read before the tracks, which come in another stream."""


class FinalTracks:
    """The held messages of all cameras of a subscription; `now_s` is monotonic."""

    def __init__(self) -> None:
        self._held: dict[str, FinalIds[Message]] = {}
        self._heard_at_s: dict[str, float] = {}
        self._ended: dict[str, int] = {}
        """The newest epoch that ended, by camera."""

    def add(self, message: Message, now_s: float) -> list[Message]:
        """Take the next message; returns those that are ready: frames that are final now, and all other messages."""
        body = message.body
        if isinstance(body, TrackFrame):
            self._heard_at_s[message.camera] = now_s
            held = self._held.setdefault(message.camera, FinalIds())
            return _with_bodies(held.push(body, message))
        if isinstance(body, Event) and body.type == EventType.CAMERA_ENDED:
            self._ended.pop(message.camera, None)
            self._ended[message.camera] = body.epoch
            if len(self._ended) > ENDS_KEPT:
                del self._ended[next(iter(self._ended))]
        return [message]

    def due(self, now_s: float, began_at_s: float) -> list[Message]:
        """Return the frames that are final because no further one will come.

        To be called when all streams were read, which began at `began_at_s`: tracks are committed before the end, or
        together with it, so what was not read by then does not exist.
        """
        ready = []
        for camera, held in list(self._held.items()):
            newest, message = held.newest
            assert message.provenance is not None
            quiet_s = now_s - self._heard_at_s[camera]
            over = self._ended.get(camera, -1) >= newest.epoch and self._heard_at_s[camera] < began_at_s
            if over or quiet_s > QUIET_S[message.provenance.delivery]:
                ready += _with_bodies(held.rest())
                del self._held[camera], self._heard_at_s[camera]
        return ready


def _with_bodies(final: Iterable[tuple[TrackFrame, Message]]) -> list[Message]:
    return [replace(message, body=frame) for frame, message in final]
