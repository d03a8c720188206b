"""The sink `jsonl`: messages in their public JSON form, one a line, at the end of a file, which may be rotated."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from pydantic import Field

from posebus.config.worker_settings import Strict
from posebus.contract.public_json import dump
from posebus.errors import OutputError
from posebus.sinks.base import SinkSpec
from posebus.sinks.jsonl.rotation import period_of, rotate
from posebus.sinks.options import read_options
from posebus.subscribing.subscription import Message, message_to_json


class JsonLinesOptions(Strict):
    """The options of the sink `jsonl`."""

    path: Path = Field(description="the file to which it appends")
    max_bytes: int | None = Field(
        default=None, ge=1000, description="The file is rotated before a line that would make it larger"
    )
    every_s: float | None = Field(
        default=None, ge=1.0, description="The file is rotated so often; 86400 is every day at midnight UTC"
    )
    keep: int = Field(default=10, ge=1, le=100_000, description="Full files that are kept; older ones are deleted")


class JsonLines:
    """Appends to a file. A line counts as written when the system has all of it; otherwise it is taken back."""

    def __init__(self, options: JsonLinesOptions, now_s: Callable[[], float] = time.time) -> None:
        self._path = options.path.expanduser().absolute()
        self._options = options
        self._now_s = now_s
        self._file = -1
        self._size = self._inode = self._period = 0
        try:
            self._open()
        except OSError as error:
            raise OutputError(f"the sink jsonl cannot write {options.path}: {error.strerror}") from error

    def write(self, message: Message) -> None:
        """Write one line, and hand it to the system before the message counts as handled. Raises OSError."""
        content = message_to_json(message)
        if content is None:
            return
        line = f"{dump(content)}\n".encode()
        self._follow(len(line))
        begin = self._size
        try:
            written = os.write(self._file, line)
            while written < len(line):
                written += os.write(self._file, line[written:])
        except OSError:
            # A full disk takes a part of the line, behind which the next attempt would continue.
            with contextlib.suppress(OSError):
                os.ftruncate(self._file, begin)
            raise
        self._size = begin + len(line)

    def close(self) -> None:
        """Close the file."""
        os.close(self._file)

    def _follow(self, more_bytes: int) -> None:
        """Rotate the file if it is full or of an earlier period; open it anew if another program has moved it."""
        now_s = self._now_s()
        options = self._options
        full = options.max_bytes is not None and self._size + more_bytes > options.max_bytes
        period = period_of(now_s, options.every_s)
        if self._size and (full or period != self._period) and self._is_in_place():
            rotate(self._path, now_s, options.keep)
        if not self._is_in_place():
            before = self._file
            self._open()
            os.close(before)
        if not self._size:
            self._period = period

    def _open(self) -> None:
        self._file = os.open(self._path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o666)
        state = os.fstat(self._file)
        if state.st_size and os.pread(self._file, 1, state.st_size - 1) != b"\n":
            os.write(self._file, b"\n")  # a process was killed within a line
            state = os.fstat(self._file)
        self._size = state.st_size
        self._inode = state.st_ino
        self._period = period_of(state.st_mtime if state.st_size else self._now_s(), self._options.every_s)

    def _is_in_place(self) -> bool:
        try:
            return self._path.stat().st_ino == self._inode
        except OSError:
            return False


def open_jsonl(options: Mapping[str, Any]) -> JsonLines:
    """Open the file of the option `path`. Raises ConfigError for wrong options, and OutputError."""
    return JsonLines(read_options(JsonLinesOptions, options, "jsonl"))


def check_jsonl(options: Mapping[str, Any]) -> None:
    """Raise ConfigError for wrong options, and OutputError for a file that this user cannot write."""
    path = read_options(JsonLinesOptions, options, "jsonl").path
    place = path.expanduser().absolute()
    if not os.access(place if place.exists() else place.parent, os.W_OK) or place.is_dir():
        raise OutputError(
            f"the sink jsonl cannot write {path}: there is no such folder, or this user may not write to it"
        )


SPEC = SinkSpec("jsonl", open_jsonl, ("tracks", "events"), check=check_jsonl)
