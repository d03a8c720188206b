"""The server at the control socket of `posebus up` and `posebus ingest`, whose loops call `poll`. It has no thread."""

from __future__ import annotations

import logging
import os
import socket
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Protocol

from posebus.control.folder import FOLDER_ENV, address_in, control_folder, living_sockets, opened, peer_uid, socket_name
from posebus.control.messages import (
    MAX_REQUEST_BYTES,
    ControlRequest,
    DeploymentStatus,
    answer_line,
    read_request,
)
from posebus.errors import PoseBusError

MOST_CONNECTIONS = 16
SILENT_AFTER_S = 5.0
"""A connection that neither sends nor takes anything for so long is closed."""
LOOK_EVERY_S = 10.0
"""Programs that clean temporary folders also delete sockets in use; the socket is made again then."""

log = logging.getLogger("posebus")


class Controlled(Protocol):
    """What the server asks of the deployment. It calls these from `poll`, in the loop of the process."""

    def status(self) -> DeploymentStatus:
        """The state now. May raise errors of posebus, whose sentence becomes the answer."""

    def reload(self) -> None:
        """Read the settings again at the next step of the loop; then `revision` of the status grows."""

    def override(self, values: Mapping[str, Any]) -> None:
        """Put these values over the file at the next step; then `revision` grows. Raises ConfigError."""


@dataclass(slots=True)
class _Connection:
    stream: socket.socket
    heard_at_s: float
    received: bytearray = field(default_factory=bytearray)
    answer: memoryview | None = None


class ControlServer:
    """Answers commands about one deployment. Use it in a `with`, or call `close` in the end."""

    def __init__(self, role: str, deployment: Controlled, folder: str | None = None) -> None:
        """role: "up" or "ingest". folder: by default that of the environment.

        Where no socket can be made, that is logged, and the deployment runs without.
        """
        self._deployment = deployment
        self._folder = control_folder(os.environ) if folder is None else folder
        self._name = socket_name(role, os.getpid())
        self._listener: socket.socket | None = None
        self._connections: list[_Connection] = []
        self._looked_at_s: float | None = None
        self._failed = False
        self._listen()

    def __enter__(self) -> ControlServer:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def poll(self, now_s: float) -> None:
        """Take and answer what has come since the last call, without waiting; `now_s` is monotonic."""
        if self._looked_at_s is None:
            self._looked_at_s = now_s
        elif now_s - self._looked_at_s >= LOOK_EVERY_S:
            self._looked_at_s = now_s
            self._look_after_socket()
        self._accept(now_s)
        for connection in list(self._connections):
            try:
                is_done = self._serve(connection, now_s)
            except OSError:
                is_done = True  # the command has gone
            if is_done:
                connection.stream.close()
                self._connections.remove(connection)

    def close(self) -> None:
        """Remove the socket; connections that wait for an answer are closed."""
        for connection in self._connections:
            connection.stream.close()
        self._connections.clear()
        if self._listener is not None:
            self._listener.close()
            self._listener = None
            with suppress(OSError), opened(self._folder) as folder:
                os.unlink(self._name, dir_fd=folder)

    def _listen(self) -> None:
        try:
            with opened(self._folder, create=True) as folder:
                living_sockets(folder)  # which removes those of dead processes
                listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
                listener.setblocking(False)
                new = f".new-{self._name}"
                with suppress(FileNotFoundError):
                    os.unlink(new, dir_fd=folder)
                listener.bind(address_in(folder, new))
                listener.listen(MOST_CONNECTIONS)
                # It appears under its name once it listens: a socket that refuses counts as that of a dead process.
                os.rename(new, self._name, src_dir_fd=folder, dst_dir_fd=folder)
        except OSError as error:
            if not self._failed:
                self._failed = True
                log.warning(
                    "'posebus camera' and 'posebus scale' cannot reach this process, because no socket can be made in "
                    "%s: %s; name another folder in %s",
                    self._folder,
                    error.strerror or error,
                    FOLDER_ENV,
                )
            return
        self._listener, self._failed = listener, False

    def _look_after_socket(self) -> None:
        try:
            with opened(self._folder) as folder:
                os.stat(self._name, dir_fd=folder)
        except OSError:
            if self._listener is not None:
                self._listener.close()
                self._listener = None
            self._listen()

    def _accept(self, now_s: float) -> None:
        while self._listener is not None and len(self._connections) < MOST_CONNECTIONS:
            try:
                stream, _ = self._listener.accept()
            except OSError:
                return
            stream.setblocking(False)
            if peer_uid(stream) in (os.geteuid(), 0):
                self._connections.append(_Connection(stream, now_s))
            else:
                stream.close()

    def _serve(self, connection: _Connection, now_s: float) -> bool:
        """Go on with one connection; returns whether it is finished."""
        if connection.answer is None:
            self._receive(connection, now_s)
        if connection.answer is not None and self._send(connection, now_s):
            return True
        return now_s - connection.heard_at_s > SILENT_AFTER_S

    def _receive(self, connection: _Connection, now_s: float) -> None:
        while b"\n" not in connection.received:
            try:
                data = connection.stream.recv(65536)
            except BlockingIOError:
                return
            connection.heard_at_s = now_s
            connection.received += data
            if len(connection.received) > MAX_REQUEST_BYTES:
                connection.answer = memoryview(answer_line(f"the request has more than {MAX_REQUEST_BYTES} bytes"))
                return
            if not data:
                if not connection.received:
                    raise ConnectionResetError  # it only looked whether this process lives
                break
        connection.answer = memoryview(self._answer(bytes(connection.received).partition(b"\n")[0]))

    def _answer(self, line: bytes) -> bytes:
        try:
            return answer_line(self._carry_out(read_request(line)))
        except PoseBusError as error:
            return answer_line(str(error))

    def _carry_out(self, request: ControlRequest) -> DeploymentStatus:
        # The state before the change: its revision grows once the change is in force.
        status = self._deployment.status()
        if request.kind == "reload":
            self._deployment.reload()
        elif request.values is not None:
            self._deployment.override(request.values)
        return status

    def _send(self, connection: _Connection, now_s: float) -> bool:
        """Send what the socket takes; returns whether all was sent."""
        assert connection.answer is not None
        while connection.answer:
            try:
                sent = connection.stream.send(connection.answer)
            except BlockingIOError:
                return False
            connection.heard_at_s = now_s
            connection.answer = connection.answer[sent:]
        return True
