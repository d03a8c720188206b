"""The newest frame of a camera, whose messages are made once for all who watch it."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor

from posebus.subscribing.live_frames import LiveFrame
from wall.live.flow import FrameId
from wall.live.frame_message import tracks_json, with_picture, without_picture
from wall.live.reducing import factor_for

NO_PICTURE_S = 1.0
"""A camera that has delivered no picture for so long since it is watched is shown by its skeletons."""


class SharedFrame:
    """One frame for all viewers: each size of its picture is made once, when the first of them can take it."""

    def __init__(self, frame: LiveFrame, pool: ThreadPoolExecutor, *, blur: bool) -> None:
        self.id: FrameId = (frame.tracks.epoch, frame.tracks.seq)
        self._frame = frame
        self._pool = pool
        self._blur = blur
        self._beginning: str | None = None
        self._without: bytes | None = None
        self._sizes: dict[int, asyncio.Future[bytes]] = {}

    @property
    def has_picture(self) -> bool:
        """Whether the frame came with its picture."""
        return self._frame.picture is not None

    def without_picture(self) -> bytes:
        """Return the message with skeletons alone."""
        if self._without is None:
            self._without = without_picture(self._header())
        return self._without

    def with_picture(self, wanted_px: int) -> asyncio.Future[bytes]:
        """Return the message with a picture for a tile that is `wanted_px` wide, which a thread makes."""
        picture = self._frame.picture
        factor = 1 if picture is None else factor_for(picture.image_size_px[0], wanted_px)
        if factor not in self._sizes:
            loop = asyncio.get_running_loop()
            self._sizes[factor] = loop.run_in_executor(self._pool, self._made, self._header(), factor)
        return self._sizes[factor]

    def _header(self) -> str:
        if self._beginning is None:
            self._beginning = tracks_json(self._frame.tracks)
        return self._beginning

    def _made(self, beginning: str, factor: int) -> bytes:
        return with_picture(self._frame, beginning, factor, blur=self._blur)


class Feed:
    """The newest frames of one camera that is watched."""

    def __init__(self, now_s: float) -> None:
        self._since_s = now_s
        self.newest: SharedFrame | None = None
        self.pictured: SharedFrame | None = None
        """The newest frame with a picture."""

    def add(self, frame: SharedFrame) -> None:
        """`frame` is the newest now."""
        self.newest = frame
        if frame.has_picture:
            self.pictured = frame

    def choose(self, now_s: float, *, pictures: bool) -> SharedFrame | None:
        """Return the frame to show next: with `pictures`, the newest that has one.

        While a camera of which there are pictures sends none, the last one stays. Of a camera that has none at all,
        such as a browser that sends poses, skeletons are shown.
        """
        if not pictures or self.newest is None:
            return self.newest
        if self.pictured is not None and self.pictured.id[0] == self.newest.id[0]:
            return self.pictured
        return self.newest if now_s - self._since_s > NO_PICTURE_S else self.pictured

    def forget_picture(self) -> None:
        """No page shows pictures of this camera any more."""
        self.pictured = None
        if self.newest is not None and self.newest.has_picture:
            self.newest = None
