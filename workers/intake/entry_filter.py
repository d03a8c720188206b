"""Which entries of `frames` are inferred, and the results of those that are not. Nothing here talks to the broker."""

from __future__ import annotations

import math
from collections.abc import Sequence

from posebus.bus.frame_consumer import FrameEntry, PoseResult
from posebus.config.settings import WorkerSettings
from posebus.errors import BadPicture
from posebus.messages import Delivery, EndOfStream, Frame
from posebus.runtime.shared_frames import SharedFrames
from workers.images.picture import Picture
from workers.images.tiling import forward_passes
from workers.intake.failures import exhausted_reason
from workers.job import Job, dead_letter, skip

MAX_INPUTS = 64
"""Forward passes of one frame: one view of as many tiles as a view may have, or several smaller views. A frame that
asks for more would occupy a worker for minutes."""


class EntryFilter:
    """Decides about each entry. `shared` holds pictures that are passed in shared memory instead of their message."""

    def __init__(self, settings: WorkerSettings, shared: SharedFrames | None = None) -> None:
        self._settings = settings
        self._shared = shared

    def job_or_result(self, entry: FrameEntry, age_ms: float, now_s: float) -> Job | PoseResult:
        """Return the job for a frame to infer, or the result of any other entry.

        Not inferred are the end of a stream, live frames older than `max_age_ms`, and what goes to the dead letters:
        malformed entries, exhausted ones, frames with too many tiles or without their picture. `age_ms` is the entry's
        age at `now_s` (monotonic).
        """
        frame = entry.body
        if frame is None:
            return dead_letter(entry, f"malformed: {entry.defect}")
        if isinstance(frame, EndOfStream):
            return PoseResult(entry, frame)
        reason = exhausted_reason(entry, self._settings.max_deliveries)
        if reason is not None:
            return dead_letter(entry, reason)
        inputs = forward_passes(frame.views)
        if inputs > MAX_INPUTS:
            reason = f"its views take {inputs} forward passes, and a frame may take {MAX_INPUTS}: ask for fewer tiles"
            return dead_letter(entry, reason)
        live = frame.delivery is Delivery.LIVE
        if live and age_ms > self._settings.max_age_ms:
            return skip(entry, frame, "too old")
        try:
            picture = self._picture(frame)
        except BadPicture as error:
            return dead_letter(entry, str(error))
        expires_at_s = now_s + (self._settings.max_age_ms - age_ms) / 1000 if live else math.inf
        return Job(entry, frame, picture, expires_at_s)

    def _picture(self, frame: Frame) -> Picture:
        if frame.encoding != "shared":
            return Picture(frame.data, frame.encoding, frame.image_size_px)
        if self._shared is None:
            raise BadPicture(
                "the picture is in the shared memory of the ingest's machine, and this worker has no shared_frames"
            )
        return Picture(self._shared.get(frame.data.decode(errors="replace")), "raw", frame.image_size_px)


def keep_newest_live(entries: Sequence[FrameEntry], keep: int) -> tuple[list[FrameEntry], list[PoseResult]]:
    """Split one camera's entries, oldest first, into those to infer and the results of the live frames before them.

    The newest `keep` live frames are kept; older live frames are skipped as overtaken. All other entries are kept:
    lossless frames, ends of streams and malformed entries.
    """
    live = [entry for entry in entries if isinstance(entry.body, Frame) and entry.body.delivery is Delivery.LIVE]
    overtaken = {entry.entry_id for entry in live[: max(0, len(live) - keep)]}
    kept = [entry for entry in entries if entry.entry_id not in overtaken]
    results = [
        skip(entry, entry.body, "overtaken")
        for entry in entries
        if entry.entry_id in overtaken and isinstance(entry.body, Frame)
    ]
    return kept, results
