"""Transport streams whose video changes its codec or its PID on the way, as where recordings were joined.

FFmpeg keeps the decoders with which a file began. So the file is opened once more from the place of the change on.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import av
import av.error

from ingest.sources.decoding.ffmpeg import find_video_stream, prepare_decoder
from ingest.sources.decoding.opening import allowed_formats

FORMAT = "mpegts"
TS_PACKET_BYTES = 188
BEFORE_BYTES = 8 * TS_PACKET_BYTES
"""The tables that announce the new stream stand before its first picture."""
LEAST_BYTES = 8 * TS_PACKET_BYTES
PROBE_US = 100_000
"""Probing reads on: what comes next tells the codec, what comes later may have another one."""
FAILURES = 3
"""After so many packets in a row that do not decode, the codec may have changed."""
BARREN = 20
"""Some decoders raise no error: they give no picture. No codec delays its pictures by so many packets."""
BARREN_AT_END = 5
INTERLEAVED_PACKETS = 100
"""Streams that are sent together take turns more often than this."""
MAX_PARTS = 100
SYNC_BYTE = 0x47
MAX_SEARCHED_BYTES = 4_000_000
MAX_TRIES = 20
MAX_RESYNCS = 10_000
MAX_SEARCHES = 50
"""Each takes some milliseconds; a stream that is damaged everywhere is not searched everywhere."""


class PartFinder:
    """Watches the packets of one video stream, and finds the place at which another stream goes on."""

    def __init__(self, path: Path, container: Any, stream: Any) -> None:
        self._path = path
        self._usable = container.format.name == FORMAT
        self._stream = stream
        self._parts = self._searches = 0
        self._part_start = self._last = self._end = self._good = 0
        self._begin(0)

    def is_own(self, packet: Any) -> bool:
        """Note a packet that was read, and return whether it belongs to the stream that is played."""
        place = self._part_start + (packet.pos or 0)
        if packet.stream_index != self._stream.index:
            self._others.setdefault(packet.stream.id, place)
            return False
        self._last = max(self._last, place)
        self._end = max(self._end, place + packet.size)
        return True

    def decoded(self, packet: Any | None, frames: int, *, failed: bool) -> None:
        """Note that `packet`, or the end of the stream, gave so many frames."""
        if frames:
            self._failures = self._barren = 0
            if packet is not None and packet.pos is not None:
                self._good = self._part_start + packet.pos
        elif packet is not None:
            self._failures += failed
            self._barren += 1

    def changed_part(self) -> tuple[Any, Any] | None:
        """Open the file where the codec changed; (container, stream), or None if it seems to be the same."""
        if not self._usable or not (self._failures == FAILURES or self._barren == BARREN):
            return None
        return self._open_changed()

    def next_part(self) -> tuple[Any, Any] | None:
        """Open the file, which was read to its end, where another video goes on; None if there is no such place."""
        if not self._usable:
            return None
        if self._barren >= BARREN_AT_END and (part := self._open_changed()) is not None:
            return part
        if self._path.stat().st_size - self._end < LEAST_BYTES or self._end <= self._part_start:
            return None
        # What has the same PID was read already.
        read = {other for other, first in self._others.items() if first < self._last} | {self._stream.id}
        return self._open(self._end, lambda stream: stream.id not in read)

    def _open_changed(self) -> tuple[Any, Any] | None:
        """Open the file at the first table near the packets without a picture that announces another codec."""
        codec = self._stream.codec_context.name
        if self._searches >= MAX_SEARCHES:
            return None
        self._searches += 1
        for place in tables(self._path, max(self._part_start, self._good - BEFORE_BYTES), self._last):
            if not first_decodes(self._path, place):
                continue
            part = self._open(place, lambda stream: stream.codec_context.name != codec)
            if part is not None:
                return part
        return None

    def _open(self, place: int, goes_on: Callable[[Any], bool]) -> tuple[Any, Any] | None:
        if self._parts >= MAX_PARTS:
            return None
        place -= place % TS_PACKET_BYTES
        part = open_part(self._path, place)
        if part is None:
            return None
        if not goes_on(part[1]):
            part[0].close()
            return None
        self._stream, self._parts = part[1], self._parts + 1
        self._begin(place)
        return part

    def _begin(self, place: int) -> None:
        self._part_start = self._last = self._end = self._good = place
        self._failures = self._barren = 0
        self._others: dict[int, int] = {}


def tables(path: Path, start: int, end: int) -> list[int]:
    """Return the places between the bytes `start` and `end` at which a transport stream lists its programs (PID 0)."""
    start -= start % TS_PACKET_BYTES
    with path.open("rb") as file:
        file.seek(start)
        data = file.read(min(end - start, MAX_SEARCHED_BYTES))
    places = range(0, len(data) - 3, TS_PACKET_BYTES)
    found = [start + at for at in places if data[at] == SYNC_BYTE and not data[at + 1] & 0x1F and not data[at + 2]]
    return found[:MAX_TRIES]


def open_part(path: Path, place: int) -> tuple[Any, Any] | None:
    """Open the transport stream from byte `place` on; (container, stream), None if no video begins there."""
    options = {"analyzeduration": str(PROBE_US), "format_whitelist": allowed_formats(None)}
    try:
        container = av.open(Tail(path, place), format=FORMAT, options=options, metadata_errors="replace")
    except (av.error.FFmpegError, OSError):
        return None
    stream = find_video_stream(container)
    if stream is None:
        container.close()
        return None
    return container, stream


def first_decodes(path: Path, place: int) -> bool:
    """Return whether the first packet after byte `place` is one of the codec that probing tells from there on."""
    part = open_part(path, place)
    if part is None:
        return False
    container, _ = part
    try:
        packet = next(packets_of(container), None)
        if packet is not None:
            packet.stream.codec_context.decode(packet)
    except av.error.FFmpegError:
        return False
    finally:
        container.close()
    return packet is not None


def first_part(path: Path, container: Any, stream: Any) -> tuple[Any, Any]:
    """Return (container, stream) of the video with which a transport stream begins; the given ones of other formats.

    Of a short file, FFmpeg has read all before it tells the streams, so `stream` may be another part's, or have the
    codec of another part. `container` is closed if it is not returned.
    """
    if container.format.name != FORMAT:
        return container, stream
    part = open_part(path, 0)
    if part is None:
        return container, stream
    earlier = earlier_stream_id(path, stream.id) if len(container.streams.video) > 1 else None
    wanted_id = stream.id if earlier is None else earlier
    found = [other for other in part[0].streams.video if other.id == wanted_id and other.codec_context is not None]
    if found and (earlier is not None or found[0].codec_context.name != stream.codec_context.name):
        container.close()
        prepare_decoder(found[0].codec_context)
        return part[0], found[0]
    part[0].close()
    return container, stream


def packets_of(container: Any) -> Iterator[Any]:
    """Yield the packets of all video streams that were known when `container` was opened. Raises FFmpegError."""
    for _ in range(MAX_RESYNCS):
        try:
            yield from container.demux(*container.streams.video)
        except av.error.BlockingIOError:
            continue  # FFmpeg gave up after 64 kB of garbage in a transport stream, and goes on if it is asked again
        except IndexError:  # PyAV's way to end if another stream has begun meanwhile
            pass
        return


def earlier_stream_id(path: Path, stream_id: int) -> int | None:
    """Return the id of the video stream whose packets all come before those of `stream_id`, None without one."""
    part = open_part(path, 0)
    if part is None:
        return None
    first: dict[int, int] = {}
    last: dict[int, int] = {}
    after = 0
    with suppress(av.error.FFmpegError):
        for packet in packets_of(part[0]):
            if packet.pos is None:
                continue
            after += stream_id in first
            first.setdefault(packet.stream.id, packet.pos)
            last[packet.stream.id] = max(packet.pos, last.get(packet.stream.id, 0))
            if after > INTERLEAVED_PACKETS:
                break
    part[0].close()
    begins = first.get(stream_id, 0)
    ended = [other for other in first if other != stream_id and last[other] < begins]
    return min(ended, key=lambda other: first[other], default=None)


class Tail(io.RawIOBase):
    """The file at `path` from byte `start` on."""

    def __init__(self, path: Path, start: int) -> None:
        self._file = path.open("rb")
        self._start = start
        self._file.seek(start)

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        return self._file.readinto(buffer)

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """See `io.IOBase.seek`; positions count from the start of the tail."""
        return self._file.seek(offset + (self._start if whence == io.SEEK_SET else 0), whence) - self._start

    def tell(self) -> int:
        """See `io.IOBase.tell`."""
        return self._file.tell() - self._start

    def close(self) -> None:
        """Close the file; may be called twice."""
        self._file.close()
        super().close()
