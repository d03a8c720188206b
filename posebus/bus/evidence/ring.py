"""The ring of reduced pictures of one camera, the stream `evidence`: written by ingest, read for snapshots and clips.

The id of an entry is the frame's EPOCH-SEQ, so the picture of a frame is found without reading others, and a writer
that was replaced cannot add pictures behind those of its successor.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, cast

import redis

from posebus.bus.evidence.budget import RingBudget
from posebus.bus.redis.connection import Broker
from posebus.bus.stream_bound import entry_bytes
from posebus.contract.foreign_json import whole
from posebus.contract.wire import MAX_SIDE_PX

EXPIRY_MARGIN_S = 5.0
"""Pictures of a camera that has stopped go so long after the last one has reached its age: ingest may restart."""
MAX_EPOCH = 2**53
MAX_PICTURE_BYTES = 16_000_000
AT_ONCE = 16
_TOO_OLD = "equal or smaller"
"""What the broker says about an entry whose id precedes the newest one."""


@dataclass(frozen=True, slots=True)
class RingPicture:
    """One picture of a ring: `jpeg` of `image_size_px` shows the frame (epoch, seq) of a source of `size_px`.

    Sizes are (width, height). The picture shows the whole frame, in square pixels.
    """

    epoch: int
    seq: int
    captured_at_ns: int
    size_px: tuple[int, int]
    image_size_px: tuple[int, int]
    jpeg: bytes


class RingWriter:
    """Adds pictures to the ring of `camera`, within `seconds` and `max_bytes`. Methods raise the broker's errors."""

    def __init__(self, broker: Broker, camera: str, seconds: float, max_bytes: int) -> None:
        self._broker = broker
        self._key = broker.topology.evidence(camera)
        self._expires_ms = int((seconds + EXPIRY_MARGIN_S) * 1000)
        self._seconds, self._max_bytes = seconds, max_bytes
        self._budget: RingBudget | None = None

    def add(self, picture: RingPicture) -> bool:
        """Add a picture and delete the oldest ones; False if the ring has a newer one, of this or another writer.

        The whole ring expires when no picture follows. Repeating a call is harmless.
        """
        if self._budget is None:
            self._budget = self._opened()
        fields = {
            "epoch": picture.epoch,
            "seq": picture.seq,
            "captured_at_ns": picture.captured_at_ns,
            "size": f"{picture.size_px[0]}x{picture.size_px[1]}",
            "image_size": f"{picture.image_size_px[0]}x{picture.image_size_px[1]}",
            "data": picture.jpeg,
        }
        kept = self._budget.add(entry_bytes(fields), time.monotonic())
        counted, self._budget = self._budget, None  # counted anew after an error: the broker may have lost pictures
        entry_id = f"{picture.epoch}-{picture.seq}"
        with self._broker.errors():
            pipeline = self._broker.client.pipeline(transaction=True)
            pipeline.xadd(self._key, cast(Any, fields), id=entry_id, maxlen=kept, approximate=False)
            pipeline.pexpire(self._key, self._expires_ms)
            added = pipeline.execute(raise_on_error=False)[0]
            if isinstance(added, redis.ResponseError) and _TOO_OLD in str(added):
                return False
            if isinstance(added, Exception):
                raise added
        self._budget = counted
        return True

    def clear(self) -> None:
        """Delete all pictures."""
        self._budget = None
        with self._broker.errors():
            self._broker.client.delete(self._key)

    def _opened(self) -> RingBudget:
        budget = RingBudget(self._seconds, self._max_bytes)
        with self._broker.errors():
            pipeline = self._broker.client.pipeline(transaction=False)
            pipeline.xlen(self._key)
            pipeline.memory_usage(self._key, samples=0)
            number, size_bytes = pipeline.execute(raise_on_error=False)
        if isinstance(number, int) and isinstance(size_bytes, int) and number:
            budget.found(number, size_bytes // number, time.monotonic())
        return budget


def picture_of(broker: Broker, camera: str, epoch: int, seq: int) -> RingPicture | None:
    """Return the picture of this very frame. Raises the broker's errors, as do all functions here."""
    return next(iter(_range(broker, camera, (epoch, seq), (epoch, seq), 1)), None)


def pictures_around(broker: Broker, camera: str, epoch: int, seq: int, each_side: int = 1) -> list[RingPicture]:
    """Return the last pictures before a frame and the first ones after it, of the same epoch."""
    key, client = broker.topology.evidence(camera), broker.client
    with broker.errors():
        before: Any = client.xrevrange(key, f"({epoch}-{seq}", f"{epoch}-0", count=each_side) if seq else []
        after: Any = client.xrange(key, f"({epoch}-{seq}", f"{epoch}-{MAX_EPOCH}", count=each_side)
    return [picture for _, fields in (*before, *after) if (picture := read_picture(fields)) is not None]


def pictures_of_epoch(broker: Broker, camera: str, epoch: int) -> Iterator[RingPicture]:
    """Yield all pictures of an epoch that are in the ring, oldest first."""
    first = (epoch, 0)
    while page := _range(broker, camera, first, (epoch, MAX_EPOCH), AT_ONCE):
        yield from page
        first = (epoch, page[-1].seq + 1)


def read_picture(fields: Mapping[bytes, bytes]) -> RingPicture | None:
    """Return the picture in the fields of an entry; None for an entry that is none."""
    try:
        jpeg = fields[b"data"]
        if not jpeg.startswith(b"\xff\xd8") or len(jpeg) > MAX_PICTURE_BYTES:
            return None
        return RingPicture(
            epoch=whole(fields[b"epoch"], most=MAX_EPOCH),
            seq=whole(fields[b"seq"]),
            captured_at_ns=whole(fields[b"captured_at_ns"]),
            size_px=_size(fields[b"size"]),
            image_size_px=_size(fields[b"image_size"]),
            jpeg=jpeg,
        )
    except (KeyError, ValueError, TypeError):
        return None


def _range(broker: Broker, camera: str, first: tuple[int, int], last: tuple[int, int], count: int) -> list[RingPicture]:
    key = broker.topology.evidence(camera)
    with broker.errors():
        found: Any = broker.client.xrange(key, f"{first[0]}-{first[1]}", f"{last[0]}-{last[1]}", count=count)
    return [picture for _, fields in found if (picture := read_picture(fields)) is not None]


def _size(text: bytes) -> tuple[int, int]:
    width, _, height = text.partition(b"x")
    return whole(width, 1, MAX_SIDE_PX), whole(height, 1, MAX_SIDE_PX)
