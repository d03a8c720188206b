"""One frame of a camera together: its picture and its tracks, from the streams of a deployment that runs.

Workers delete a picture as soon as its poses are committed, so it is read when it arrives and kept until the tracks of
the same frame come.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from dataclasses import dataclass
from typing import Any, cast

from posebus.bus.redis.connection import Broker
from posebus.contract.codec import decode_frame
from posebus.errors import MalformedMessage
from posebus.messages import Frame, Provenance, TrackFrame
from posebus.subscribing.subscription import StreamEntry, decode_entry

BLOCK_MS = 500
AT_ONCE = 16
MOST_KEPT = 64
"""More frames than are in flight; of about 100 kB each."""
ENCODINGS = ("jpeg", "raw")


@dataclass(frozen=True, slots=True)
class PictureWithTracks:
    """A frame as it was sent to the workers, and the tracks that were published for the same (camera, epoch, seq)."""

    frame: Frame
    tracks: TrackFrame
    provenance: Provenance


def next_picture(broker: Broker, camera: str, limit_s: float) -> PictureWithTracks | None:
    """Return the next frame of `camera` with its tracks; None if there is none within `limit_s`.

    Frames that are not inferred have no picture; of a still scene one is inferred every few seconds. Raises
    BrokerUnavailable and BrokerRefused.
    """
    frames_key, tracks_key = broker.topology.frames(camera), broker.topology.tracks(camera)
    client = broker.client
    with broker.errors():
        newest = cast("list[Any]", client.xrevrange(tracks_key, count=1))
    # The position in `frames` is known with its first entry; those before it are gone in a moment.
    after: dict[Any, Any] = {frames_key: "$", tracks_key: newest[0][0] if newest else "0-0"}
    pictures: OrderedDict[tuple[int, int], Frame] = OrderedDict()
    end_s = time.monotonic() + limit_s
    while time.monotonic() < end_s:
        with broker.errors():
            reply = cast("Any", client.xread(after, count=AT_ONCE, block=BLOCK_MS)) or []
        for stream, entries in reply.items() if isinstance(reply, dict) else reply:
            key = stream.decode()
            for entry_id, fields in entries:
                after[key] = entry_id
                if key == frames_key:
                    _keep(pictures, fields)
                elif (found := _with_tracks(pictures, key, entry_id, fields)) is not None:
                    return found
    return None


def _keep(pictures: OrderedDict[tuple[int, int], Frame], fields: dict[bytes, bytes]) -> None:
    try:
        frame = decode_frame(fields)
    except MalformedMessage:
        return
    if isinstance(frame, Frame) and frame.encoding in ENCODINGS:
        pictures[frame.epoch, frame.seq] = frame
        while len(pictures) > MOST_KEPT:
            pictures.popitem(last=False)


def _with_tracks(
    pictures: OrderedDict[tuple[int, int], Frame], key: str, entry_id: bytes, fields: dict[bytes, bytes]
) -> PictureWithTracks | None:
    message = decode_entry(StreamEntry(kind="tracks", stream=key, entry_id=entry_id.decode(), fields=fields))
    if message is None or not isinstance(message.body, TrackFrame) or message.provenance is None:
        return None
    frame = pictures.get((message.body.epoch, message.body.seq))
    return None if frame is None else PictureWithTracks(frame, message.body, message.provenance)
