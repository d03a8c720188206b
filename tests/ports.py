"""Ports for servers of tests that no other process takes, not even between two starts of one server."""

from __future__ import annotations

import fcntl
import os
import random
import socket
import tempfile
from pathlib import Path

PORTS = range(20_000, 32_000)
"""Below the ports that Linux (from 32768) and macOS (from 49152) assign automatically, such as to the client's
end of each connection."""
FOLDER = Path(tempfile.gettempdir()) / f"posebus-test-ports-{os.getuid()}"
"""A file for each port in use, which the process that uses it keeps locked until it ends."""


def free_port() -> int:
    """Return a port of the loopback interface that this process keeps until it ends."""
    FOLDER.mkdir(exist_ok=True)
    for port in random.Random().sample(PORTS, len(PORTS)):
        lock = os.open(FOLDER / str(port), os.O_CREAT | os.O_RDWR)
        if _locks(lock) and _can_be_bound(port):
            return port  # the descriptor stays open on purpose: the lock lasts as long
        os.close(lock)
    raise RuntimeError(f"no port between {PORTS.start} and {PORTS.stop} is free")


def _locks(file: int) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _can_be_bound(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("", port))
        except OSError:
            return False
    return True
