"""The private folder of this user that holds the sockets of running deployments, found like that of `posebus health`.

Sockets are bound and reached through a descriptor of the folder, whose owner and mode are checked first. So no other
user can exchange the folder in between, and its path may be longer than the 108 bytes of a socket's address.
"""

from __future__ import annotations

import errno
import os
import re
import socket
import stat
import struct
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress

FOLDER_ENV = "POSEBUS_CONTROL_DIR"
_NAME = re.compile(r"(?P<role>up|ingest)-(?P<pid>\d{1,10})\.sock")
MOST_SOCKETS = 1000


def control_folder(environ: Mapping[str, str]) -> str:
    """The folder of the sockets: the one that `environ` names, else this user's own among the temporary files."""
    return environ.get(FOLDER_ENV) or f"{environ.get('TMPDIR') or '/tmp'}/posebus-control-{os.getuid()}"


def socket_name(role: str, pid: int) -> str:
    """The name of the socket of process `pid`, which is a `posebus up` or `posebus ingest`."""
    return f"{role}-{pid}.sock"


def role_of(name: str) -> str | None:
    """The role of the process whose socket has this name; None for the name of anything else."""
    found = _NAME.fullmatch(name)
    return None if found is None else found["role"]


@contextmanager
def opened(folder: str, *, create: bool = False) -> Iterator[int]:
    """A descriptor of `folder`, which belongs to this user and which no other user can look into.

    Raises OSError: FileNotFoundError where there is none, PermissionError where it is not private.
    """
    if create:
        with suppress(FileExistsError):
            os.mkdir(folder, mode=0o700)  # noqa: PTH102
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        found = os.fstat(descriptor)
        if found.st_uid != os.geteuid():
            raise PermissionError(errno.EPERM, "it belongs to another user")
        if stat.S_IMODE(found.st_mode) & 0o077:
            raise PermissionError(errno.EPERM, "other users have rights there: remove them with chmod 700")
        yield descriptor
    finally:
        os.close(descriptor)


def address_in(descriptor: int, name: str) -> str:
    """The address of the socket `name` in the folder of `descriptor`."""
    return f"/proc/self/fd/{descriptor}/{name}"


def living_sockets(descriptor: int) -> list[str]:
    """The names of the sockets in the folder that a process listens at; those of dead processes are removed."""
    names = [name for name in sorted(os.listdir(descriptor))[:MOST_SOCKETS] if role_of(name) is not None]
    living = []
    for name in names:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
            probe.setblocking(False)
            try:
                probe.connect(address_in(descriptor, name))
            except ConnectionRefusedError:
                with suppress(OSError):
                    os.unlink(name, dir_fd=descriptor)
                continue
            except BlockingIOError:
                pass  # its queue is full, so it lives
            except OSError:
                continue
        living.append(name)
    return living


def peer_uid(connection: socket.socket) -> int:
    """The user of the process at the other end, as the kernel knows it."""
    _, uid, _ = struct.unpack(
        "iII", connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("iII"))
    )
    return int(uid)
