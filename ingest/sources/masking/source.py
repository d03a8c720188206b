"""A source in whose pictures the zones of the setting `privacy_zones` are black."""

from __future__ import annotations

from dataclasses import replace

from ingest.sources.base import Admit, CapturedImage, Source
from ingest.sources.masking.image import MaskedImage
from ingest.sources.masking.zones import Zones
from ingest.sources.wrapping.wrapped import WrappedSource
from posebus.config.cameras.region import Region


class MaskedSource(WrappedSource):
    """Hides zones in the pictures of another source, which are in the pixels of these pictures."""

    def __init__(self, source: Source, region: Region) -> None:
        super().__init__(source)
        self._zones = Zones(region)

    def read(self, admit: Admit | None = None) -> CapturedImage | None:
        """See `Source.read`. Raises SourceRejected for a zone that lies outside of the picture."""
        picture = self._source.read(admit)
        if picture is None:
            return None
        self._zones.check(picture.image.size_px)
        return replace(picture, image=MaskedImage(picture.image, self._zones))
