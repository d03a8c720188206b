"""What every source of pictures offers. Pixels are BGR, 8 bit, origin top left."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from ingest.sources.decoding.pixels import BgrImage, Image
from posebus.messages import CaptureClock

Admit = Callable[[int], bool]
"""Says by its capture time (ns) whether a picture is wanted; the others are dropped before they cost anything."""

MAX_PIXELS = 50_000_000
"""Pictures above this are refused before decoding: a few bytes of header could otherwise ask for all the memory."""


@dataclass(frozen=True, slots=True)
class Picture:
    """One picture of a source. `captured_at_ns` strictly increases from picture to picture of one source."""

    image: Image
    captured_at_ns: int
    clock: CaptureClock
    place: tuple[int, ...] = ()
    """By which the same source finds the way back behind this picture (`Seekable.resume`); empty where it cannot."""

    @property
    def image_bgr(self) -> BgrImage:
        """Its rows of BGR, made anew at each call where it did not come as such. Raises BadPicture."""
        return self.image.bgr()


@runtime_checkable
class Seekable(Protocol):
    """A source that need not be read from its beginning."""

    def resume(self, place: tuple[int, ...]) -> bool:
        """Go on behind the picture that had this `Picture.place`; False if it is not there, and all begins anew.

        Only before the first `read`.
        """


class Source(Protocol):
    """One open source. A source belongs to one thread: `read` and `close` are called from the same one."""

    @property
    def live(self) -> bool:
        """Whether pictures come at the source's own pace; else they come as fast as they are read."""

    @property
    def fps(self) -> float | None:
        """Nominal pictures per second, None where the source does not say."""

    @property
    def frame_count(self) -> int | None:
        """About how many pictures there will be, for progress bars; None where unknown or endless."""

    @property
    def warning(self) -> str | None:
        """One sentence about what was wrong though pictures came, such as a recording that is cut off."""

    @property
    def lost(self) -> int:
        """How many pictures the source itself had to pass over so far: damaged, unreadable, or too old."""

    def read(self, admit: Admit | None = None) -> Picture | None:
        """The next admitted picture, or None at the regular end.

        `admit` is called exactly once for every picture that was looked at, in order. A source that was opened with a
        rate cap may leave pictures out unseen, as long as those that remain are as many as the cap admits. Raises
        SourceUnavailable (a live source is in trouble: close it, wait, open it again) or SourceRejected (it can never
        work).
        """

    def close(self) -> None:
        """Release files, sockets and devices; may be called twice."""
