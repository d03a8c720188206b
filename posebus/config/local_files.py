"""Files on this machine: the path that a source names, and whether it can be read from the beginning to the end."""

from __future__ import annotations

import os
import stat
from glob import has_magic
from pathlib import Path
from urllib.parse import quote, unquote_to_bytes

from posebus.config.redaction import redact_url
from posebus.errors import SourceMissing, SourceRejected

FILE_SCHEME = "file:"
THIS_MACHINE = frozenset({"", "localhost"})
SETTLED_S = 5.0
"""Copying changes a file more often than this."""
STREAMS = ("/dev/stdin", "/dev/fd/", "/proc/self/fd/")
"""Names that mean another file in each process."""


def local_path(source: str) -> Path:
    """Return the path that `source` names, which is a path itself or a file address (RFC 8089).

    `file:///a%20b.mp4`, `FILE://localhost/a%20b.mp4` and `file:/a%20b.mp4` name `/a b.mp4`, and `file:a.mp4` a file in
    the current folder. In a path, no character has a meaning of its own. Raises SourceRejected for an address without
    a path, or of another computer.
    """
    if not source:
        raise SourceRejected("the name of a file is empty: give a file or a folder of pictures")
    if not is_file_address(source):
        return Path(source)
    path = source[len(FILE_SCHEME) :]
    if path.startswith("//"):
        host, slash, rest = path[2:].partition("/")
        path = slash + rest
        computer = host.rpartition("@")[2]
        if computer.lower() not in THIS_MACHINE:
            raise SourceRejected(
                f"{redact_url(source)} names a file on the computer {computer}: write file:///PATH or the path alone "
                "for a file on this one, and mount the folder of another one"
            )
    if not path:
        raise SourceRejected(f"{source} names no file: write file:///PATH, or the path alone")
    return Path(os.fsdecode(unquote_to_bytes(os.fsencode(path))))


def is_file_address(source: str) -> bool:
    """Return whether `source` is an address of the scheme `file`, which is written in any case."""
    return source[: len(FILE_SCHEME)].lower() == FILE_SCHEME


def same_for_children(source: str) -> str:
    """Return `source` so that child processes find the same file by it.

    A name with bytes that are no UTF-8 becomes a file address, since settings hold text; and a name such as /dev/stdin
    is replaced by that of the file behind it, if it is a file.
    """
    if source.startswith(STREAMS):
        behind = os.path.realpath(source)
        source = behind if Path(behind).is_file() else source
    if _is_text(source):
        return source
    path = os.fsencode(source)
    return source if is_file_address(source) else FILE_SCHEME + quote(path)


def check_readable(path: Path) -> None:
    """Raise SourceMissing with one sentence if there is no readable file `path` with something in it.

    Raises SourceRejected for what is no file. Pipes are refused before they are opened, which could wait for ever.
    """
    try:
        mode = path.stat().st_mode
        if stat.S_ISDIR(mode):
            raise SourceRejected(f"{path} is a folder without pictures; give a video file or a folder of pictures")
        if not stat.S_ISREG(mode):
            raise SourceRejected(f"{path} is {_special(mode)}")
        with path.open("rb") as file:
            if not file.read(1):
                raise SourceMissing(f"{path} is empty (0 bytes); copy or record it again")
    except FileNotFoundError as error:
        what = "no file matches" if has_magic(str(path)) else "there is no file"
        raise SourceMissing(f"{what} {path}; check the path") from error
    except OSError as error:
        raise SourceMissing(f"{path} cannot be read: {error.strerror or error}") from error
    except ValueError as error:  # a zero byte in it
        raise SourceRejected(f"{str(path)!r} cannot be the name of a file: {error}") from error


def is_folder(path: Path) -> bool:
    """Return whether `path` is a folder; False, too, where that cannot be found out."""
    try:
        return path.is_dir()
    except (OSError, ValueError):
        return False


def is_being_written(source: str, now_s: float) -> bool:
    """Return whether `source` is a file that changed in the last SETTLED_S; `now_s` is the wall clock (Unix time).

    A recording that is copied is no video until all of it is there.
    """
    try:
        found = local_path(source).stat()
    except (SourceRejected, OSError, ValueError):
        return False
    # The clock of a server may be ahead of ours.
    return stat.S_ISREG(found.st_mode) and abs(now_s - found.st_mtime) < SETTLED_S


def _special(mode: int) -> str:
    if stat.S_ISFIFO(mode):
        return "a pipe, which can be read only once, while recordings are read several times; save it as a file first"
    if stat.S_ISSOCK(mode):
        return "a socket and no file; give a video file or a folder of pictures"
    return "a device and no file; give a file, or usb:0 for the first USB camera"


def _is_text(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True
