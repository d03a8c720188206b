"""Folders for unfinished files, which are deleted in whichever way their use ends."""

from __future__ import annotations

import atexit
import secrets
import shutil
import tempfile
import time
from pathlib import Path
from types import TracebackType

PREFIX = "posebus-"
CACHE_PREFIX = ".unfinished-"
ABANDONED_S = 24 * 3600.0
"""No export, build or download takes as long, so an older folder belongs to a process that was killed."""


class ScratchFolder:
    """A new, empty folder that only this user can read: `path`. Use it in a `with`, or call `delete`.

    Unlike with `tempfile.TemporaryDirectory`, there is no moment at which Ctrl-C leaves the folder behind: its deletion
    is registered before it is created, and happens at the latest when the process exits, not when nothing refers to it.
    """

    def __init__(self, parent: Path | None = None, prefix: str = PREFIX) -> None:
        """Create it in `parent`, or in the system's folder for temporary files. Raises OSError."""
        self.path = (parent or Path(tempfile.gettempdir())) / f"{prefix}{secrets.token_hex(6)}"
        atexit.register(self.delete)
        try:
            self.path.mkdir(mode=0o700)
        except BaseException:
            self.delete()
            raise

    def delete(self) -> None:
        """Delete the folder and all that is in it; harmless if that has happened."""
        shutil.rmtree(self.path, ignore_errors=True)
        atexit.unregister(self.delete)

    def __enter__(self) -> Path:
        return self.path

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.delete()


def cache_scratch(cache: Path) -> ScratchFolder:
    """Return a scratch folder in `cache`, so that a finished file is installed by renaming it. Raises OSError.

    Folders there that were left behind by processes that were killed are deleted.
    """
    for folder in cache.glob(f"{CACHE_PREFIX}*"):
        if time.time() - _changed_at_s(folder) > ABANDONED_S:
            shutil.rmtree(folder, ignore_errors=True)
    return ScratchFolder(cache, CACHE_PREFIX)


def _changed_at_s(folder: Path) -> float:
    """Return when the newest thing in `folder` was written; now, if another process is deleting it."""
    try:
        return max(path.stat().st_mtime for path in (folder, *folder.iterdir()))
    except OSError:
        return time.time()
