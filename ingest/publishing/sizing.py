"""The size to which pictures are reduced: a setting, or the largest inference size among the workers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

from posebus.errors import BrokerUnavailable
from posebus.views import View

ASK_EVERY_S = 2.0
"""A worker reports once a second, so a new size is used after three seconds at most."""

LargestImgsz = Callable[[], int | None]
"""Returns the largest inference size among the running workers, None if none runs. Raises BrokerUnavailable."""


class SizeLimit:
    """The longest side of published pictures, in pixels; None publishes them in full size.

    Pictures smaller than the network's input would cost detections; larger ones cost encoding, transport and decoding
    before the worker reduces them. A lossless source keeps one size for a whole epoch, so that it gives the same tracks
    every time.
    """

    def __init__(self, setting: int | Literal["auto"] | None, largest_imgsz: LargestImgsz, *, live: bool) -> None:
        """`setting` is `CameraSettings.max_size_px`."""
        self._follows = setting == "auto"
        self._limit_px = None if setting == "auto" else setting
        self._largest_imgsz = largest_imgsz
        self._live = live
        self._ask_at_s = 0.0

    def begin_epoch(self, now_s: float) -> None:
        """Ask for the size of the workers. Raises BrokerUnavailable, because a whole epoch would keep a wrong size."""
        if self._follows:
            self._limit_px = self._largest_imgsz()
            self._ask_at_s = now_s + ASK_EVERY_S

    def resume(self, limit_px: int | None) -> None:
        """Continue an epoch that another process started with `limit_px`."""
        if self._follows:
            self._limit_px = limit_px

    @property
    def epoch_px(self) -> int | None:
        """The limit with which the epoch of a lossless source started."""
        return self._limit_px

    def for_views(self, views: Sequence[View], now_s: float) -> int | None:
        """Return the limit for a picture to be inferred by `views`: the size they need; tiles need full size."""
        if not views:
            return self.at(now_s)
        needed_px = None if any(view.tiled for view in views) else max(view.imgsz for view in views)
        if self._follows:
            return needed_px
        known = [side for side in (needed_px, self._limit_px) if side is not None]
        return min(known) if self._limit_px is not None and known else None

    def at(self, now_s: float) -> int | None:
        """Return the limit for a picture that is published now (monotonic); for live sources it follows the workers."""
        if self._follows and self._live and now_s >= self._ask_at_s:
            self._ask_at_s = now_s + ASK_EVERY_S
            try:
                self._limit_px = self._largest_imgsz()
            except BrokerUnavailable:
                return self._limit_px  # publishing the picture will report the outage
        return self._limit_px
