"""The published pictures of a camera, kept in a file on this machine, so that a live camera can be drawn afterwards.

A file is a sequence of records: a mark, the capture time of the picture, its length, and its JPEG. A process that was
killed while it wrote leaves half a record at the end, which no reader counts.
"""

from __future__ import annotations

import os
import shutil
import struct
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import BinaryIO

_HEADER = struct.Struct("<4sQI")
_MARK = b"PBP1"
MIN_FREE_BYTES = 500_000_000
"""Pictures stop being kept when the disk has less room than this: it belongs to the tracks and to other programs."""
CHECKED_EVERY_BYTES = 20_000_000


class PictureKeeper:
    """Appends pictures to a file; `trouble` is why it does not any more, None while it does. It never raises."""

    def __init__(self, path: Path) -> None:
        """A file that another process began is continued behind its last complete picture."""
        self.trouble: str | None = None
        self._path = path
        self._unchecked_bytes = CHECKED_EVERY_BYTES
        self._file: BinaryIO | None = None
        try:
            self._file = path.open("r+b" if path.exists() else "x+b", buffering=0)
            end = max((offset + length for _, offset, length in _records(self._file)), default=0)
            self._file.truncate(end)
            self._file.seek(end)
        except OSError as error:
            self._give_up(error.strerror or str(error))

    def add(self, captured_at_ns: int, jpeg: bytes) -> None:
        """Append one picture."""
        if self._file is None:
            return
        try:
            self._unchecked_bytes += len(jpeg)
            if self._unchecked_bytes >= CHECKED_EVERY_BYTES:
                self._unchecked_bytes = 0
                if shutil.disk_usage(self._path.parent).free < MIN_FREE_BYTES:
                    self._give_up(f"the disk has less than {MIN_FREE_BYTES // 10**6} MB left")
                    return
            record = _HEADER.pack(_MARK, captured_at_ns, len(jpeg)) + jpeg
            if self._file.write(record) < len(record):
                self._give_up("the disk is full")
        except OSError as error:
            self._give_up(error.strerror or str(error))

    def close(self) -> None:
        """Close the file; `add` does nothing from now on."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def _give_up(self, trouble: str) -> None:
        self.close()
        self.trouble = trouble


class KeptPictures:
    """Reads such a file. Use it in a `with`."""

    def __init__(self, path: Path) -> None:
        """Raises OSError."""
        self._file = path.open("rb")
        self._places = {captured_at_ns: (offset, length) for captured_at_ns, offset, length in _records(self._file)}

    def __len__(self) -> int:
        return len(self._places)

    def jpeg(self, captured_at_ns: int) -> bytes | None:
        """Return the picture that was captured at this time; None if it was not kept. Raises OSError."""
        place = self._places.get(captured_at_ns)
        if place is None:
            return None
        self._file.seek(place[0])
        return self._file.read(place[1])

    def __enter__(self) -> KeptPictures:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()


def _records(file: BinaryIO) -> Iterator[tuple[int, int, int]]:
    """Yield capture time, offset and length of each complete picture in `file`."""
    size = os.fstat(file.fileno()).st_size
    offset = 0
    while offset + _HEADER.size <= size:
        file.seek(offset)
        mark, captured_at_ns, length = _HEADER.unpack(file.read(_HEADER.size))
        offset += _HEADER.size
        if mark != _MARK or offset + length > size:
            return
        yield captured_at_ns, offset, length
        offset += length
