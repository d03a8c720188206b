"""A picture of a ring together with the tracks of the very same frame, as near as possible to a given frame."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

from posebus.bus.evidence.ring import RingPicture, picture_of, pictures_around
from posebus.bus.redis.connection import Broker
from posebus.contract.evidence import FrameReference
from posebus.contract.foreign_json import whole
from posebus.contract.public_json import parse, track_frame_from_json
from posebus.errors import MalformedMessage
from posebus.messages import TrackFrame
from posebus.privacy.regions import BRIDGE_NS

FARTHEST_NS = 1_000_000_000
"""A picture of another frame, captured longer before or after the event, does not show what happened."""
MOST_AROUND = 64
EACH_SIDE = 5
"""Pictures before and after a frame that are looked at: frames that were dropped under overload have no tracks."""
AT_ONCE = 64
MOST_ENTRIES = 6400
LATER_MS = 3000
"""Tracks of a picture after the event are published so long after it at most."""


@dataclass(frozen=True, slots=True)
class EventMoment:
    """A picture and the tracks of its frame: both have the same epoch and seq.

    around: the frames of half a second before and after, with this one, in their order: people who were missed in this
    frame are in them.
    """

    picture: RingPicture
    tracks: TrackFrame
    around: tuple[TrackFrame, ...]


@dataclass(frozen=True, slots=True)
class Missing:
    """There is no moment: `no_picture`, it is not in the ring (any more), or `no_tracks`, nothing says who is in it."""

    outcome: str


def find_moment(
    broker: Broker, frame: FrameReference, captured_at_ns: int | None, entry_id: str | None = None
) -> EventMoment | Missing:
    """Return the moment at `frame`, or the nearest one at most a second away, of the same epoch.

    captured_at_ns: of the frame, None where it is not known. entry_id: stream entry of an event about it, near which
    its tracks are looked for. Raises the broker's errors.
    """
    exact = picture_of(broker, *frame)
    pictures = [exact] if exact is not None else pictures_around(broker, *frame, EACH_SIDE)
    if exact is None and captured_at_ns is None:
        own = frames_around(broker, frame, entry_id)
        if own is None:
            return Missing("no_picture")
        captured_at_ns = own.tracks.captured_at_ns
    away_ns = {one.seq: 0 if captured_at_ns is None else abs(one.captured_at_ns - captured_at_ns) for one in pictures}
    near = sorted((one for one in pictures if away_ns[one.seq] <= FARTHEST_NS), key=lambda one: away_ns[one.seq])
    for picture in near:
        found = frames_around(broker, FrameReference(frame.camera, picture.epoch, picture.seq), entry_id)
        if found is not None:
            return EventMoment(picture, found.tracks, found.around)
    return Missing("no_tracks" if near else "no_picture")


class FramesAround(NamedTuple):
    """The tracks of one frame, and the frames around it, as in `EventMoment`."""

    tracks: TrackFrame
    around: tuple[TrackFrame, ...]


def frames_around(broker: Broker, frame: FrameReference, entry_id: str | None = None) -> FramesAround | None:
    """Return the tracks of `frame` and those around, None if the broker does not have its own. Raises its errors."""
    later: deque[bytes] = deque(maxlen=MOST_AROUND)
    found: list[TrackFrame] = []
    for epoch, seq, data in _tracks_before(broker, frame.camera, entry_id):
        if (epoch, seq) > (frame.epoch, frame.seq):
            if epoch == frame.epoch:
                later.append(data)
            continue
        one = _decoded(data, frame.camera) if epoch == frame.epoch else None
        if one is None or (not found and seq != frame.seq):
            break
        if found and (found[0].captured_at_ns - one.captured_at_ns > BRIDGE_NS or len(found) > MOST_AROUND):
            break
        found.append(one)
    if not found:
        return None
    own = found[0]
    after = [one for data in reversed(later) if (one := _decoded(data, frame.camera)) is not None]
    after = [one for one in after if one.captured_at_ns <= own.captured_at_ns + BRIDGE_NS]
    return FramesAround(own, (*reversed(found), *after))


def frames_since(broker: Broker, camera: str, epoch: int, since_ns: int) -> list[TrackFrame]:
    """Return the frames of an epoch that were captured from `since_ns` on, oldest first, as far as the broker has them.

    Raises its errors.
    """
    found: list[TrackFrame] = []
    for at, _, data in _tracks_before(broker, camera, None):
        one = _decoded(data, camera) if at == epoch else None
        if at < epoch or (one is not None and one.captured_at_ns < since_ns):
            break
        if one is not None:
            found.append(one)
    return found[::-1]


def _decoded(data: bytes, camera: str) -> TrackFrame | None:
    try:
        found = track_frame_from_json(parse(data))[0]
    except MalformedMessage:
        return None
    return found if found.camera == camera else None


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
