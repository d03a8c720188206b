"""A source whose pictures are turned by the setting `rotate`."""

from __future__ import annotations

from dataclasses import replace

from ingest.sources.base import Admit, CapturedImage, Source
from ingest.sources.turning.image import TurnedImage
from ingest.sources.wrapping.wrapped import WrappedSource


class TurnedSource(WrappedSource):
    """Turns the pictures of another source, after that source has set them upright as their files say."""

    def __init__(self, source: Source, degrees: int) -> None:
        """`degrees`: 90, 180 or 270, clockwise."""
        super().__init__(source)
        self._degrees = degrees

    def read(self, admit: Admit | None = None) -> CapturedImage | None:
        """See `Source.read`."""
        picture = self._source.read(admit)
        return None if picture is None else replace(picture, image=TurnedImage(picture.image, self._degrees))
