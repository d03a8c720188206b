"""Frames of cameras as they come, each with its tracks and, where it is wanted and there is one, its picture.

Workers delete a picture as soon as its poses are committed, so it is read when it arrives and kept until the tracks of
the same frame come. Only the streams of cameras that are followed are read, and their pictures only where they are
asked for: nothing is read, kept or stored for anybody else.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, cast

from posebus.bus.redis.connection import Broker
from posebus.contract.codec import decode_frame
from posebus.errors import MalformedMessage, PoisonError
from posebus.messages import Frame, Provenance, TrackFrame
from posebus.subscribing.subscription import StreamEntry, decode_entry

AT_ONCE = 16
MOST_KEPT = 64
"""Pictures of a camera that wait for their tracks: more than are in flight of a live camera; of about 100 kB each."""
MOST_BYTES = 32_000_000
"""The same in bytes, for large pictures and those that are not compressed."""
SILENCE_S = 2.0
"""After this long without an entry, the streams may have begun anew, below the positions at which they are read."""

ReadShared = Callable[[str], bytes]
"""Returns the rows of an image in this machine's memory by its name. Raises BadPicture or OSError where it is gone."""


@dataclass(frozen=True, slots=True)
class LiveFrame:
    """The tracks of a frame; picture: of the same (camera, epoch, seq), None where it is not known."""

    tracks: TrackFrame
    provenance: Provenance
    picture: Frame | None = None


class WaitingPictures:
    """Pictures of one camera that wait for the tracks of their frames. Pure."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[int, int], Frame] = OrderedDict()
        self._bytes = 0

    def __len__(self) -> int:
        return len(self._kept)

    def keep(self, frame: Frame) -> None:
        """Keep a picture. Where too many wait, every second one is given up.

        Behind a long backlog of a recording tracks come late, and the newest pictures alone would never meet theirs.
        """
        self._drop(frame.epoch, frame.seq)
        self._kept[frame.epoch, frame.seq] = frame
        self._bytes += len(frame.data)
        while len(self._kept) > 1 and (len(self._kept) > MOST_KEPT or self._bytes > MOST_BYTES):
            for key in list(self._kept)[1::2]:
                self._drop(*key)

    def take(self, epoch: int, seq: int) -> Frame | None:
        """Return the picture of this frame, and give up those of earlier frames, whose tracks have passed."""
        found = self._kept.get((epoch, seq))
        for key in [key for key in self._kept if key <= (epoch, seq)]:
            self._drop(*key)
        return found

    def _drop(self, epoch: int, seq: int) -> None:
        frame = self._kept.pop((epoch, seq), None)
        self._bytes -= 0 if frame is None else len(frame.data)


class LiveFrames:
    """Reads the frames of cameras that are followed. Methods raise BrokerUnavailable and BrokerRefused."""

    def __init__(self, broker: Broker, read_shared: ReadShared | None = None) -> None:
        """`read_shared`: how pictures in this machine's memory are read; without it, frames come without them."""
        self._broker = broker
        self._read_shared = read_shared
        self._after: dict[str, Any] = {}
        """By stream, where it is read."""
        self._tracks: dict[str, str] = {}
        self._frames: dict[str, str] = {}
        """The cameras of both kinds of streams that are read."""
        self._pictures: dict[str, WaitingPictures] = {}
        self._heard_at_s = time.monotonic()
        self.unreadable: set[str] = set()
        """Cameras whose pictures are in the memory of a machine that is not this one."""

    def follow(self, cameras: Mapping[str, bool]) -> None:
        """Read these cameras from now on, and no others; with their pictures where the value is true.

        A camera that is added is read from its newest entry on.
        """
        topology = self._broker.topology
        self._tracks = {topology.tracks(camera): camera for camera in cameras}
        self._frames = {topology.frames(camera): camera for camera, pictures in cameras.items() if pictures}
        self._pictures = {
            camera: self._pictures.get(camera, WaitingPictures())
            for camera in cameras
            if camera in self._frames.values()
        }
        self.unreadable &= set(self._pictures)
        wanted = (*self._frames, *self._tracks)
        known = self._after
        self._after = {key: known[key] for key in wanted if key in known}
        for key in wanted:
            if key not in self._after:
                self._after[key] = self._newest(key)

    def read(self, limit_s: float) -> list[LiveFrame]:
        """Return the frames whose tracks have come, waiting for up to `limit_s` for the first of them."""
        if not self._after:
            return []
        # Pictures first: in one reply, they stand before the tracks that were made of them.
        with self._broker.errors():
            reply = cast(
                "Any", self._broker.client.xread(cast("Any", self._after), count=AT_ONCE, block=int(1000 * limit_s))
            )
        entries: dict[str, Any] = {key.decode(): found for key, found in reply or []}
        self._watch_silence(silent=not entries)
        for key, camera in self._frames.items():
            for entry_id, fields in entries.get(key, ()):
                self._after[key] = entry_id
                self._keep(camera, fields)
        return [
            frame
            for key, camera in self._tracks.items()
            for entry_id, fields in entries.get(key, ())
            if (frame := self._joined(camera, key, entry_id, fields)) is not None
        ]

    def _watch_silence(self, *, silent: bool) -> None:
        now_s = time.monotonic()
        if silent and now_s - self._heard_at_s > SILENCE_S:
            self._after = {key: self._newest(key) for key in self._after}
        if not silent or now_s - self._heard_at_s > SILENCE_S:
            self._heard_at_s = now_s

    def _newest(self, key: str) -> Any:
        """Where to read a stream whose entries so far do not matter."""
        if key in self._frames:
            # The position is known with the first entry. Those that come between two reads until then are gone soon.
            return "$"
        with self._broker.errors():
            newest: Any = self._broker.client.xrevrange(key, count=1)
        return newest[0][0] if newest else "0-0"

    def _keep(self, camera: str, fields: dict[bytes, bytes]) -> None:
        try:
            frame = decode_frame(fields)
        except MalformedMessage:
            return
        if not isinstance(frame, Frame) or frame.camera != camera:
            return
        if frame.encoding == "shared":
            read = self._shared(camera, frame)
            if read is None:
                return
            frame = read
        self._pictures[camera].keep(frame)

    def _shared(self, camera: str, frame: Frame) -> Frame | None:
        if self._read_shared is None:
            self.unreadable.add(camera)
            return None
        try:
            rows = self._read_shared(frame.data.decode(errors="replace"))
        except (PoisonError, OSError):
            return None
        return replace(frame, encoding="raw", data=rows)

    def _joined(self, camera: str, key: str, entry_id: bytes, fields: dict[bytes, bytes]) -> LiveFrame | None:
        self._after[key] = entry_id
        message = decode_entry(StreamEntry(kind="tracks", stream=key, entry_id=entry_id.decode(), fields=fields))
        if message is None or not isinstance(message.body, TrackFrame) or message.provenance is None:
            return None
        if message.camera != camera:
            return None
        body = message.body
        pictures = self._pictures.get(camera)
        return LiveFrame(body, message.provenance, None if pictures is None else pictures.take(body.epoch, body.seq))
