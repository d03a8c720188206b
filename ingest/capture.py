"""The capture loop of one camera: read, number, encode, publish; wait or drop at the budget; reconnect with backoff."""

from __future__ import annotations

import logging
import os
import random
import time
from collections import Counter, deque
from collections.abc import Callable
from typing import Any

from ingest.camera_events import LossReport
from ingest.pacing import Backoff
from ingest.progress import give_life_signs
from ingest.publisher import Publisher, Writer
from ingest.reader import Reader
from ingest.sizing import LargestImgsz, SizeLimit
from ingest.sources import Picture, Source, is_live, open_source, source_kind
from posebus.bus.connection import Broker
from posebus.bus.frame_writer import FrameWriter
from posebus.bus.registry import CameraRecord, Registry, largest_imgsz
from posebus.errors import BadPicture, BrokerUnavailable, SourceRejected, SourceUnavailable
from posebus.messages import Delivery, EventType
from posebus.metrics import Metrics
from posebus.settings import CameraSettings
from posebus.shared_frames import SharedFrames

TAKE_WAIT_S = 0.1
FULL_PAUSE_S = (0.01, 0.1)
"""Shortest and longest pause between two looks at a full backlog."""
STUCK_FACTOR = 5.0
"""A reader in which nothing moved for this many times its longest timeout hangs in a library: no timeout works."""
LONGEST_STEP_S = 60.0
"""Several timeouts of the broker in a row, and the pauses between, take less."""
RATE_FRAMES = 50

log = logging.getLogger("posebus.ingest")

OpenSource = Callable[[CameraSettings], Source]


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
        rng: random.Random | None = None,
    ) -> None:
        """`largest_imgsz` asks for the workers' inference size; `rng` draws the jitter of reconnects.

        Pictures of recordings go through `shared` where it is given.
        """
        self._camera = camera
        self._settings = settings
        self._opener = opener
        self._live = is_live(settings)
        delivery = Delivery.LIVE if self._live else Delivery.LOSSLESS
        self._metrics = Metrics()
        self._publisher = Publisher(camera, settings, delivery, writer, self._metrics, shared)
        self._size_limit = SizeLimit(settings.max_size_px, largest_imgsz, live=self._live)
        self._backoff = Backoff(settings.reconnect_min_s, settings.reconnect_max_s, rng or random.Random())
        self._reader: Reader | None = None
        self._taken: Picture | None = None
        self._retry_at_s = 0.0
        self._stepped_at_s = time.monotonic()
        self._new_epoch = True
        self._ended = False
        self._state = "connecting"
        self._trouble: str | None = None
        self._full_pause_s = FULL_PAUSE_S[0]
        self._losses = LossReport()
        self._past_losses: Counter[str] = Counter()
        self._counted_losses: Counter[str] = Counter()
        self._sent_at_s: deque[float] = deque(maxlen=RATE_FRAMES)

    def step(self, now_s: float) -> bool:
        """Take and publish one picture if there is one; False once the source has ended and its end is published.

        Raises BrokerUnavailable (call again) and SourceRejected (this source can never work).
        """
        self._stepped_at_s = now_s
        self._publisher.flush()
        if self._ended:
            return False
        if self._reader is None:
            return self._connect(now_s)
        if not self._live and not self._publisher.has_room():
            self._wait_for_room()
            return True
        self._full_pause_s = FULL_PAUSE_S[0]
        self._tell_losses(now_s)
        return self._take(self._reader, now_s)

    def healthy(self, now_s: float) -> bool:
        """Whether neither the loop nor the reader hangs; may be asked from another thread."""
        reader = self._reader
        limit_s = STUCK_FACTOR * max(self._settings.open_timeout_s, self._settings.read_timeout_s)
        reads = reader is None or reader.silent_s(now_s) < limit_s
        return reads and now_s - self._stepped_at_s < LONGEST_STEP_S

    def report(self) -> dict[str, Any]:
        """State, rate, drops and backlog, for `posebus top`. No address: it may hold a password."""
        publisher = self._publisher
        dropped = Counter({**self._all_losses(), "overflow": publisher.overflowed})
        for reason, number in (dropped - self._counted_losses).items():
            self._metrics.count("posebus_frames_skipped_total", number, reason=reason)
        self._counted_losses |= dropped
        return {
            "ready": True,
            "metrics": self._metrics.snapshot(),
            "cameras": {
                self._camera: {
                    "state": self._state,
                    "trouble": self._trouble,
                    "epoch": publisher.epoch,
                    "frames": publisher.published,
                    "frames_expected": self._reader.frame_count if self._reader else None,
                    "fps": self._rate(time.monotonic()),
                    "dropped": dict(dropped),
                    "backlog_frames": publisher.backlog.frames,
                    "backlog_bytes": publisher.backlog.frames_bytes,
                    "backlog_limit_bytes": self._settings.max_backlog_bytes,
                }
            },
        }

    def drain(self) -> None:
        """Say that the camera stops, and send what was begun."""
        if self._state == "online" and not self._ended:
            self._publisher.announce(EventType.CAMERA_OFFLINE, time.time_ns(), reason="ingest was stopped")
        try:
            self._publisher.flush()
        except BrokerUnavailable as error:
            log.warning("camera %s: what was begun could not be sent: %s", self._camera, error)

    def close(self) -> None:
        """Hang up; a reader that hangs is left behind, it ends with the process."""
        if self._reader is not None and not self._reader.stop(timeout_s=1.0):
            log.info("camera %s: its reader did not end in time", self._camera)
        self._reader = None

    def _connect(self, now_s: float) -> bool:
        if now_s < self._retry_at_s:
            time.sleep(min(TAKE_WAIT_S, self._retry_at_s - now_s))
            return True
        self._new_epoch = True
        self._reader = Reader(
            lambda: self._opener(self._settings),
            name=self._camera,
            max_fps=self._settings.max_fps,
            live=self._live,
            metrics=self._metrics,
        )
        return True

    def _take(self, reader: Reader, now_s: float) -> bool:
        if self._taken is None:
            try:
                self._taken = reader.take(TAKE_WAIT_S)
            except SourceUnavailable as error:
                self._disconnect(str(error), now_s)
                return True
            except SourceRejected as error:
                self._go_offline(str(error))
                self._publisher.flush()
                raise
        if self._taken is not None:
            self._publish(self._taken, now_s)
        elif reader.finished:
            return self._end(reader)
        elif self._state == "online" and reader.silent_s(now_s) > self._settings.read_timeout_s:
            self._go_offline(f"nothing came for {self._settings.read_timeout_s:g} s")
        return True

    def _publish(self, picture: Picture, now_s: float) -> None:
        """`_taken` is only given up once the picture is accepted: until then the broker may fail and it is kept."""
        if self._live:
            self._taken = None
        if self._new_epoch:
            self._size_limit.begin_epoch(now_s)
            self._publisher.open_epoch()
            self._new_epoch = False
        if self._state != "online":
            self._state, self._trouble = "online", None
            self._backoff.reset()
            log.info("camera %s is online", self._camera)
            self._publisher.announce(EventType.CAMERA_ONLINE, picture.captured_at_ns)
        self._taken = None
        try:
            began_s = time.perf_counter()
            self._publisher.accept(picture, self._size_limit.at(now_s))
            self._metrics.observe("posebus_stage_seconds", time.perf_counter() - began_s, stage="encode")
        except BadPicture as error:
            self._past_losses["unusable"] += 1
            self._trouble = str(error)
            return
        self._publisher.flush()
        self._sent_at_s.append(now_s)

    def _end(self, reader: Reader) -> bool:
        self._ended = True
        self._state, self._trouble = "ended", reader.warning
        if reader.warning:
            log.warning("camera %s: %s", self._camera, reader.warning)
        self._publisher.accept_end(reader.warning or "end of file")
        self._publisher.flush()
        return False

    def _disconnect(self, reason: str, now_s: float) -> None:
        if self._reader is not None:
            self._past_losses.update(self._reader.lost)
            self._reader.stop()
        self._reader = None
        self._go_offline(reason)
        self._retry_at_s = now_s + self._backoff.next_s()

    def _go_offline(self, reason: str) -> None:
        """Once per outage: a camera that stays away would otherwise fill the events with itself."""
        self._trouble = reason
        if self._state == "offline":
            return
        self._state = "offline"
        log.warning("camera %s is offline: %s", self._camera, reason)
        self._publisher.announce(EventType.CAMERA_OFFLINE, time.time_ns(), reason=reason)

    def _wait_for_room(self) -> None:
        time.sleep(self._full_pause_s)
        self._full_pause_s = min(FULL_PAUSE_S[1], self._full_pause_s * 2)

    def _all_losses(self) -> dict[str, int]:
        losses = self._past_losses.copy()
        if self._reader is not None:
            losses.update(self._reader.lost)
        losses["broker unavailable"] = self._publisher.unsent
        return dict(losses)

    def _tell_losses(self, now_s: float) -> None:
        if not self._live:
            return
        news = self._losses.due(self._all_losses(), now_s)
        if news:
            self._publisher.announce(EventType.CAMERA_GAP, time.time_ns(), skipped=sum(news.values()), reasons=news)

    def _rate(self, now_s: float) -> float:
        times = self._sent_at_s
        if len(times) < 2 or now_s - times[-1] > 2.0 or times[-1] <= times[0]:
            return 0.0
        return round((len(times) - 1) / (times[-1] - times[0]), 1)


def build_capture(
    camera: str, settings: CameraSettings, broker: Broker, events_kept: int, shared: SharedFrames | None = None
) -> CaptureStage:
    """The stage of `camera` on `broker`, announced there; `events_kept` is `RetentionSettings.events_entries`.

    Under a supervisor's watchdog it gives signs of life for as long as it is healthy.
    """
    delivery = Delivery.LIVE if is_live(settings) else Delivery.LOSSLESS
    record = CameraRecord(camera, delivery, source_kind(settings))
    writer = FrameWriter(broker, record, events_kept)
    writer.announce()
    registry = Registry(broker)
    stage = CaptureStage(
        camera,
        settings,
        writer,
        largest_imgsz=lambda: largest_imgsz(registry.processes().values()),
        shared=shared,
    )
    give_life_signs(os.environ, stage.healthy)
    return stage
