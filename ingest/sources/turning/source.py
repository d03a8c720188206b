"""A source whose pictures are turned by the setting `rotate`."""

from __future__ import annotations

from dataclasses import replace

from ingest.sources.base import Admit, CapturedImage, Seekable, Source, SourcePosition
from ingest.sources.turning.image import TurnedImage


class TurnedSource:
    """Turns the pictures of another source, after that source has set them upright as their files say.

    All other properties are those of that source.
    """

    def __init__(self, source: Source, degrees: int) -> None:
        """`degrees`: 90, 180 or 270, clockwise."""
        self._source = source
        self._degrees = degrees

    @property
    def live(self) -> bool:
        """See `Source.live`."""
        return self._source.live

    @property
    def fps(self) -> float | None:
        """See `Source.fps`."""
        return self._source.fps

    @property
    def frame_count(self) -> int | None:
        """See `Source.frame_count`."""
        return self._source.frame_count

    @property
    def warning(self) -> str | None:
        """See `Source.warning`."""
        return self._source.warning

    @property
    def lost(self) -> int:
        """See `Source.lost`."""
        return self._source.lost

    def read(self, admit: Admit | None = None) -> CapturedImage | None:
        """See `Source.read`."""
        picture = self._source.read(admit)
        return None if picture is None else replace(picture, image=TurnedImage(picture.image, self._degrees))

    def resume(self, position: SourcePosition) -> bool:
        """See `Seekable.resume`; False if the inner source cannot seek."""
        return isinstance(self._source, Seekable) and self._source.resume(position)

    def close(self) -> None:
        """See `Source.close`."""
        self._source.close()
