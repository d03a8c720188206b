"""The thread that reads one source. A camera that hangs blocks this thread, never the stage."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

from ingest.reading.catching_up import catch_up
from ingest.reading.frame_rate import FrameRate
from ingest.reading.handoff import Handoff
from ingest.reading.losses import LossReason
from ingest.sources.base import CapturedImage, Source
from ingest.sources.pacing import RateCap
from posebus.bus.checkpoint import Checkpoint
from posebus.errors import PoseBusError, SourceRejected, SourceUnavailable
from posebus.logs.about import about
from posebus.runtime.failures import in_one_sentence
from posebus.telemetry.metrics import Metrics

PUT_WAIT_S = 0.2

log = logging.getLogger("posebus.ingest")


class Reader:
    """One connection to a source, from opening to closing, in a thread of its own.

    Stopping takes up to the timeouts of the source. A reader that does not end is left behind; `silent_s` is how long
    it has made no progress.
    """

    def __init__(
        self,
        open_source: Callable[[], Source],
        *,
        name: str,
        max_fps: float | None,
        live: bool,
        metrics: Metrics,
        resume: Checkpoint | None = None,
    ) -> None:
        """Start to read, after the picture of `resume` if that is given."""
        self._open_source = open_source
        self._resume = resume
        self._cap = RateCap(max_fps)
        self._max_fps = max_fps
        self._sent = FrameRate()
        self._handoff: Handoff[CapturedImage] = Handoff(freshest_wins=live)
        self._stopping = threading.Event()
        self._moved_at_s = time.monotonic()
        self._source: Source | None = None
        self._name = name
        self._live = live
        self._metrics = metrics
        self._thread = threading.Thread(target=self._run, name=f"read {name}", daemon=True)
        self._thread.start()

    def take(self, timeout_s: float) -> CapturedImage | None:
        """Return the next picture; None if none came in time, or at the end (`finished`).

        Raises the error of the source.
        """
        return self._handoff.take(timeout_s)

    @property
    def finished(self) -> bool:
        """Whether the source has ended regularly and all its pictures were taken."""
        return self._handoff.finished

    def silent_s(self, now_s: float) -> float:
        """Return the seconds since the source last made progress (`now_s` is monotonic)."""
        return now_s - self._moved_at_s

    @property
    def lost(self) -> dict[LossReason, int]:
        """Pictures that have not reached the publisher, by reason."""
        source = self._source
        return {
            LossReason.UNUSABLE: source.lost if source else 0,
            LossReason.PUBLISHER_BEHIND: self._handoff.replaced,
        }

    def sent_fps(self, now_s: float) -> float:
        """Pictures a second that the source sends, those included that max_fps leaves out (`now_s` is monotonic)."""
        return self._sent.fps(now_s)

    @property
    def nominal_fps(self) -> float | None:
        """Pictures a second that the source says it sends, up to max_fps; None where it does not say."""
        known = self._source.fps if self._source else None
        return known if known is None or self._max_fps is None else min(known, self._max_fps)

    @property
    def frame_count(self) -> int | None:
        """See `Source.frame_count`; None before the source is open."""
        return self._source.frame_count if self._source else None

    @property
    def warning(self) -> str | None:
        """See `Source.warning`."""
        return self._source.warning if self._source else None

    def stop(self, timeout_s: float = 0.0) -> bool:
        """Ask the thread to end and wait up to `timeout_s`; True if it has ended."""
        self._stopping.set()
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def _run(self) -> None:
        error: PoseBusError | None = self._failure(f"reading {self._name} ended unexpectedly")
        try:
            source = self._open_source()
            self._source = source
            self._moved_at_s = time.monotonic()
            try:
                if self._resume is not None:
                    catch_up(source, self._resume, self._admit, self._stopping.is_set)
                self._pump(source)
            finally:
                source.close()
            error = None
        except PoseBusError as known:
            error = known
        except Exception as unforeseen:
            log.debug("the source of camera %s failed", self._name, exc_info=True, extra=about(self._name))
            error = self._failure(in_one_sentence(unforeseen, about=f"the source of camera {self._name}"))
        finally:
            self._handoff.finish(error)

    def _failure(self, sentence: str) -> PoseBusError:
        # A camera may work the next time. A recording would fail at the same place again, for ever.
        return SourceUnavailable(sentence) if self._live else SourceRejected(sentence)

    def _pump(self, source: Source) -> None:
        while not self._stopping.is_set():
            # Processor time of this thread, since most of a read is waiting for the camera. FFmpeg's own threads are
            # not included.
            began_s = time.thread_time()
            picture = source.read(self._admit)
            if picture is None:
                return
            self._metrics.observe("posebus_stage_seconds", time.thread_time() - began_s, stage="capture")
            while not self._handoff.put(picture, PUT_WAIT_S):
                self._moved_at_s = time.monotonic()  # waiting for the publisher is no silence of the source
                if self._stopping.is_set():
                    return

    def _admit(self, captured_at_ns: int) -> bool:
        self._moved_at_s = time.monotonic()
        self._sent.add(self._moved_at_s)
        # While stopping, every picture is admitted, so that `read` returns instead of reading on.
        return self._stopping.is_set() or self._cap.admit(captured_at_ns)
