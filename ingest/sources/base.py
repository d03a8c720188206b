"""The interface of every source of pictures, and the spec by which a kind of source enters the table of kinds.

Pixels are BGR, 8 bit, with the origin at the top left.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from ingest.sources.decoding.pixels import BgrImage, Image
from posebus.config.settings import CameraSettings
from posebus.messages import CaptureClock

Admit = Callable[[int], bool]
"""Decides by its capture time (ns) whether a picture is wanted; the others are dropped before they cost anything."""

SourcePosition = tuple[int, ...]
"""Numbers by which a source finds one of its pictures again; their meaning is private to the source. Empty: unknown."""


@dataclass(frozen=True, slots=True)
class CapturedImage:
    """One picture of a source. `captured_at_ns` strictly increases from picture to picture of one source."""

    image: Image
    captured_at_ns: int
    clock: CaptureClock
    position: SourcePosition = ()
    """By which the same source continues after this picture (`Seekable.resume`); empty if it cannot."""

    @property
    def image_bgr(self) -> BgrImage:
        """Its rows of BGR, converted at each call unless the picture arrived as such. Raises BadPicture."""
        return self.image.bgr()


@runtime_checkable
class Seekable(Protocol):
    """A source that can continue after a given picture without reading all pictures before it."""

    def resume(self, position: SourcePosition) -> bool:
        """Continue after the picture that had this `CapturedImage.position`; only before the first `read`.

        Returns False if that picture is not there: the source then starts from its beginning.
        """


class Source(Protocol):
    """One open source. A source belongs to one thread: `read` and `close` are called from the same one."""

    @property
    def live(self) -> bool:
        """Whether pictures come at the source's own pace; else they come as fast as they are read."""

    @property
    def fps(self) -> float | None:
        """Nominal pictures per second, None if the source does not know."""

    @property
    def frame_count(self) -> int | None:
        """Approximate number of pictures, for progress bars; None if it is unknown or endless."""

    @property
    def warning(self) -> str | None:
        """One sentence about a defect that did not stop the source, such as a recording that is cut off."""

    @property
    def lost(self) -> int:
        """How many pictures the source itself has skipped so far: damaged, unreadable, or too old."""

    def read(self, admit: Admit | None = None) -> CapturedImage | None:
        """Return the next admitted picture, or None at the regular end.

        `admit` is called exactly once for every picture that was considered, in order. A source that was opened with a
        rate cap may leave pictures out without asking, as long as those that remain are as many as the cap admits.
        Raises SourceUnavailable (a live source has failed: close it, wait, open it again) or SourceRejected (it can
        never work).
        """

    def close(self) -> None:
        """Release files, sockets and devices; may be called twice."""


class SourceOpener(Protocol):
    """Opens the source that the settings name. Raises SourceUnavailable or SourceRejected."""

    def __call__(self, settings: CameraSettings, *, live: bool) -> Source: ...


Check = Callable[[CameraSettings], str | None]
"""Finds out, without opening a source for long, whether it can be used on this machine now.

Returns the name of the device if only one program can read it at a time, else None. Raises SourceRejected (it can never
work) or SourceUnavailable (not as things are now).
"""


def check_nothing(settings: CameraSettings) -> str | None:
    """The check of sources about which nothing can be known before they are opened."""
    return None


@dataclass(frozen=True, slots=True)
class SourceSpec:
    """One kind of source: everything that the rest of the code has to know about it."""

    kind: str
    """The name of the kind, as in `CameraSettings.kind`."""
    recognises: Callable[[str], bool]
    """Whether `CameraSettings.source` has the form of this kind; asked while the setting `kind` is `auto`."""
    open: SourceOpener
    recorded: bool = False
    """Whether its pictures are recordings: read as fast as possible and lossless, unless the settings differ."""
    check: Check = check_nothing
