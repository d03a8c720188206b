"""Which entries this worker has taken and not yet committed: they are not to be reclaimed by itself."""

from __future__ import annotations

import threading
from collections.abc import Iterable

from posebus.bus.frame_reader import FrameEntry


class Held:
    """A set of entries that the reading thread fills and the committing one empties."""

    def __init__(self) -> None:
        self._entries: set[tuple[str, bytes]] = set()
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._entries)

    def __contains__(self, entry: FrameEntry) -> bool:
        return (entry.camera, entry.entry_id) in self._entries

    def add(self, entry: FrameEntry) -> None:
        """Taken."""
        with self._lock:
            self._entries.add((entry.camera, entry.entry_id))

    def release(self, entries: Iterable[FrameEntry]) -> None:
        """Committed, or given up: whoever finds them pending may have them."""
        with self._lock:
            self._entries.difference_update((entry.camera, entry.entry_id) for entry in entries)
