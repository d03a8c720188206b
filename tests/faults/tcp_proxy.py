"""A TCP proxy between a stage and its broker that can cut, swallow, delay, and stop in the middle of a reply."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from types import TracebackType

CHUNK_BYTES = 65536


class TcpProxy:
    """Forwards connections to `upstream_port` on this machine. Use it in a `with`; its methods start and end faults."""

    def __init__(self, upstream_port: int) -> None:
        self.upstream_port = upstream_port
        self.delay_s = 0.0
        """The delay before each piece of a reply."""
        self._passing = threading.Event()
        self._passing.set()
        self._refusing = False
        self._answer_bytes: int | None = None
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self._open: set[socket.socket] = set()
        self._closed = False

    def cut(self) -> None:
        """Break all connections, present and future ones."""
        self._refusing = True
        self.break_connections()

    def break_connections(self) -> None:
        """Break all open connections."""
        for end in list(self._open):
            _close(end)

    def break_after(self, answer_bytes: int) -> None:
        """Pass that many bytes of the next replies, then break the connection."""
        self._answer_bytes = answer_bytes

    def swallow(self) -> None:
        """Pass nothing any more, without closing a connection."""
        self._passing.clear()

    def restore(self) -> None:
        """End all faults; bytes that were held back are sent on open connections."""
        self.delay_s = 0.0
        self._answer_bytes = None
        self._refusing = False
        self._passing.set()

    def __enter__(self) -> TcpProxy:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closed = True
        self.restore()
        self.cut()
        _close(self._listener)

    def _accept(self) -> None:
        while not self._closed:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            if self._refusing:
                _close(client)
                continue
            threading.Thread(target=self._connect, args=(client,), daemon=True).start()

    def _connect(self, client: socket.socket) -> None:
        self._passing.wait()
        try:
            server = socket.create_connection(("127.0.0.1", self.upstream_port), timeout=5.0)
        except OSError:
            _close(client)
            return
        server.settimeout(None)
        self._open |= {client, server}
        threading.Thread(target=self._pump, args=(client, server, False), daemon=True).start()
        self._pump(server, client, True)

    def _pump(self, source: socket.socket, target: socket.socket, answers: bool) -> None:
        with contextlib.suppress(OSError):
            while piece := source.recv(CHUNK_BYTES):
                if answers:
                    time.sleep(self.delay_s)
                self._passing.wait()
                left = self._answer_bytes if answers else None
                if left is not None:
                    self._answer_bytes = max(0, left - len(piece))
                    target.sendall(piece[:left])
                    if len(piece) >= left:
                        break
                    continue
                target.sendall(piece)
        for end in (source, target):
            self._open.discard(end)
            _close(end)


def _close(end: socket.socket) -> None:
    # A socket that another thread reads from is only closed once that thread has been woken.
    with contextlib.suppress(OSError):
        end.shutdown(socket.SHUT_RDWR)
    end.close()
