"""By what a recording is recognised in a later run: its path, size and time of change."""

from __future__ import annotations

from typing import Any

from posebus.config.local_files import is_file_address, local_path
from posebus.config.redaction import redact_url
from posebus.errors import SourceRejected

Identity = dict[str, Any]
"""`path`, and where that is a file or folder `bytes` and `modified_ns`; of a folder also `files`."""


def identity_of(source: str) -> Identity:
    """Return what `source` is now; of a folder its files in all. What is missing has only a path."""
    if "://" in source and not is_file_address(source):
        return {"path": redact_url(source)}
    try:
        path = local_path(source)
        named = {"path": str(path.absolute())}
        if not path.is_dir():
            status = path.stat()
            return {**named, "bytes": status.st_size, "modified_ns": status.st_mtime_ns}
        found = [entry.stat() for entry in path.iterdir() if entry.is_file() and not entry.name.startswith(".")]
    except SourceRejected:
        return {"path": source}
    except (OSError, ValueError):
        return named
    return {
        **named,
        "bytes": sum(status.st_size for status in found),
        "modified_ns": max((status.st_mtime_ns for status in found), default=0),
        "files": len(found),
    }
