"""The capture loop of one camera: read, number, encode, publish; wait or drop at the budget; reconnect with backoff.

One process captures a camera, whoever holds its lease. Others that are told to capture it stand by, and go on with it
where it died: a recording behind the last picture that was published, a camera with a new epoch.
"""

from __future__ import annotations

import contextlib
import logging
import random
import time

from ingest.gate.frame_selector import Attention
from ingest.publishing.admission import Admission
from ingest.publishing.publisher import Publisher, Writer
from ingest.publishing.sizing import LargestImgsz, SizeLimit
from ingest.reading.connection import Connection, OpenSource
from ingest.reading.reader import Reader
from ingest.report import FrameRate, camera_report
from ingest.resuming import source_fingerprint
from ingest.sources import Picture, is_live, open_source
from ingest.takeover import TakeOver, take_over
from posebus.backoff import Backoff
from posebus.bus.checkpoint import OFFLINE, OPEN, Checkpoint
from posebus.config.settings import CameraSettings
from posebus.errors import (
    BadPicture,
    BrokerUnavailable,
    LeaseLost,
    SourceChanged,
    SourceRejected,
    SourceUnavailable,
)
from posebus.messages import Delivery, EventType
from posebus.runtime.shared_frames import SharedFrames
from posebus.telemetry.metrics import Metrics
from posebus.telemetry.process_report import INGEST, ProcessReport

TAKE_WAIT_S = 0.1
FULL_PAUSE_S = (0.01, 0.1)
"""Shortest and longest pause between two looks at a full backlog."""
LONGEST_STEP_S = 60.0
"""Several timeouts of the broker in a row, and the pauses between, take less."""
STANDBY_PAUSE_S = 0.25

log = logging.getLogger("posebus.ingest")


class CaptureStage:
    """One camera's stage. `step` publishes at most one frame."""

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

        Pictures of recordings go through `shared` where it is given. `run` names this start of the deployment: a
        recording that ended in it is not played again by a process that is restarted.
        """
        self._camera = camera
        self._writer = writer
        self._run = run
        self._settings = settings
        self._live = is_live(settings)
        delivery = Delivery.LIVE if self._live else Delivery.LOSSLESS
        self._metrics = Metrics()
        self._publisher = Publisher(camera, settings, delivery, writer, self._metrics, shared, run)
        self._size_limit = SizeLimit(settings.max_size_px, largest_imgsz, live=self._live)
        attention = Attention(writer, live=self._live)
        self._admission = Admission(camera, attention, self._publisher, self._size_limit, self._metrics)
        rng = rng or random.Random()
        self._connection = Connection(camera, settings, opener, self._metrics, rng)
        self._room_pauses = Backoff(*FULL_PAUSE_S, rng)
        self._taken: Picture | None = None
        self._stepped_at_s = time.monotonic()
        self._token = 0
        self._stood_by = False
        self._new_epoch = True
        self._resume: Checkpoint | None = None
        self._ended = False
        self._state = "connecting"
        self._trouble: str | None = None
        self._rate = FrameRate()

    def step(self, now_s: float) -> bool:
        """Take and publish one picture if there is one; False once the source has ended and its end is published.

        Raises BrokerUnavailable (call again) and SourceRejected (this source can never work).
        """
        self._stepped_at_s = now_s
        try:
            if not self._owns():
                time.sleep(STANDBY_PAUSE_S)
                return True
            return self._capture(now_s)
        except LeaseLost as error:
            log.warning("%s", error)
            return True

    def _capture(self, now_s: float) -> bool:
        self._publisher.flush()
        if self._ended:
            return False
        reader = self._connection.reader
        if reader is None:
            self._connect(now_s)
            return True
        if not self._live and not self._publisher.has_room():
            time.sleep(self._room_pauses.next_s())
            return True
        self._room_pauses.reset()
        self._tell_losses(now_s)
        return self._take(reader, now_s)

    def healthy(self, now_s: float) -> bool:
        """Whether neither the loop nor the reader hangs; may be asked from another thread."""
        return self._connection.healthy(now_s) and now_s - self._stepped_at_s < LONGEST_STEP_S

    def report(self) -> ProcessReport:
        """The report of this process. On standby, another process reports the camera."""
        if self._state == "standby":
            return ProcessReport(INGEST, metrics=self._metrics.snapshot())
        dropped = {**self._connection.lost(self._publisher.unsent), "overflow": self._publisher.overflowed}
        for reason, number in self._connection.losses.uncounted(dropped).items():
            self._metrics.count("posebus_frames_skipped_total", number, reason=reason)
        fps = self._rate.fps(time.monotonic())
        attention = self._admission.attention
        gate = attention.report() if attention.active else None
        capture = camera_report(self._publisher, self._state, self._trouble, fps, dropped, gate)
        return ProcessReport(INGEST, metrics=self._metrics.snapshot(), captures={self._camera: capture})

    def drain(self) -> None:
        """Say that the camera stops, and send what was begun. A recording only pauses: it is resumed behind that."""
        if self._live and self._state == "online":
            self._publisher.set_state(OFFLINE)
            self._publisher.announce(EventType.CAMERA_OFFLINE, time.time_ns(), reason="ingest was stopped")
        try:
            self._publisher.flush()
        except (BrokerUnavailable, LeaseLost) as error:
            log.warning("camera %s: what was begun could not be sent: %s", self._camera, error)

    def close(self) -> None:
        """Hang up; a reader that hangs is left behind, it ends with the process. Then the camera is anybody's."""
        self._connection.drop(timeout_s=1.0)
        with contextlib.suppress(BrokerUnavailable):  # then the lease runs out by itself
            self._writer.release()

    def _owns(self) -> bool:
        """Keep the camera, or see whether it is to be had."""
        token = self._writer.hold()
        if token != self._token:
            self._token = token
            if token:
                self._take_over()
            else:
                self._stand_by()
        return token > 0

    def _stand_by(self) -> None:
        log.info("camera %s: another ingest process has it; this one stands by", self._camera)
        self._stood_by = True
        self._state, self._trouble = "standby", None
        self._abandon()

    def _take_over(self) -> None:
        """The camera is ours, for the first time or anew: go on where it was left."""
        checkpoint = self._writer.checkpoint()
        if self._connection.reader is not None and not self._publisher.was_resumed(checkpoint):
            return  # the lease ran out, in an outage of the broker maybe, and nobody took it
        self._abandon()
        self._state, self._new_epoch, self._resume = "connecting", True, None
        source = source_fingerprint(self._settings)
        what = take_over(checkpoint, live=self._live, source=source, run=self._run, stood_by=self._stood_by)
        if what is TakeOver.ENDED:
            self._ended, self._state = True, "ended"
        elif checkpoint is not None and what is TakeOver.BEGIN_AFTER_LOSS:
            self._publisher.take_over(checkpoint, OFFLINE)
            self._publisher.announce(EventType.CAMERA_OFFLINE, time.time_ns(), reason="its ingest process is gone")
        elif checkpoint is not None and what is TakeOver.RESUME:
            log.info("camera %s: goes on at frame %d of epoch %d", self._camera, checkpoint.seq, checkpoint.epoch)
            self._resume, self._new_epoch = checkpoint, False
            self._publisher.take_over(checkpoint, OPEN)
            self._admission.resume(checkpoint)
            # It came online together with its first frame.
            self._state = "online" if checkpoint.seq > 0 else "connecting"

    def _abandon(self) -> None:
        """What was read and not published is another process's business now, or begins anew."""
        self._connection.drop()
        self._taken = None
        self._publisher.forget()

    def _connect(self, now_s: float) -> None:
        pause_s = self._connection.pause_s(now_s)
        if pause_s > 0:
            time.sleep(min(TAKE_WAIT_S, pause_s))
            return
        self._new_epoch = self._resume is None
        self._connection.open(self._resume)

    def _take(self, reader: Reader, now_s: float) -> bool:
        if self._taken is None:
            try:
                self._taken = reader.take(TAKE_WAIT_S)
            except SourceUnavailable as error:
                self._connection.failed(error, now_s)
                self._go_offline(str(error))
                return True
            except SourceChanged as error:
                log.warning("camera %s: %s", self._camera, error)
                self._state, self._resume = "connecting", None
                self._connection.drop()
                return True
            except SourceRejected as error:
                self._go_offline(str(error))
                self._publisher.flush()
                raise
        if self._taken is not None:
            self._publish(self._taken, now_s)
        elif reader.finished:
            return self._end(reader)
        elif (self._live or self._state == "online") and reader.silent_s(now_s) > self._settings.read_timeout_s:
            self._go_offline(f"nothing came for {self._settings.read_timeout_s:g} s")
        return True

    def _publish(self, picture: Picture, now_s: float) -> None:
        """`_taken` is only given up once the picture is accepted: until then the broker may fail and it is kept."""
        if self._live:
            self._taken = None
        if self._new_epoch:
            self._admission.begin_epoch(now_s)
            self._new_epoch = False
        if self._state != "online":
            self._state, self._trouble = "online", None
            self._connection.works()
            log.info("camera %s is online", self._camera)
            self._publisher.set_state(OPEN)
            self._publisher.announce(EventType.CAMERA_ONLINE, picture.captured_at_ns)
        try:
            if not self._admission.admit(picture, now_s):
                return
        except BadPicture as error:
            self._taken = self._resume = None
            self._connection.losses.add({"unusable": 1})
            self._trouble = str(error)
            return
        self._taken = self._resume = None
        self._publisher.flush()
        self._rate.add(now_s)

    def _end(self, reader: Reader) -> bool:
        self._ended = True
        self._state, self._trouble = "ended", reader.warning
        if reader.warning:
            log.warning("camera %s: %s", self._camera, reader.warning)
        self._publisher.accept_end(reader.warning or "end of file")
        self._publisher.flush()
        return False

    def _go_offline(self, reason: str) -> None:
        """Once per outage: a camera that stays away would otherwise fill the events with itself."""
        self._trouble = reason
        if self._state == "offline":
            return
        self._state = "offline"
        self._publisher.set_state(OFFLINE)
        log.warning("camera %s is offline: %s", self._camera, reason)
        self._publisher.announce(EventType.CAMERA_OFFLINE, time.time_ns(), reason=reason)
        # Should the same connection come to life again: who is offline comes back with a new epoch.
        self._new_epoch = self._new_epoch or self._live

    def _tell_losses(self, now_s: float) -> None:
        if not self._live:
            return
        news = self._connection.losses.due(self._connection.lost(self._publisher.unsent), now_s)
        if news:
            self._publisher.announce(EventType.CAMERA_GAP, time.time_ns(), skipped=sum(news.values()), reasons=news)
