"""Images that stay on this machine: uncompressed in files in its memory; the broker carries only their names.

Compressing an image, moving it through the broker and decompressing it costs a third of everything besides the network.
If ingest and workers run on one machine, none of that is needed. A file is written before its name is published, and
deleted by the worker that has committed the frame; until then, a worker that reclaims the frame finds it.
"""

# Paths are strings here: pathlib's would cost a tenth of a millisecond a frame.
# ruff: noqa: PTH104, PTH108, PTH123, PTH208

from __future__ import annotations

import contextlib
import mmap
import os
import re
import shlex
import shutil
from collections.abc import Iterator
from pathlib import Path

from posebus.errors import BadPicture
from posebus.machine.scratch import ScratchFolder
from posebus.runtime.processes import cancel, run_after_exit

MEMORY_FOLDER = Path("/dev/shm")
BYTES_PER_PIXEL = 3
_FREE = ".free-"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,120}")


class SharedFrames:
    """The files of one deployment in `folder`, which exists. Names come from the broker and are not trusted."""

    def __init__(self, folder: Path) -> None:
        self._folder = str(folder)

    def put(self, name: str, rows: memoryview) -> None:
        """Write the image `rows` under `name`. Raises OSError if there is no room."""
        path = self._path(name)
        self._take_free(path)
        file = os.open(path, os.O_WRONLY | os.O_CREAT, 0o600)
        try:
            if os.fstat(file).st_size > len(rows):
                # Not truncated: that would kill a worker that came too late and still reads it (SIGBUS).
                os.close(file)
                os.unlink(path)
                file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            os.ftruncate(file, len(rows))
            while len(rows):
                rows = rows[os.write(file, rows) :]
        except OSError:
            os.unlink(path)
            raise
        finally:
            os.close(file)

    def get(self, name: str) -> memoryview:
        """The image `name`, not copied; it stays readable when it is discarded. Raises BadPicture if it is missing."""
        try:
            with open(self._path(name), "rb") as file:
                return memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
        except (OSError, ValueError) as error:
            raise BadPicture(
                f"the image {name} is not in {self._folder}: workers with shared_frames must run on the machine "
                "of their ingest"
            ) from error

    def copy(self, name: str) -> bytes:
        """A copy of the image `name`, for a reader that no one waits for. Raises BadPicture if it is missing.

        A worker may discard it meanwhile, and another image be written into its memory: that is noticed.
        """
        path = self._path(name)
        with self.get(name) as rows:
            found = bytes(rows)
        if not os.path.exists(path):  # noqa: PTH110
            raise BadPicture(f"the image {name} was discarded while it was read")
        return found

    def discard(self, name: str) -> None:
        """Release the image `name`; harmless if it is gone.

        A later image uses its memory: letting the system clear it would cost more than writing it. A worker that still
        reads it may read the later image, and is too late anyway: the frame was committed.
        """
        with contextlib.suppress(OSError):
            os.rename(self._path(name), f"{self._folder}/{_FREE}{name}")

    def _take_free(self, path: str) -> None:
        """Rename a released file to `path`, if there is one."""
        for name in os.listdir(self._folder):
            if name.startswith(_FREE):
                with contextlib.suppress(FileNotFoundError):  # another ingest process was faster
                    os.rename(f"{self._folder}/{name}", path)
                    return

    def _path(self, name: str) -> str:
        if not _NAME.fullmatch(name):
            raise BadPicture(
                f"{name[:40]!r} cannot be the name of a shared image: no ingest of posebus writes such names"
            )
        return f"{self._folder}/{name}"


@contextlib.contextmanager
def shared_folder(needed_bytes: int) -> Iterator[Path | None]:
    """A folder in memory until the context ends; None if the memory has less than twice the room that is needed.

    The folder is deleted even if this process is killed.
    """
    try:
        room = shutil.disk_usage(MEMORY_FOLDER).free
        scratch = ScratchFolder(MEMORY_FOLDER) if room > 2 * needed_bytes else None
    except OSError:
        scratch = None
    if scratch is None:
        yield None
        return
    guard = run_after_exit(f"rm -rf {shlex.quote(str(scratch.path))}")
    try:
        yield scratch.path
    finally:
        scratch.delete()
        cancel(guard)
