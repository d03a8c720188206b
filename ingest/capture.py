"""The capture loop of one camera: read, number, encode, publish; wait or drop at the budget; reconnect with backoff.

One process captures a camera: the one that holds its lease. Other processes that are configured for the camera stand
by. When the owner dies, one of them takes over: it resumes a recording after the last published picture, and starts a
new epoch of a live camera.
"""

from __future__ import annotations

import contextlib
import logging
import random
import time
from collections.abc import Callable

from ingest.camera_motion.follower import MotionFollower
from ingest.camera_status import CameraStatus
from ingest.gate.frame_selector import FrameSelector
from ingest.leaving import Leaving, StopReason, leave
from ingest.ownership import CameraOwner
from ingest.publishing.admission import Admission
from ingest.publishing.publisher import Publisher, Writer
from ingest.publishing.sizing import LargestImgsz, SizeLimit
from ingest.reading.connection import Connection, OpenSource
from ingest.reading.frame_rate import CameraRates, FrameRate
from ingest.reading.losses import Losses, LossReason
from ingest.reading.reader import Reader
from ingest.report import camera_report
from ingest.resuming import EpochStart, first_checkpoint
from ingest.sources import CapturedImage, is_live, open_source
from posebus.backoff import Backoff
from posebus.config.local_files import is_being_written
from posebus.config.redaction import redact_known
from posebus.config.settings import CameraSettings
from posebus.errors import (
    BadPicture,
    BrokerUnavailable,
    LeaseLost,
    PoseBusError,
    SourceChanged,
    SourceMissing,
    SourceRejected,
    SourceUnavailable,
)
from posebus.logs.about import about
from posebus.messages import Delivery, EventType
from posebus.runtime.failures import in_one_sentence
from posebus.runtime.shared_frames import SharedFrames
from posebus.telemetry.camera_state import CameraState
from posebus.telemetry.metrics import Metrics
from posebus.telemetry.process_report import INGEST, ProcessReport

TAKE_WAIT_S = 0.1
MIN_FULL_PAUSE_S, MAX_FULL_PAUSE_S = 0.01, 0.1
"""Shortest and longest pause between two reads of a full backlog."""
LONGEST_STEP_S = 60.0
"""Several timeouts of the broker in a row, with the pauses between them, take less."""
STANDBY_PAUSE_S = 0.25

log = logging.getLogger("posebus.ingest")


class CaptureStage:
    """The stage of one camera. `step` publishes at most one frame."""

    role = "ingest"

    def __init__(
        self,
        camera: str,
        settings: CameraSettings,
        writer: Writer,
        *,
        opener: OpenSource = open_source,
        largest_imgsz: LargestImgsz = lambda: None,
        shared: SharedFrames | None = None,
        run: str = "",
        rng: random.Random | None = None,
    ) -> None:
        """`largest_imgsz` asks for the workers' inference size; `rng` draws the jitter of reconnects.

        Pictures of recordings are passed through `shared` if it is given. `run` names this start of the deployment: a
        recording that ended in it is not played again by a process that is restarted.
        """
        self.stop_reason: StopReason = Leaving  # asked why the stage ends, when it drains
        self.must_exist = False  # else a file that is missing or still being written is waited for
        self.before_step: Callable[[float], None] = lambda now_s: None
        self._camera = camera
        self._writer = writer
        self._settings = settings
        self._live = is_live(settings)
        first = first_checkpoint(settings, run)
        self.metrics, self._losses = Metrics(), Losses()
        self._publisher = Publisher(
            camera,
            settings,
            Delivery.LIVE if self._live else Delivery.LOSSLESS,
            writer,
            metrics=self.metrics,
            losses=self._losses,
            first_checkpoint=first,
            shared=shared,
        )
        size_limit = SizeLimit(settings.max_size_px, largest_imgsz, live=self._live)
        selector = FrameSelector(writer, live=self._live)
        motion = MotionFollower(wanted=settings.camera_motion == "auto", live=self._live)
        self.admission = Admission(camera, selector, motion, self._publisher, size_limit, self.metrics)
        rng = rng or random.Random()
        self._connection = Connection(
            camera, settings, opener, live=self._live, metrics=self.metrics, losses=self._losses, rng=rng
        )
        self._full_pauses = Backoff(MIN_FULL_PAUSE_S, MAX_FULL_PAUSE_S, rng)
        self._status = CameraStatus(camera, self._publisher)
        self._start = EpochStart()
        self._owner = CameraOwner(
            writer,
            live=self._live,
            first=first,
            connection=self._connection,
            publisher=self._publisher,
            admission=self.admission,
            status=self._status,
            start=self._start,
        )
        self._rate = FrameRate()
        self._stepped_at_s = time.monotonic()

    def step(self, now_s: float) -> bool:
        """Take and publish one picture if there is one; False once the source has ended and its end is published.

        Raises BrokerUnavailable (call again) and SourceRejected (this source can never work).
        """
        self._stepped_at_s = now_s
        self.before_step(now_s)
        try:
            if not self._owner.owns():
                time.sleep(STANDBY_PAUSE_S)
                return True
            return self._capture(now_s)
        except LeaseLost as error:
            log.warning("%s", error, extra=about(self._camera))
            return True
        except PoseBusError:
            raise
        except Exception as error:
            if self._live:
                raise  # the process is started again, and the picture is gone by then
            # Another process would meet the same picture of a recording again, for ever.
            raise self._rejected(in_one_sentence(error, about=f"a frame of camera {self._camera}")) from error

    def healthy(self, now_s: float) -> bool:
        """Return whether both the loop and the reader make progress; may be called from another thread."""
        return self._connection.healthy(now_s) and now_s - self._stepped_at_s < LONGEST_STEP_S

    def report(self) -> ProcessReport:
        """The report of this process. On standby, another process reports the camera."""
        if self._status.state is CameraState.STANDBY:
            return ProcessReport(INGEST, metrics=self.metrics.snapshot())
        for reason, number in self._losses.uncounted().items():
            self.metrics.count("posebus_frames_skipped_total", number, reason=reason)
        selector, now_s = self.admission.selector, time.monotonic()
        capture = camera_report(
            self._publisher,
            state=self._status.state,
            trouble=self._status.trouble,
            rates=CameraRates(self._rate.fps(now_s), *self._connection.rates(now_s)),
            backlog_s=self._publisher.backlog_s(now_s),
            dropped={**self._losses.totals(), "overflow": self._publisher.overflowed},
            gate=selector.report() if selector.active else None,
            motion=self.admission.motion.report(),
        )
        return ProcessReport(INGEST, metrics=self.metrics.snapshot(), captures={self._camera: capture})

    def drain(self) -> None:
        """Announce that a live camera stops, and send everything pending; see `ingest.leaving`."""
        leave(self._camera, self._status, self._publisher, live=self._live, leaving=self.stop_reason())

    def close(self) -> None:
        """Disconnect and release the camera; a reader that hangs is left behind and ends with the process."""
        self._connection.drop(timeout_s=1.0)
        with contextlib.suppress(BrokerUnavailable):  # the lease then expires by itself
            self._writer.release()

    def _capture(self, now_s: float) -> bool:
        self._publisher.flush()
        if self._status.state is CameraState.ENDED:
            return False
        reader = self._connection.reader
        if reader is None:
            self._connect(now_s)
            return True
        if not self._live and not self._publisher.has_room():
            time.sleep(self._full_pauses.next_s())
            return True
        self._full_pauses.reset()
        self._announce_losses(now_s)
        picture = self._take(now_s)
        if picture is not None:
            self._publish(picture, now_s)
        elif self._connection.reader is not reader:
            return True  # the connection failed
        elif reader.finished:
            self._end(reader)
            return False
        else:
            self._check_silence(reader, now_s)
        return True

    def _connect(self, now_s: float) -> None:
        pause_s = self._connection.pause_s(now_s)
        if pause_s > 0:
            time.sleep(min(TAKE_WAIT_S, pause_s))
            return
        self._start.connecting()
        self._connection.open(self._start.resume)

    def _take(self, now_s: float) -> CapturedImage | None:
        """Return the next picture; None if none came, after acting on the reason if the source gave one."""
        try:
            return self._connection.take(TAKE_WAIT_S)
        except SourceUnavailable as error:
            self._connection.failed(error, now_s)
            self._go_offline(self._in_words(error))
            return None
        except SourceChanged as error:
            log.warning("camera %s: %s", self._camera, self._in_words(error), extra=about(self._camera))
            self._status.connecting()
            self._start.resume = None
            self._connection.drop()
            return None
        except SourceRejected as error:
            reason = self._in_words(error)
            if not self._may_come(error):
                raise self._rejected(reason) from error
            self._connection.failed(error, now_s)
            self._go_offline(reason)
            return None

    def _may_come(self, error: SourceRejected) -> bool:
        """Whether the source may work later: its file is missing, or still being written, and cannot be opened yet."""
        if self.must_exist or self._status.state is CameraState.ONLINE:
            return False
        return isinstance(error, SourceMissing) or is_being_written(self._settings.source, time.time())

    def _rejected(self, reason: str) -> SourceRejected:
        """Announce that the source can never be read, or not further, and return the error that ends the process."""
        self._go_offline(reason)
        self._publisher.flush()
        return SourceRejected(reason)

    def _check_silence(self, reader: Reader, now_s: float) -> None:
        expected = self._live or self._status.state is CameraState.ONLINE
        if expected and reader.silent_s(now_s) > self._settings.read_timeout_s:
            self._go_offline(f"nothing came for {self._settings.read_timeout_s:g} s")

    def _publish(self, picture: CapturedImage, now_s: float) -> None:
        """Publish one picture. A lossless one is `done` only when it is accepted: until then the broker may fail."""
        if self._live:
            self._connection.done()
        if self._start.opens_epoch:
            self.admission.begin_epoch(now_s)
            self._start.opens_epoch = False
        if self._status.go_online(picture.captured_at_ns):
            self._connection.works()
        try:
            if not self.admission.admit(picture, now_s):
                return
        except BadPicture as error:
            self._losses.add(LossReason.UNUSABLE)
            self._status.trouble = self._in_words(error)
            self._connection.done()
            self._start.resume = None
            return
        self._connection.done()
        self._start.resume = None
        self._publisher.flush()
        self._rate.add(now_s)

    def _end(self, reader: Reader) -> None:
        warning = None if reader.warning is None else redact_known(reader.warning, self._settings.source)
        self._status.trouble = warning
        self._status.end(warning)
        self._publisher.accept_end(warning or "end of file")
        self._publisher.flush()

    def _in_words(self, error: Exception) -> str:
        """The error without credentials: libraries, and sources of other packages, quote addresses in any form."""
        return redact_known(str(error), self._settings.source)

    def _go_offline(self, reason: str) -> None:
        # If the same connection recovers, the camera comes back with a new epoch.
        if self._status.go_offline(reason) and self._live:
            self._start.opens_epoch = True

    def _announce_losses(self, now_s: float) -> None:
        if not self._live:
            return
        losses = self._losses.unreported(now_s)
        if losses:
            self._publisher.announce(EventType.CAMERA_GAP, time.time_ns(), skipped=sum(losses.values()), reasons=losses)
