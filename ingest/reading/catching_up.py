"""Bring a newly opened recording to the point up to which another process has published it."""

from __future__ import annotations

from collections.abc import Callable

from ingest.sources.base import Admit, Seekable, Source
from posebus.bus.checkpoint import Checkpoint
from posebus.errors import SourceChanged


def catch_up(source: Source, checkpoint: Checkpoint, admit: Admit, stopping: Callable[[], bool]) -> None:
    """Continue a newly opened `source` after the last picture of `checkpoint`.

    A source that can seek does so, which costs the same at every position; of any other source, all admitted pictures
    up to there are read again. Raises SourceChanged if the pictures are not those that were published.
    """
    if checkpoint.seq == 0:
        return
    if checkpoint.place and isinstance(source, Seekable) and source.resume(checkpoint.place):
        return
    captured_at_ns = -1
    while captured_at_ns < checkpoint.captured_at_ns:
        picture = source.read(admit)
        if stopping():
            return
        if picture is None:
            break
        captured_at_ns = picture.captured_at_ns
    if captured_at_ns != checkpoint.captured_at_ns:
        raise SourceChanged(
            f"frame {checkpoint.seq - 1} of the recording is not where it was when it was published; "
            "the recording is played from its beginning"
        )
