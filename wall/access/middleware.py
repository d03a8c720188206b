"""What every request passes through, before any route sees it: who asks, what is refused, how much may be sent."""

from __future__ import annotations

import asyncio
from collections.abc import MutableMapping
from typing import Any

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from wall.access.access import Access, Identified
from wall.access.guard import PERSON
from wall.access.headers import headers_for
from wall.access.refusing import LOG_IN_FIRST, Refusal

SESSION = "posebus.session"
"""Key of the ASGI scope: the key of the session that asks; absent for tokens, and in a wall without logins."""
MAX_BODY_BYTES = 1_000_000
"""Of a request: the drawings of a camera are the largest. Pictures of browser cameras come through a WebSocket."""
LOGIN_BYTES = 4_000
"""Of a request without a login."""
LOGGED_OUT = 4401
"""The code with which a WebSocket closes when its session is over, or there was none."""
TOO_LARGE = Refusal(413, f"this is too large for the wall: a request has at most {MAX_BODY_BYTES:,} bytes")


class _TooLargeError(Exception):
    """The body of a request is larger than it may be."""


class AccessMiddleware:
    """An ASGI application around another one."""

    def __init__(self, app: ASGIApp, access: Access) -> None:
        self._app = app
        self._access = access

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, one WebSocket, or the start and end of the application."""
        if scope["type"] == "http":
            await self._request(scope, receive, _with_headers(scope["path"], send))
        elif scope["type"] == "websocket":
            await self._socket(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    async def _request(self, scope: Scope, receive: Receive, send: Send) -> None:
        decision = self._access.decide(scope)
        if isinstance(decision, Refusal):
            await decision.response()(scope, receive, send)
            return
        _leave(scope, decision)
        most = LOGIN_BYTES if decision.person is None else MAX_BODY_BYTES
        if _announced_bytes(scope) > most:
            await TOO_LARGE.response()(scope, receive, send)
            return
        begun = False

        async def noted(message: Message) -> None:
            nonlocal begun
            begun = begun or message["type"] == "http.response.start"
            await send(message)

        try:
            await self._app(scope, _at_most(most, receive), noted)
        except _TooLargeError:
            if not begun:
                await TOO_LARGE.response()(scope, receive, send)

    async def _socket(self, scope: Scope, receive: Receive, send: Send) -> None:
        decision = self._access.decide(scope)
        if isinstance(decision, Refusal):
            await _refuse_socket(decision, receive, send)
            return
        _leave(scope, decision)
        closable = _ClosableSocket(receive, send)
        self._access.sockets.add(decision.key, closable.close)
        try:
            await self._app(scope, closable.receive, closable.send)
        finally:
            self._access.sockets.remove(decision.key, closable.close)
            await closable.end()


class _ClosableSocket:
    """A WebSocket that can be closed from outside: its route sees a disconnect, as if the page had left."""

    def __init__(self, receive: Receive, send: Send) -> None:
        self._receive = receive
        self._send = send
        self._over = asyncio.Event()
        self._pending: asyncio.Future[Message] | None = None
        self._closed = False
        self.code, self.reason = LOGGED_OUT, LOG_IN_FIRST

    def close(self) -> None:
        """Close it soon."""
        self._over.set()

    async def receive(self) -> Message:
        """Return the next message, or a disconnect once it was closed."""
        if self._pending is None:
            self._pending = asyncio.ensure_future(self._receive())
        over = asyncio.ensure_future(self._over.wait())
        waiting: set[asyncio.Future[Any]] = {self._pending, over}
        try:
            await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        finally:
            over.cancel()
        if self._over.is_set():
            await self._close()
            return {"type": "websocket.disconnect", "code": self.code, "reason": self.reason}
        message, self._pending = self._pending.result(), None
        self._closed = self._closed or message["type"] == "websocket.disconnect"
        return message

    async def send(self, message: Message) -> None:
        """Send a message. Raises OSError once it was closed, as servers do where the page has left."""
        if self._over.is_set():
            await self._close()
            raise OSError("the session of this WebSocket is over")
        self._closed = self._closed or message["type"] == "websocket.close"
        await self._send(message)

    async def end(self) -> None:
        """Free what waits; the route has ended."""
        if self._over.is_set():
            await self._close()
        if self._pending is not None:
            self._pending.cancel()

    async def _close(self) -> None:
        if not self._closed:
            self._closed = True
            await self._send({"type": "websocket.close", "code": self.code, "reason": self.reason})


def _leave(scope: MutableMapping[str, Any], seen: Identified) -> None:
    scope[PERSON] = seen.person
    scope[SESSION] = seen.session


async def _refuse_socket(refusal: Refusal, receive: Receive, send: Send) -> None:
    await receive()
    if refusal.status == 401:
        # A page cannot read why a WebSocket was refused, but it can read why one was closed.
        await send({"type": "websocket.accept"})
    await send({"type": "websocket.close", "code": LOGGED_OUT, "reason": refusal.sentence[:100]})


def _with_headers(path: str, send: Send) -> Send:
    ours = headers_for(path)

    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in ours.items():
                headers.setdefault(name, value)
        await send(message)

    return sending


def _announced_bytes(scope: Scope) -> int:
    text = Headers(scope=scope).get("content-length", "0")
    return int(text) if text.isdecimal() and len(text) < 16 else 0


def _at_most(most: int, receive: Receive) -> Receive:
    """Return `receive` for a body of at most so many bytes, even if fewer were announced."""
    size = 0

    async def bounded() -> Message:
        nonlocal size
        message = await receive()
        size += len(message.get("body", b""))
        if size > most:
            raise _TooLargeError
        return message

    return bounded
