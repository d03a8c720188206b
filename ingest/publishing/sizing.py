"""To which size pictures are reduced before they travel: as told, or to what the largest of the workers infers at."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

from posebus.errors import BrokerUnavailable
from posebus.views import View

LOOK_EVERY_S = 2.0
"""A worker reports once a second: after three at most its new size is served."""

LargestImgsz = Callable[[], int | None]
"""The largest inference size among the living workers, None while there are none. Raises BrokerUnavailable."""


class SizeLimit:
    """The longest side of what is sent, in pixels; None sends pictures as they are.

    Smaller than the network's input would cost people; larger, the worker would reduce it after everybody had the
    work. A lossless source keeps one size for a whole epoch, so that it gives the same tracks every time.
    """

    def __init__(self, setting: int | Literal["auto"] | None, largest_imgsz: LargestImgsz, *, live: bool) -> None:
        """`setting` is `CameraSettings.max_size_px`. Asks nobody yet."""
        self._follows = setting == "auto"
        self._limit_px = None if setting == "auto" else setting
        self._largest_imgsz = largest_imgsz
        self._live = live
        self._look_at_s = 0.0

    def begin_epoch(self, now_s: float) -> None:
        """Look at the workers. Raises BrokerUnavailable: what an epoch has been begun with, it goes on with."""
        if self._follows:
            self._limit_px = self._largest_imgsz()
            self._look_at_s = now_s + LOOK_EVERY_S

    def resume(self, limit_px: int | None) -> None:
        """Go on with an epoch that another process began with `limit_px`."""
        if self._follows:
            self._limit_px = limit_px

    @property
    def begun_px(self) -> int | None:
        """What the epoch was begun with, of a lossless source."""
        return self._limit_px

    def of(self, views: Sequence[View], now_s: float) -> int | None:
        """The limit for a picture that is to be inferred by `views`: the size they need, tiles all there is."""
        if not views:
            return self.at(now_s)
        needed_px = None if any(view.tiled for view in views) else max(view.imgsz for view in views)
        if self._follows:
            return needed_px
        known = [side for side in (needed_px, self._limit_px) if side is not None]
        return min(known) if self._limit_px is not None and known else None

    def at(self, now_s: float) -> int | None:
        """The limit for a picture that is sent now (monotonic); of live sources it follows the workers."""
        if self._follows and self._live and now_s >= self._look_at_s:
            self._look_at_s = now_s + LOOK_EVERY_S
            try:
                self._limit_px = self._largest_imgsz()
            except BrokerUnavailable:
                return self._limit_px  # the picture itself will find out, and have it told
        return self._limit_px
