"""Finding a picture of a video file again, without decoding all that is before it."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from typing import Any, NamedTuple

import av.error

SEEK_BACK_S = 12.0
"""So far before the picture decoding begins: what the first pictures after a seek refer to may be missing, and video
that refreshes itself in parts takes some seconds until it is whole."""
SAMPLES, SAMPLE_BYTES = 16, 512


class FilePlace(NamedTuple):
    """Where a picture is: `pts` in the stream's time base; counts of pictures and of undecodable packets up to it;
    its place in the time line (`Timeline.place`); a checksum, since another file may have taken this one's name."""

    pts: int
    pictures: int
    lost: int
    last_ns: int
    offset_ns: int
    checksum: int

    @classmethod
    def of(cls, place: Sequence[int]) -> FilePlace | None:
        """From the numbers of a checkpoint; None where they are of something else."""
        return cls(*place) if len(place) == len(cls._fields) else None


def back_to(place: FilePlace, container: Any, stream: Any) -> bool:
    """Move `container` to a key frame well before `place`; False where it cannot be moved."""
    target = place.pts - round(SEEK_BACK_S / stream.time_base)
    if target <= (stream.start_time or 0):
        return True  # it is at its beginning anyway
    try:
        container.seek(target, stream=stream)
    except (av.error.FFmpegError, OverflowError):
        return False
    return True


def checksum(sample: memoryview) -> int:
    """CRC-32 of parts of `sample`, in twenty microseconds: of all of it, it would cost as much as encoding."""
    step = max(SAMPLE_BYTES, len(sample) // SAMPLES)
    value = 0
    for start in range(0, len(sample), step):
        value = zlib.crc32(sample[start : start + SAMPLE_BYTES], value)
    return value
