"""The sockets at which the wall listens."""

from __future__ import annotations

import contextlib
import errno
import socket

from posebus.errors import ConfigError

BACKLOG = 256
"""Connections that wait for being accepted."""


def bind(host: str, port: int) -> list[socket.socket]:
    """Return sockets that listen at all addresses of `host`; of several, those that this machine has.

    Raises ConfigError with what to do.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except (OSError, UnicodeError) as error:
        raise ConfigError(f"the wall cannot be served at {host!r}: this machine does not know that name") from error
    places = list(dict.fromkeys((family, where) for family, _, _, _, where in found))
    sockets: list[socket.socket] = []
    problem: OSError | None = None
    for family, where in places:
        listening = socket.socket(family, socket.SOCK_STREAM)
        try:
            # So that a wall that ended a moment ago does not hold the port.
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                listening.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            listening.bind(where)
            listening.listen(BACKLOG)
            listening.setblocking(False)
        except OSError as error:
            listening.close()
            # `localhost` is two addresses, of which a machine may have one. A port in use is in use.
            if error.errno != errno.EADDRNOTAVAIL:
                for one in sockets:
                    one.close()
                raise ConfigError(_sentence(host, port, error)) from error
            problem = error
        else:
            sockets.append(listening)
    if not sockets:
        raise ConfigError(_sentence(host, port, problem or OSError("it has no address"))) from problem
    return sockets


def close_all(sockets: list[socket.socket]) -> None:
    """Close sockets of `bind`."""
    for one in sockets:
        with contextlib.suppress(OSError):
            one.close()


def _sentence(host: str, port: int, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        problem = "another program uses this port; choose another one with --port or wall.port"
    elif error.errno in {errno.EACCES, errno.EPERM}:
        problem = (
            "this user may not listen at ports below 1024; choose another one with --port or wall.port"
            if port < 1024
            else "this user may not listen there"
        )
    elif error.errno == errno.EADDRNOTAVAIL:
        problem = "this machine has no such address; choose one of its own with --host or wall.host"
    else:
        problem = error.strerror or str(error)
    return f"the wall cannot be served at {host}, port {port}: {problem}"
