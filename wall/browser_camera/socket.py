"""The WebSocket of a camera page: frames come, and each is answered with what the page may send next."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from dataclasses import dataclass, field
from typing import cast

from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from posebus.errors import BadPicture, LeaseLost, MalformedMessage, PoseBusError
from posebus.logs.about import about
from wall.access.guard import person_of
from wall.access.people import Right
from wall.browser_camera.camera import Accepted
from wall.browser_camera.cameras import BrowserCameras, Connected
from wall.browser_camera.jpeg import jpeg_size_px
from wall.browser_camera.messages import Mode, SentPicture, SentPoses, Start, Stop, read_picture, read_text
from wall.context import context_of

START_WITHIN_S = 10.0
MAX_MESSAGES_PER_S = 60.0
"""A page sends at most 30 frames a second; what comes faster is dropped."""
BURST = 30.0
MAX_REFUSED_IN_A_ROW = 20
LOGIN, FORBIDDEN, REFUSED = 4401, 4403, 4400

log = logging.getLogger("posebus.wall")


def browser_cameras(socket: WebSocket) -> BrowserCameras:
    """The cameras of the application that serves this WebSocket."""
    return cast(BrowserCameras, socket.app.state.browser_cameras)


async def camera_socket(socket: WebSocket) -> None:
    """Serve one page until it closes."""
    person = person_of(socket)
    await socket.accept()
    if person is None:
        await socket.close(LOGIN, "log in first")
        return
    if not person.may(Right.SEND):
        await socket.close(FORBIDDEN, f"{person.name} may not be a camera")
        return
    if not context_of(socket).settings.wall.browser_cameras:
        await socket.close(FORBIDDEN, "browsers are no cameras here: wall.browser_cameras is off")
        return
    with contextlib.suppress(WebSocketDisconnect, RuntimeError):
        await _serve(socket)


async def _serve(socket: WebSocket) -> None:
    try:
        first = await asyncio.wait_for(_receive(socket), START_WITHIN_S)
        start = read_text(first) if isinstance(first, str) else None
        if not isinstance(start, Start):
            raise MalformedMessage("the first message does not start a camera")
        connected = await browser_cameras(socket).in_thread(browser_cameras(socket).connect, start)
    except TimeoutError:
        await _refuse(socket, "the page has not started its camera")
    except PoseBusError as error:
        await _refuse(socket, str(error))
    else:
        page = _Page(socket, connected, start.mode)
        stopped = False
        try:
            await socket.send_json({"type": "started", "camera": connected.name, "mode": start.mode})
            stopped = await page.serve()
        finally:
            await asyncio.shield(browser_cameras(socket).in_thread(connected.leave, stopped))


async def _refuse(socket: WebSocket, sentence: str) -> None:
    await socket.send_json({"type": "problem", "sentence": sentence, "final": True})
    await socket.close(REFUSED)


async def _receive(socket: WebSocket) -> str | bytes:
    message = await socket.receive()
    if message["type"] == "websocket.disconnect":
        raise WebSocketDisconnect(message.get("code", 1000))
    text = message.get("text")
    return text if text is not None else message.get("bytes") or b""


@dataclass
class Bucket:
    """Lets through MAX_MESSAGES_PER_S on average, and BURST at once. Pure."""

    left: float = BURST
    at_s: float | None = None

    def take(self, now_s: float) -> bool:
        """Whether one more message may pass at a monotonic time."""
        passed_s = 0.0 if self.at_s is None else now_s - self.at_s
        self.at_s, self.left = now_s, min(BURST, self.left + MAX_MESSAGES_PER_S * passed_s)
        if self.left < 1.0:
            return False
        self.left -= 1.0
        return True


@dataclass
class _Page:
    """The messages of one page that is a camera."""

    socket: WebSocket
    connected: Connected
    mode: Mode
    refused_in_a_row: int = 0
    bucket: Bucket = field(default_factory=Bucket)

    async def serve(self) -> bool:
        """Answer until the page closes; return whether its person stopped the camera."""
        while True:
            message = await _receive(self.socket)
            arrived_at_ns = time.time_ns()
            try:
                if not self.bucket.take(time.monotonic()):
                    raise MalformedMessage("frames come faster than a camera may send them; the page must slow down")
                if await self._handle(message, arrived_at_ns):
                    return True
                self.refused_in_a_row = 0
            except (MalformedMessage, BadPicture) as error:
                if await self._refused(str(error)):
                    return False
            except LeaseLost as error:
                await _refuse(self.socket, str(error))
                return False
            except PoseBusError as error:
                # The frame is lost: the broker is away, or takes nothing. The page tries again after a second.
                await self._problem(str(error), retry_s=1.0)

    async def _handle(self, message: str | bytes, arrived_at_ns: int) -> bool:
        """Publish one frame and acknowledge it; return whether the person stops the camera."""
        sent = read_text(message) if isinstance(message, str) else read_picture(message)
        if isinstance(sent, Stop):
            return True
        if isinstance(sent, Start) or isinstance(sent, SentPicture) is not (self.mode is Mode.PICTURES):
            raise MalformedMessage(f"this camera sends {self.mode}, and nothing else")
        accepted = await browser_cameras(self.socket).in_thread(self._publish, sent, arrived_at_ns)
        await self.socket.send_json(
            {
                "type": "ack",
                "frame": sent.frame.seq,
                "epoch": accepted.epoch,
                "seq": accepted.seq,
                "max_fps": accepted.allowed.fps,
                "on_the_way": accepted.allowed.on_the_way,
                "waiting": accepted.waiting,
                "max_side_px": browser_cameras(self.socket).imgsz,
            }
        )
        return False

    def _publish(self, sent: SentPicture | SentPoses, arrived_at_ns: int) -> Accepted:
        if isinstance(sent, SentPoses):
            with self.connected.camera() as camera:
                return camera.poses(sent, arrived_at_ns)
        size_px = jpeg_size_px(sent.jpeg)
        if size_px != sent.frame.size_px:
            raise BadPicture(f"the picture has {size_px[0]}x{size_px[1]} pixels, and its header says something else")
        with self.connected.camera() as camera:
            return camera.picture(sent, size_px, arrived_at_ns)

    async def _refused(self, sentence: str) -> bool:
        """Count an upload that is not valid, say so, and return whether there were too many in a row."""
        self.refused_in_a_row += 1
        self.connected.count_refused()
        if self.refused_in_a_row < MAX_REFUSED_IN_A_ROW:
            await self._problem(sentence)
            return False
        name = self.connected.name
        log.warning(
            "camera %s: it was closed, because its page sent only wrong messages: %s", name, sentence, extra=about(name)
        )
        await _refuse(self.socket, sentence)
        return True

    async def _problem(self, sentence: str, retry_s: float = 0.0) -> None:
        await self.socket.send_json({"type": "problem", "sentence": sentence, "final": False, "retry_s": retry_s})


ROUTES = [WebSocketRoute("/ws/camera", camera_socket)]
