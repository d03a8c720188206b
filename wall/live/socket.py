"""The WebSocket of a page: what it asks for, and what it is sent."""

from __future__ import annotations

from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket

from wall.access.guard import person_of


async def live_socket(socket: WebSocket) -> None:
    """Serve one page until it closes."""
    person = person_of(socket)
    if person is None:
        await socket.close(4401, "log in first")
        return
    await socket.accept()
    await socket.send_json({"type": "hello", "person": {"name": person.name, "role": person.role.value}})
    async for _ in socket.iter_text():
        pass


ROUTES = [WebSocketRoute("/ws", live_socket)]
