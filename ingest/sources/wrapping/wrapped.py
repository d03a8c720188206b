"""A source that passes everything on to another one: the base of those that change a part of it."""

from __future__ import annotations

from ingest.sources.base import Admit, CapturedImage, Seekable, Source, SourcePosition


class WrappedSource:
    """Another source as it is. A subclass overrides what it changes."""

    def __init__(self, source: Source) -> None:
        self._source = source

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
        return self._source.read(admit)

    def resume(self, position: SourcePosition) -> bool:
        """See `Seekable.resume`; False if the other source cannot seek."""
        return isinstance(self._source, Seekable) and self._source.resume(position)

    def close(self) -> None:
        """See `Source.close`."""
        self._source.close()
