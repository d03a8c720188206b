"""The source that gives a part of a recording, out of any source that gives the whole."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from ingest.sources.base import Admit, CapturedImage, Seekable, Source, SourcePosition, SourceSpec
from ingest.sources.excerpt.selection import Selection
from ingest.sources.wrapping.wrapped import WrappedSource
from posebus.config.redaction import redact_url
from posebus.config.settings import CameraSettings
from posebus.errors import SourceRejected

NS = 1_000_000_000


@runtime_checkable
class StartsLater(Protocol):
    """A source that can begin near a time without reading all pictures before it."""

    def skip_to(self, time_ns: int) -> None:
        """Continue at a picture shortly before `time_ns` (from the first picture on); only before the first `read`.

        Capture times stay those of the whole recording. A source that cannot do this safely does nothing.
        """


class PartSource(WrappedSource):
    """The pictures of another source that belong to a part of it; their capture times stay the same."""

    def __init__(self, source: Source, settings: CameraSettings) -> None:
        """`source` is newly opened."""
        super().__init__(source)
        self._settings = settings
        self._origin_ns = settings.recorded_at_ns or 0
        self._selection = Selection(settings.start_s, settings.end_s, settings.every)
        self._over = False
        self._begun = False

    @property
    def fps(self) -> float | None:
        """See `Source.fps`."""
        fps = self._source.fps
        return None if fps is None else fps / self._settings.every

    @property
    def frame_count(self) -> int | None:
        """See `Source.frame_count`."""
        count, fps = self._source.frame_count, self._source.fps
        if count is None or not fps:
            return None
        end_s = count / fps if self._settings.end_s is None else min(count / fps, self._settings.end_s)
        return max(1, round((end_s - self._settings.start_s) * fps / self._settings.every))

    def read(self, admit: Admit | None = None) -> CapturedImage | None:
        """See `Source.read`. Raises SourceRejected if the recording ends before the part begins."""
        if self._over:
            return None
        if not self._begun:
            self._begun = True
            if self._settings.start_s > 0 and isinstance(self._source, StartsLater):
                self._source.skip_to(round(self._settings.start_s * NS))

        def wanted(captured_at_ns: int) -> bool:
            time_ns = captured_at_ns - self._origin_ns
            # The first picture after the end is let through, so that nothing after it is decoded.
            if self._selection.after(time_ns):
                return True
            return self._selection.selects(time_ns) and (admit is None or admit(captured_at_ns))

        picture = self._source.read(wanted)
        if picture is None or self._selection.after(picture.captured_at_ns - self._origin_ns):
            self._over = True
            if self._selection.within == 0:
                raise SourceRejected(self._nothing(ended=picture is None))
            return None
        position = (*picture.position, self._selection.within) if picture.position else ()
        return CapturedImage(picture.image, picture.captured_at_ns, picture.clock, position)

    def resume(self, position: SourcePosition) -> bool:
        """See `Seekable.resume`."""
        if len(position) < 2 or not isinstance(self._source, Seekable) or not self._source.resume(position[:-1]):
            return False
        self._begun = True
        self._selection.within = position[-1]
        return True

    def _nothing(self, *, ended: bool) -> str:
        name = redact_url(self._settings.source)
        if ended and self._selection.last_ns is not None:
            step_s = 0.0 if not self._source.fps else 1 / self._source.fps
            length_s = self._selection.last_ns / NS + step_s
            return (
                f"{name} is {length_s:.3f} s long, so it has no frame from {self._settings.start_s:g} s on: "
                "choose an earlier start"
            )
        return (
            f"{name} has no frame between {self._settings.start_s:g} s and {self._settings.end_s:g} s: choose a longer "
            "part"
        )


def is_part(settings: CameraSettings) -> bool:
    """Return whether the settings leave out frames by their time or number."""
    return settings.start_s > 0 or settings.end_s is not None or settings.every > 1


def open_part(spec: SourceSpec, settings: CameraSettings, *, live: bool) -> PartSource:
    """Open the part of a recording that the settings name. Raises what `SourceOpener` raises."""
    if not spec.recorded or settings.loop:
        what = "is played in a loop" if spec.recorded else "is no recording"
        raise SourceRejected(
            f"{redact_url(settings.source)} {what}, so no part of it can be read: remove start_s, end_s and every"
        )
    if settings.end_s is not None and settings.end_s <= settings.start_s:
        raise SourceRejected(
            f"the part of {redact_url(settings.source)} ends at {settings.end_s:g} s, before its start at "
            f"{settings.start_s:g} s: make end_s larger than start_s"
        )
    # Every N-th frame is counted among all frames, so the decoder may skip none.
    whole = settings if settings.every == 1 or spec.kind == "images" else settings.model_copy(update={"max_fps": None})
    return PartSource(spec.open(whole, live=live), settings)
