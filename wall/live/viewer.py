"""One page that watches: its tiles, and what it is sent next."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from functools import partial

from wall.live.feed import Feed, SharedFrame
from wall.live.flow import FrameId, TileFlow
from wall.live.messages import TileWish
from wall.live.outbox import PageOutbox


class _TileState:
    """One camera on the page."""

    def __init__(self, wish: TileWish) -> None:
        self.wish = wish
        self.flow = TileFlow()
        self.is_busy = False
        """Whether a picture is being made, or a timer runs: what comes meanwhile is seen when that is done."""


class Viewer:
    """The live part of one page. All methods belong to the event loop; none of them waits."""

    def __init__(self, feeds: Mapping[str, Feed], *, may_see_pictures: bool) -> None:
        self.outbox = PageOutbox()
        self.follows_deployment = False
        self._feeds = feeds
        self._may_see_pictures = may_see_pictures
        self._tiles: dict[str, _TileState] = {}
        self._max_fps = 1.0

    @property
    def wishes(self) -> dict[str, bool]:
        """The cameras that the page shows, and whether with pictures."""
        return {camera: tile.wish.pictures for camera, tile in self._tiles.items()}

    def watch(self, tiles: Mapping[str, TileWish], max_fps: float) -> None:
        """Show these cameras from now on. Pages of people who may not see pictures get none."""
        self._max_fps = max_fps
        before, self._tiles = self._tiles, {}
        for camera, tile in tiles.items():
            wish = TileWish(tile.width_px, tile.pictures and self._may_see_pictures)
            state = before.get(camera)
            if state is None or state.wish.pictures != wish.pictures:
                state = _TileState(wish)
            state.wish = wish
            self._tiles[camera] = state
            self.offer(camera)

    def close(self) -> None:
        """The page is gone."""
        self._tiles = {}

    def shown(self, camera: str, frame: FrameId) -> None:
        """The page has shown a frame. One of a tile that the page has closed meanwhile does not matter."""
        tile = self._tiles.get(camera)
        if tile is not None and tile.flow.shown(frame):
            self.offer(camera)

    def offer(self, camera: str) -> None:
        """Send the newest frame of `camera`, if the page can take one."""
        tile, feed = self._tiles.get(camera), self._feeds.get(camera)
        if tile is None or feed is None or tile.is_busy:
            return
        now_s = time.monotonic()
        frame = feed.choose(now_s, pictures=tile.wish.pictures)
        wait_s = tile.flow.wait_s(now_s)
        if frame is None or frame.id == tile.flow.newest or wait_s is None:
            return
        loop = asyncio.get_running_loop()
        if wait_s > 0:
            tile.is_busy = True
            loop.call_later(wait_s, self._go_on, camera, tile)
        elif frame.has_picture and tile.wish.pictures:
            tile.is_busy = True
            frame.with_picture(tile.wish.width_px).add_done_callback(partial(self._made, camera, tile, frame))
        else:
            self._send(tile, frame, frame.without_picture())

    def _made(self, camera: str, tile: _TileState, frame: SharedFrame, made: asyncio.Future[bytes]) -> None:
        if self._tiles.get(camera) is tile and not made.cancelled():
            # A picture that cannot be made costs its frame the picture, not the page its skeletons.
            self._send(tile, frame, frame.without_picture() if made.exception() is not None else made.result())
        self._go_on(camera, tile)

    def _send(self, tile: _TileState, frame: SharedFrame, message: bytes) -> None:
        tile.flow.sent(frame.id, time.monotonic(), self._max_fps)
        self.outbox.put_frame(message)

    def _go_on(self, camera: str, tile: _TileState) -> None:
        tile.is_busy = False
        if self._tiles.get(camera) is tile:
            self.offer(camera)
