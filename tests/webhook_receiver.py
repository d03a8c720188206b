"""A server that takes webhooks: it can be down, slow or answer as a test wants, and notes every request."""

from __future__ import annotations

import json
import ssl
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from tests.ports import free_port


@dataclass(frozen=True)
class Request:
    """One request. number: how many with this id came, this one included."""

    event_id: str
    number: int
    headers: dict[str, str]
    body: bytes

    @property
    def event(self) -> dict[str, Any]:
        data: dict[str, Any] = json.loads(self.body)
        return data


@dataclass(frozen=True)
class Reply:
    """What the server answers, after `delay_s`."""

    status: int = 204
    headers: dict[str, str] = field(default_factory=dict)
    delay_s: float = 0.0


class Receiver:
    """Use it in a `with`. `answer` decides on each reply; it may be exchanged while the server runs."""

    def __init__(self, answer: Callable[[Request], Reply] = lambda request: Reply()) -> None:
        self.answer = answer
        self.port = free_port()
        self.requests: list[Request] = []
        self.accepted: list[Request] = []
        """Requests that were answered with 2xx, in this order."""
        self.certificate: tuple[Path, Path] | None = None
        self._lock = threading.Lock()
        self._server: ThreadingHTTPServer | None = None

    @property
    def url(self) -> str:
        return f"{'http' if self.certificate is None else 'https'}://localhost:{self.port}/hook"

    def up(self) -> None:
        """Listen, after `down` on the same port."""
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                receiver._handle(self)

            def do_GET(self) -> None:
                receiver._handle(self)

            def log_message(self, *arguments: object) -> None:
                """Say nothing."""

        class Server(ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 128

            def handle_error(self, request: object, client_address: object) -> None:
                """A client that was killed is no error."""

        self._server = Server(("127.0.0.1", self.port), Handler)
        if self.certificate is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*self.certificate)
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def down(self) -> None:
        """Take no more connections, and answer with an end of the connection on those that are open."""
        server, self._server = self._server, None
        if server is not None:
            server.shutdown()
            server.server_close()

    def ids(self) -> list[str]:
        """The ids that were accepted, in order."""
        with self._lock:
            return [one.event_id for one in self.accepted]

    def twice(self) -> dict[str, int]:
        """How often each id was accepted, of those that were more than once."""
        return {event_id: count for event_id, count in Counter(self.ids()).items() if count > 1}

    def __enter__(self) -> Receiver:
        self.up()
        return self

    def __exit__(self, *error: object) -> None:
        self.down()

    def _handle(self, handler: BaseHTTPRequestHandler) -> None:
        length = int(handler.headers.get("Content-Length", "0"))
        body = handler.rfile.read(length)
        if len(body) < length:  # the client was killed within its request
            handler.close_connection = True
            return
        event_id = handler.headers.get("webhook-id", "")
        with self._lock:
            number = 1 + sum(one.event_id == event_id for one in self.requests)
            request = Request(event_id, number, dict(handler.headers.items()), body)
            self.requests.append(request)
            is_down = self._server is None
        if is_down:
            handler.close_connection = True
            return
        reply = self.answer(request)
        time.sleep(reply.delay_s)
        if 200 <= reply.status < 300:
            with self._lock:
                self.accepted.append(request)
        handler.send_response(reply.status)
        for name, value in reply.headers.items():
            handler.send_header(name, value)
        if "Content-Length" not in reply.headers:
            handler.send_header("Content-Length", "0")
        handler.end_headers()
