"""Health of this machine's processes, for `posebus health ROLE`: each loop writes a small file, which the check reads.

The check runs every few seconds in every container, so nothing is imported here that takes an interpreter milliseconds,
such as `pathlib` or `dataclasses`. A process holds a lock on its file, which the system releases when it dies.
"""

from __future__ import annotations

import atexit
import fcntl
import os
import stat
import sys
import time
from collections.abc import Iterator, Mapping, Sequence

FOLDER_ENV = "POSEBUS_HEALTH_DIR"
ROLES = ("ingest", "worker", "tracker", "evidence", "sink", "metrics", "wall")
INGEST_SUPERVISOR = "ingest.supervisor"
"""The process that restarts the cameras' processes, whose role is `ingest`."""
SILENT_AFTER_S = 5.0
"""A loop turns several times a second and reports once a second: far above that, and as long as the registry waits."""
NEW_PREFIX = ".new-"
TIME_BYTES = 20


def health_folder(environ: Mapping[str, str]) -> str:
    """The folder of the files: the one that `environ` names, else this user's own among the temporary files."""
    return environ.get(FOLDER_ENV) or f"{environ.get('TMPDIR') or '/tmp'}/posebus-health-{os.getuid()}"


class HealthFile:
    """The file of this process, until it ends. `beat` is to be called from the loop that works, once it can work."""

    def __init__(self, role: str, folder: str | None = None) -> None:
        """`role` is one of ROLES or INGEST_SUPERVISOR; `folder` is by default that of the environment."""
        self._folder = health_folder(os.environ) if folder is None else folder
        self._path = f"{self._folder}/{role}-{os.getpid()}"
        self._descriptor: int | None = None
        self._failed = False

    def beat(self, now_s: float) -> None:
        """Note that the loop turned at `now_s` (monotonic). Where no file can be written, it is logged once."""
        if self._failed:
            return
        try:
            if self._descriptor is None:
                self._descriptor = _create(self._folder, self._path, now_s)
                atexit.register(self.remove)
            else:
                _write_time(self._descriptor, now_s)
        except OSError as error:
            self._failed = True
            import logging

            reason = error.strerror or error
            logging.getLogger("posebus").warning(
                "'posebus health' cannot see this process, because %s cannot be written: %s; name another folder in %s",
                self._folder,
                reason,
                FOLDER_ENV,
            )

    def remove(self) -> None:
        """Remove the file; a process that ends does it by itself, unless it is killed."""
        if self._descriptor is None:
            return
        _unlink(self._path)
        os.close(self._descriptor)
        self._descriptor = None


def check(role: str, folder: str, now_s: float) -> str | None:
    """None if processes of `role` run here and the loop of each one turns, else what is wrong. `now_s` is monotonic."""
    found = False
    for name, age_s in _living(folder, (role, f"{role}.supervisor"), now_s):
        kind, _, process = name.rpartition("-")
        if age_s > SILENT_AFTER_S:
            who = role if kind == role else f"the supervisor of {role}"
            return (
                f"{who} (process {process}) last reported {age_s:.0f} s ago: it hangs, or the broker does not answer; "
                "its log says more"
            )
        found = found or kind == role
    return None if found else f"no {role} is ready on this machine: none runs here, or it is still starting"


def run_check(role: str) -> int:
    """Print whether processes of `role` are healthy, and return the exit code of the command: 0 or 1."""
    problem = check(role, health_folder(os.environ), time.monotonic())
    if problem is None:
        sys.stdout.write(f"{role} is healthy\n")
        return 0
    sys.stderr.write(f"posebus: {problem}\n")
    return 1


def _create(folder: str, path: str, now_s: float) -> int:
    """Create the file at `path`; it appears when it is locked and its first time is written. Returns its descriptor."""
    try:
        os.mkdir(folder, mode=0o700)  # noqa: PTH102
    except FileExistsError:
        if not _is_trusted(folder):
            raise PermissionError(1, "it belongs to another user") from None
    for name in _names(folder):
        _remove_if_dead(f"{folder}/{name}")
    new = f"{folder}/{NEW_PREFIX}{os.getpid()}"
    descriptor = os.open(new, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    _write_time(descriptor, now_s)
    os.rename(new, path)  # noqa: PTH104
    return descriptor


def _write_time(descriptor: int, now_s: float) -> None:
    os.pwrite(descriptor, f"{now_s:0{TIME_BYTES}.3f}".encode(), 0)


def _living(folder: str, kinds: Sequence[str], now_s: float) -> Iterator[tuple[str, float]]:
    """(name of the file, seconds since the loop turned) for each process of these kinds that lives."""
    for name in _names(folder):
        if name.rpartition("-")[0] not in kinds:
            continue
        try:
            descriptor = os.open(f"{folder}/{name}", os.O_RDONLY | os.O_NONBLOCK)
        except OSError:
            continue  # the process ended in order meanwhile
        try:
            if not _is_locked(descriptor):
                continue
            yield name, now_s - _time_s(os.read(descriptor, TIME_BYTES))
        finally:
            os.close(descriptor)


def _time_s(text: bytes) -> float:
    try:
        return float(text)
    except ValueError:
        return float("-inf")


def _names(folder: str) -> list[str]:
    if not _is_trusted(folder):
        return []
    with os.scandir(folder) as entries:
        return [entry.name for entry in entries if not entry.name.startswith(NEW_PREFIX)]


def _is_trusted(folder: str) -> bool:
    """Whether `folder` belongs to this user or to root; in /tmp, any user could have created one of this name."""
    try:
        found = os.lstat(folder)
    except OSError:
        return False
    return stat.S_ISDIR(found.st_mode) and found.st_uid in (os.getuid(), 0)


def _remove_if_dead(path: str) -> None:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    except OSError:
        return
    try:
        if not _is_locked(descriptor):
            _unlink(path)
    finally:
        os.close(descriptor)


def _is_locked(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    return False


def _unlink(path: str) -> None:
    try:
        os.unlink(path)  # noqa: PTH108
    except FileNotFoundError:
        return
