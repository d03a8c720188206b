"""What happens to one entry of `frames`: it goes to the engine, or is answered without it. No Redis here."""

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
from workers.job import Job, dead_letter, skip

INNOCENT_DELIVERIES = 20
"""A frame that is handed out so many times as often as it may fail is given up, though nothing else speaks against it:
something goes round and round."""
MAX_INPUTS = 64
"""Of one frame: a view of as many tiles as there can be, or some smaller ones. A frame that asks for more would keep a
worker for minutes."""


class Triage:
    """Decides what becomes of each entry. `shared` is where pictures are that did not travel with their message."""

    def __init__(self, settings: WorkerSettings, shared: SharedFrames | None = None) -> None:
        self.settings = settings
        self._shared = shared

    def __call__(self, entry: FrameEntry, age_ms: float, now_s: float) -> Job | PoseResult:
        """A job for the engine, or the result for an entry that needs none: an end, a stale frame, a senseless one.

        `age_ms` is the entry's age at `now_s`.
        """
        body = entry.body
        if body is None:
            return dead_letter(entry, f"malformed: {entry.defect}")
        if isinstance(body, EndOfStream):
            return PoseResult(entry, body)
        reason = hopeless(entry, self.settings.max_deliveries)
        if reason is not None:
            return dead_letter(entry, reason)
        if forward_passes(body.views) > MAX_INPUTS:
            reason = f"its views take {forward_passes(body.views)} inferences, and {MAX_INPUTS} is the most for a frame"
            return dead_letter(entry, f"{reason}: ask for fewer tiles")
        live = body.delivery is Delivery.LIVE
        if live and age_ms > self.settings.max_age_ms:
            return skip(entry, body, "too old")
        try:
            picture = self._picture(body)
        except BadPicture as error:
            return dead_letter(entry, str(error))
        return Job(entry, body, picture, now_s + (self.settings.max_age_ms - age_ms) / 1000 if live else math.inf)

    def _picture(self, frame: Frame) -> Picture:
        if frame.encoding != "shared":
            return Picture(frame.data, frame.encoding, frame.image_size_px)
        if self._shared is None:
            raise BadPicture("a picture is in the memory of its ingest's machine: give this worker shared_frames too")
        return Picture(self._shared.get(frame.data.decode(errors="replace")), "raw", frame.image_size_px)


def hopeless(entry: FrameEntry, max_attempts: int) -> str | None:
    """Why nothing more is tried with this entry; None while something is."""
    attempts = entry.attempts
    if len(attempts) >= max_attempts:
        workers = len({attempt.worker for attempt in attempts})
        times = f"{len(attempts)} attempts" if len(attempts) > 1 else "an attempt"
        return f"given up after {times} in {workers} worker{'s'[: workers != 1]}; the last: {attempts[-1].outcome}"
    if entry.deliveries > INNOCENT_DELIVERIES * max_attempts:
        return f"given up after {entry.deliveries - 1} deliveries: the workers that took it went, whatever the reason"
    return None


def freshest(entries: Sequence[FrameEntry], keep: int) -> tuple[list[FrameEntry], list[PoseResult]]:
    """Of one camera's entries, oldest first, those worth a look, and results for the frames that they overtake.

    Of live frames the newest `keep` remain. Everything else (lossless frames, ends, what cannot be read) remains too.
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
