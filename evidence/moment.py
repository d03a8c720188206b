"""A picture of a ring together with the tracks of the very same frame, as near as possible to a given frame."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from posebus.bus.evidence.ring import RingPicture, picture_of, pictures_around
from posebus.bus.redis.connection import Broker
from posebus.contract.evidence import FrameReference
from posebus.contract.foreign_json import whole
from posebus.contract.public_json import parse, track_frame_from_json
from posebus.errors import MalformedMessage
from posebus.messages import TrackFrame

FARTHEST_NS = 1_000_000_000
"""A picture of another frame, captured longer before or after the event, does not show what happened."""
AT_ONCE = 64
MOST_ENTRIES = 6400
LATER_MS = 3000
"""Tracks of a picture after the event are published so long after it at most."""


@dataclass(frozen=True, slots=True)
class Moment:
    """A picture and the tracks of its frame: both have the same epoch and seq."""

    picture: RingPicture
    tracks: TrackFrame


@dataclass(frozen=True, slots=True)
class Missing:
    """There is no moment: `no_picture`, it is not in the ring (any more), or `no_tracks`, nothing says who is in it."""

    outcome: str


def find_moment(
    broker: Broker, frame: FrameReference, captured_at_ns: int | None, entry_id: str | None = None
) -> Moment | Missing:
    """Return the moment at `frame`, or the nearest one at most a second away, of the same epoch.

    captured_at_ns: of the frame, None where it is not known. entry_id: stream entry of an event about it, near which
    its tracks are looked for. Raises the broker's errors.
    """
    exact = picture_of(broker, *frame)
    pictures = [exact] if exact is not None else pictures_around(broker, *frame)
    if exact is None and captured_at_ns is None:
        own = tracks_of(broker, frame, entry_id)
        if own is None:
            return Missing("no_picture")
        captured_at_ns = own.captured_at_ns
    away_ns = {one.seq: 0 if captured_at_ns is None else abs(one.captured_at_ns - captured_at_ns) for one in pictures}
    near = sorted((one for one in pictures if away_ns[one.seq] <= FARTHEST_NS), key=lambda one: away_ns[one.seq])
    for picture in near:
        tracks = tracks_of(broker, FrameReference(frame.camera, picture.epoch, picture.seq), entry_id)
        if tracks is not None:
            return Moment(picture, tracks)
    return Missing("no_tracks" if near else "no_picture")


def tracks_of(broker: Broker, frame: FrameReference, entry_id: str | None = None) -> TrackFrame | None:
    """Return the tracks that were published for `frame`, None if the broker does not have them. Raises its errors."""
    wanted = (frame.epoch, frame.seq)
    for epoch, seq, data in _tracks_before(broker, frame.camera, entry_id):
        if (epoch, seq) == wanted:
            try:
                found = track_frame_from_json(parse(data))[0]
            except MalformedMessage:
                return None
            return found if (found.camera, found.epoch, found.seq) == (frame.camera, *wanted) else None
        if (epoch, seq) < wanted:
            return None
    return None


def _tracks_before(broker: Broker, camera: str, entry_id: str | None) -> Iterator[tuple[int, int, bytes]]:
    """Yield epoch, seq and JSON of the entries of tracks, newest first, from a little after an entry of events."""
    key = broker.topology.tracks(camera)
    last = "+" if entry_id is None else str(int(entry_id.partition("-")[0]) + LATER_MS)
    for _ in range(MOST_ENTRIES // AT_ONCE):
        with broker.errors():
            page: Any = broker.client.xrevrange(key, last, "-", count=AT_ONCE)
        for _, fields in page:
            try:
                yield whole(fields[b"epoch"]), whole(fields[b"seq"]), fields[b"data"]
            except (KeyError, ValueError, TypeError):
                continue
        if len(page) < AT_ONCE:
            return
        last = f"({page[-1][0].decode()}"
