"""Where snapshots are kept: in the broker, or in a folder; both within seconds and bytes."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from posebus.bus.evidence.snapshots import has_snapshot, store_snapshot
from posebus.bus.redis.connection import Broker
from posebus.config.cameras.evidence import SnapshotSettings
from posebus.contract.evidence import FrameReference
from posebus.subscribing.evidence import snapshot_path
from recordings.results.files import PARTIAL, make_folder, write_at_once, writing

TIDY_EVERY_S = 60.0
PARTIAL_AGE_S = 3600.0
"""A file that is incomplete for so long was left by a process that was killed."""
_NAME = re.compile(r"\d{1,20}-\d{1,20}\.jpg", re.ASCII)


class SnapshotStore(Protocol):
    """Keeps snapshots. Methods raise BrokerUnavailable, BrokerRefused and OutputError."""

    def has(self, frame: FrameReference) -> bool:
        """Return whether there is a snapshot of `frame`."""

    def put(self, frame: FrameReference, jpeg: bytes) -> bool:
        """Keep a snapshot; False if there is one, which stays."""

    def tidy(self, now_s: float) -> None:
        """Delete what is too old; called often. `now_s` is monotonic."""


class BrokerStore:
    """Snapshots as keys of the broker, which expire by themselves."""

    def __init__(self, broker: Broker, settings: SnapshotSettings) -> None:
        self._broker = broker
        self._settings = settings

    def has(self, frame: FrameReference) -> bool:
        """See `SnapshotStore.has`."""
        return has_snapshot(self._broker, frame.camera, frame[1:])

    def put(self, frame: FrameReference, jpeg: bytes) -> bool:
        """See `SnapshotStore.put`."""
        kept = self._settings
        return store_snapshot(self._broker, frame.camera, frame[1:], jpeg, keep_s=kept.keep_s, max_bytes=kept.max_bytes)

    def tidy(self, now_s: float) -> None:
        """Nothing is left to do."""


class FolderStore:
    """Snapshots as files FOLDER/CAMERA/EPOCH-SEQ.jpg. Other files there are left alone."""

    def __init__(self, folder: Path, settings: SnapshotSettings, now_s: Callable[[], float] = time.time) -> None:
        """`now_s`: the wall clock, by which files are dated. Raises OutputError where no file can be written."""
        make_folder(folder)
        self._folder = folder
        self._settings = settings
        self._now_s = now_s
        self._tidied_at_s: float | None = None

    def has(self, frame: FrameReference) -> bool:
        """See `SnapshotStore.has`."""
        return snapshot_path(self._folder, frame).is_file()

    def put(self, frame: FrameReference, jpeg: bytes) -> bool:
        """See `SnapshotStore.put`; the oldest files of the camera are deleted first."""
        path = snapshot_path(self._folder, frame)
        with writing(path):
            path.parent.mkdir(exist_ok=True)
            if path.exists():
                return False
            self._make_room(path.parent, len(jpeg))
        write_at_once(path, jpeg)
        return True

    def tidy(self, now_s: float) -> None:
        """See `SnapshotStore.tidy`. It looks at the files once a minute, and at the beginning."""
        if self._tidied_at_s is not None and now_s - self._tidied_at_s < TIDY_EVERY_S:
            return
        self._tidied_at_s = now_s
        with writing(self._folder):
            for camera in [path for path in self._folder.iterdir() if path.is_dir()]:
                self._make_room(camera, 0)

    def _make_room(self, folder: Path, needed_bytes: int) -> None:
        now_s, total = self._now_s(), needed_bytes
        found = []
        for path in folder.iterdir():
            if _NAME.fullmatch(path.name):
                status = path.stat()
                found.append((status.st_mtime, status.st_size, path))
            elif path.name.endswith(PARTIAL) and now_s - path.stat().st_mtime > PARTIAL_AGE_S:
                path.unlink(missing_ok=True)
        for modified_s, size_bytes, path in sorted(found, reverse=True):
            total += size_bytes
            if total > self._settings.max_bytes or now_s - modified_s > self._settings.keep_s:
                path.unlink(missing_ok=True)


def open_store(broker: Broker, settings: SnapshotSettings) -> SnapshotStore:
    """Return the store of these settings. Raises OutputError for a folder into which no file can be written."""
    if settings.folder is None:
        return BrokerStore(broker, settings)
    return FolderStore(Path(settings.folder).expanduser(), settings)
