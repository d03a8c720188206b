"""A file that is looked at again and again: its content, once it has changed and is written to its end."""

from __future__ import annotations

import errno
import stat
from pathlib import Path

from posebus.config.yamlfile import MAX_FILE_BYTES

LOOK_EVERY_S = 0.1
"""A look is one `stat`, a few microseconds."""
READ_EVERY_S = 2.0
"""It is also read this often: some file systems (network, shared folders of virtual machines) keep old times."""
SETTLED_S = 0.25
"""A new content has to stay the same for so long: a half-written YAML file may be valid, with half of its cameras."""
MISSING_S = 3.0
"""Editors and deployments that replace a file leave it missing for a moment; after so long it is reported."""

_Signature = tuple[int, int, int, int]


class WatchedFile:
    """Works with files that are rewritten in place or replaced, and with symbolic links that are moved, as Kubernetes
    does with those of a ConfigMap. It reads, but never raises OSError after its first reading."""

    def __init__(self, path: Path, settled_s: float = SETTLED_S) -> None:
        """Read the file for the first time. Raises OSError.

        settled_s: 0 for a file that is always replaced as a whole.
        """
        self.path = path
        self.content = _read(path)
        """What `poll` returned last, or what was read first."""
        self.can_change = stat.S_ISREG(path.stat().st_mode)
        """False for a pipe, which can be read only once."""
        self.problem: str | None = None
        """Why the file cannot be read at present, once that has lasted; without the name of the file."""
        self._settled_s = settled_s
        self._signature: _Signature | None = None
        self._looked_at_s = self._read_at_s = -1e9
        self._candidate: bytes | None = None
        self._candidate_since_s = 0.0
        self._missing_since_s: float | None = None

    def poll(self, now_s: float, *, at_once: bool = False) -> bytes | None:
        """Return the content if it is another one than before and complete, else None. `now_s` is monotonic.

        at_once: return what is there now, also if it is the same.
        """
        if not self.can_change or (now_s - self._looked_at_s < LOOK_EVERY_S and not at_once):
            return None
        self._looked_at_s = now_s
        try:
            content = self._look(now_s, always=at_once or self._candidate is not None)
        except OSError as error:
            self._is_missing(error, now_s, at_once=at_once)
            return None
        self._missing_since_s = self.problem = None
        if at_once and content is not None:
            return self._take(content)
        if content is None or content == self.content:
            self._candidate = None if content is not None else self._candidate
            return None
        if content != self._candidate:
            self._candidate, self._candidate_since_s = content, now_s
        return self._take(content) if now_s - self._candidate_since_s >= self._settled_s else None

    def _take(self, content: bytes) -> bytes:
        self.content, self._candidate = content, None
        return content

    def _look(self, now_s: float, *, always: bool) -> bytes | None:
        """Return the content, or None if nothing suggests that it changed."""
        found = self.path.stat()
        if not stat.S_ISREG(found.st_mode):
            raise OSError(errno.EINVAL, "it is no file any more")
        signature = (found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns)
        if signature == self._signature and not always and now_s - self._read_at_s < READ_EVERY_S:
            return None
        content = _read(self.path)
        self._signature, self._read_at_s = signature, now_s
        return content

    def _is_missing(self, error: OSError, now_s: float, *, at_once: bool) -> None:
        self._signature = self._candidate = None
        if self._missing_since_s is None:
            self._missing_since_s = now_s
        if at_once or now_s - self._missing_since_s >= MISSING_S:
            self.problem = "is missing" if isinstance(error, FileNotFoundError) else f"cannot be read: {error.strerror}"


def _read(path: Path) -> bytes:
    """Return the content; of a file that is far too large for a configuration, enough to see that."""
    with path.open("rb") as file:
        return file.read(MAX_FILE_BYTES + 1)
