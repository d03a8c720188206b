"""Find a picture of a video file again without decoding everything before it."""

from __future__ import annotations

import zlib
from typing import Any, NamedTuple

import av.error

from ingest.sources.base import SourcePosition

SEEK_BACK_S = 12.0
"""Decoding starts this long before the picture: the first pictures after a seek may lack their reference frames, and
video that refreshes itself in parts takes some seconds until it is complete."""
SAMPLES, SAMPLE_BYTES = 16, 512


class FilePosition(NamedTuple):
    """The position of a picture in a file.

    `pts` is in the stream's time base; `pictures`, `lost` and `damaged` count pictures, undecodable packets and
    damaged pictures up to it; `last_ns`, `offset_ns` and `step_ns` are its `TimelinePosition`; `checksum` is of its
    pixels, since another file may have replaced this one.
    """

    pts: int
    pictures: int
    lost: int
    damaged: int
    last_ns: int
    offset_ns: int
    step_ns: int
    checksum: int

    @classmethod
    def of(cls, position: SourcePosition) -> FilePosition | None:
        """Read the numbers of a checkpoint; None if they belong to another kind of source."""
        return cls._make(position) if len(position) == len(cls._fields) else None


def seek_before(position: FilePosition, container: Any, stream: Any) -> bool:
    """Seek `container` to a key frame well before `position`; False if it cannot seek."""
    return _seek(position.pts, container, stream)


def seek_before_time(presented_ns: int, container: Any, stream: Any) -> bool:
    """Seek `container` to a key frame well before the presentation time `presented_ns`; False if it cannot seek."""
    return _seek(round(presented_ns / 1e9 / stream.time_base), container, stream)


def _seek(pts: int, container: Any, stream: Any) -> bool:
    target = pts - round(SEEK_BACK_S / stream.time_base)
    if target <= (stream.start_time or 0):
        return True  # the container is at its beginning already
    try:
        container.seek(target, stream=stream)
    except (av.error.FFmpegError, OverflowError):
        return False
    return True


def checksum(sample: memoryview) -> int:
    """Return the CRC-32 of parts of `sample`, which takes 20 us; of all of it, it would cost as much as encoding."""
    step = max(SAMPLE_BYTES, len(sample) // SAMPLES)
    value = 0
    for start in range(0, len(sample), step):
        value = zlib.crc32(sample[start : start + SAMPLE_BYTES], value)
    return value
