"""The WebSocket of a page: what it asks for, and what it is sent."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Awaitable, Callable

import anyio
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

from posebus.errors import MalformedMessage
from wall.access.guard import person_of
from wall.access.people import Right
from wall.live import messages
from wall.live.flow import MessageAllowance
from wall.live.hub import Hub, hub_of
from wall.live.messages import Follow, FrameShown, Watch
from wall.live.viewer import Viewer

SEND_LIMIT_S = 20.0
"""A page that takes nothing for so long is gone, although its connection is open."""
CLOSE_LIMIT_S = 2.0
BAD_AT_ONCE = 8
BAD_A_SECOND = 0.2
MESSAGES_AT_ONCE = 2000.0
MESSAGES_A_SECOND = 1000.0
"""A wall of 32 tiles at 30 frames a second confirms as many."""
GONE, REFUSED, LOGIN = 1001, 1008, 4401


async def live_socket(socket: WebSocket) -> None:
    """Serve one page until it closes."""
    person = person_of(socket)
    if person is None or not person.may(Right.POSES):
        await socket.close(LOGIN, "log in first")
        return
    await socket.accept()
    hub = hub_of(socket)
    with hub.viewer(person) as viewer:
        async with anyio.create_task_group() as both:

            async def until_the_end(part: Callable[..., Awaitable[None]], *arguments: object) -> None:
                await part(*arguments)
                both.cancel_scope.cancel()

            both.start_soon(until_the_end, _send, socket, viewer)
            both.start_soon(until_the_end, _receive, socket, hub, viewer)
    await _close(socket, GONE, "the page took no messages any more")


async def _send(socket: WebSocket, viewer: Viewer) -> None:
    """Send what waits for the page, until it is gone. A slow page delays itself alone."""
    while True:
        message = await viewer.outbox.next()
        try:
            with anyio.fail_after(SEND_LIMIT_S):
                if isinstance(message, str):
                    await socket.send_text(message)
                else:
                    await socket.send_bytes(message)
        except (WebSocketDisconnect, RuntimeError, OSError):
            return


async def _receive(socket: WebSocket, hub: Hub, viewer: Viewer) -> None:
    allowed = MessageAllowance(MESSAGES_A_SECOND, MESSAGES_AT_ONCE)
    bad = MessageAllowance(BAD_A_SECOND, BAD_AT_ONCE)
    while True:
        try:
            received = await socket.receive()
        except (WebSocketDisconnect, RuntimeError):
            return
        if received["type"] != "websocket.receive":
            return
        if not allowed.take(time.monotonic()):
            await _close(socket, REFUSED, "too many messages")
            return
        try:
            _obey(received.get("text"), hub, viewer)
        except MalformedMessage as error:
            if not bad.take(time.monotonic()):
                await _close(socket, REFUSED, "too many messages that are wrong")
                return
            viewer.outbox.put_problem(messages.problem(str(error)))


def _obey(text: str | None, hub: Hub, viewer: Viewer) -> None:
    """Do what a message asks for. Raises MalformedMessage."""
    if text is None:
        raise MalformedMessage("the message must be text: JSON")
    wish = messages.read_message(text)
    match wish:
        case Watch(tiles, max_fps):
            viewer.watch(tiles, max_fps)
            hub.watched()
        case Follow(deployment):
            viewer.follows_deployment = deployment
            if deployment:
                hub.followed(viewer)
        case FrameShown(camera, frame):
            viewer.shown(camera, frame)


async def _close(socket: WebSocket, code: int, reason: str) -> None:
    if socket.application_state is WebSocketState.CONNECTED:
        with contextlib.suppress(RuntimeError, OSError, WebSocketDisconnect):
            with anyio.move_on_after(CLOSE_LIMIT_S):
                await socket.close(code, reason)


ROUTES = [WebSocketRoute("/ws", live_socket)]
