"""The names that a run has taken in its folder, so that several runs at the same time write different files there.

Each run keeps a small hidden file with its names, locked for as long as it lives: the file of a run that was killed is
not locked any more and counts for nothing. On a file system without locks, no run knows of the others.
"""

from __future__ import annotations

import fcntl
import json
import os
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from posebus.contract.foreign_json import load_json
from posebus.errors import MalformedMessage, OutputError
from recordings.results.files import writing

PREFIX = ".posebus-run-"


@contextmanager
def claimed(folder: Path, choose: Callable[[frozenset[str]], Sequence[str]]) -> Iterator[Sequence[str]]:
    """Take the names that `choose` returns, until the context ends. Raises OutputError.

    `choose` is called with the names that other runs have taken in `folder`.
    """
    with ExitStack() as stack:
        with suppress(OutputError):  # without locks, which some network file systems lack, the run goes on
            stack.enter_context(locked(folder))
        names = choose(taken(folder))
        path = folder / f"{PREFIX}{uuid.uuid4().hex}"
        with writing(path):
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o666)
            os.write(descriptor, json.dumps(list(names)).encode())
        with suppress(OSError):
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    try:
        yield names
    finally:
        path.unlink(missing_ok=True)
        os.close(descriptor)


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Keep other processes out of the same block for `folder`. Raises OutputError."""
    with writing(folder):
        descriptor = os.open(folder, os.O_RDONLY)
    try:
        with writing(folder):
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def taken(folder: Path) -> frozenset[str]:
    """Return the names that runs under way have taken in `folder`."""
    found: set[str] = set()
    for path in folder.glob(f"{PREFIX}*"):
        with suppress(OSError, MalformedMessage):
            found.update(_names(path))
    return frozenset(found)


def _names(path: Path) -> list[str]:
    """Return the names in the file of a run that lives; the file of another one is removed."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        names = load_json(path.read_bytes(), "the file of a run")
        return [str(name) for name in names] if isinstance(names, list) else []
    finally:
        os.close(descriptor)
    path.unlink(missing_ok=True)
    return []
