"""Going on with a recording behind what another process has published of it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable

from ingest.sources.base import Admit, Seekable, Source
from posebus.bus.checkpoint import Checkpoint
from posebus.config.settings import CameraSettings
from posebus.errors import SourceChanged

TELLING = ("source", "kind", "max_fps", "recorded_at_ns", "imgsz", "infer_fps", "motion_gate")
"""Settings with another value of which a camera gives other frames."""


def source_fingerprint(settings: CameraSettings) -> str:
    """Tells the settings of one source from those of another."""
    values = json.dumps([getattr(settings, name) for name in TELLING])
    return hashlib.sha256(values.encode()).hexdigest()[:16]


def catch_up(source: Source, checkpoint: Checkpoint, admit: Admit, stopping: Callable[[], bool]) -> None:
    """Bring a newly opened `source` behind the last picture of `checkpoint`.

    By its place where the source finds that, which costs the same wherever it is; else by reading again all that was
    admitted. Raises SourceChanged where other pictures come than were published.
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
            "it is played from its beginning"
        )
