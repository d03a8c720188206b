"""One camera's pictures and events on their way into the broker, numbered and within the camera's budget."""

from __future__ import annotations

import time
from collections import deque
from typing import Protocol

from ingest.camera_events import ingest_event
from ingest.encoding import EncodedImage, encode, share
from ingest.sources.base import Picture
from posebus.bus.frame_writer import Backlog
from posebus.events import Position
from posebus.messages import CaptureClock, Delivery, EndOfStream, Event, EventType, Frame
from posebus.metrics import Metrics, age_s
from posebus.settings import CameraSettings
from posebus.shared_frames import SharedFrames

MAX_POSES_WAITING = 2000
"""Entries of `poses` that a lossless source lets pile up when no tracker keeps up."""
RESUME_SHARE = 0.75
"""Once full, a backlog has to fall to this part of its budget before frames follow, in one go and not one by one."""
EVENTS_KEPT = 100


class Writer(Protocol):
    """What the publisher needs of `posebus.bus.FrameWriter`."""

    def open_epoch(self) -> int: ...
    def publish(self, frame: Frame | EndOfStream) -> Backlog: ...
    def backlog(self) -> Backlog: ...
    def skip_oldest(self, max_bytes: int) -> int: ...
    def emit(self, event: Event) -> None: ...


class Publisher:
    """Numbers pictures and gets them into the broker: `accept` takes one, `flush` sends what was taken.

    While the broker fails, a lossless frame and the end mark stay pending; a live frame is gone, its number with it,
    so that the tracker sees a gap; events wait, the newest 100 of them.
    """

    def __init__(
        self,
        camera: str,
        settings: CameraSettings,
        delivery: Delivery,
        writer: Writer,
        metrics: Metrics,
        shared: SharedFrames | None = None,
    ) -> None:
        """Pictures of recordings go through `shared` where it is given; of those that are dropped it would fill up."""
        self.epoch = 0
        self.seq = 0
        self.published = 0
        self.overflowed = 0
        self.unsent = 0
        self.backlog = Backlog(0, 0, 0)
        self._camera = camera
        self._settings = settings
        self._delivery = delivery
        self._writer = writer
        self._metrics = metrics
        self._shared = shared if delivery is Delivery.LOSSLESS else None
        self._pending: Frame | EndOfStream | None = None
        self._events: deque[Event] = deque(maxlen=EVENTS_KEPT)
        self._captured_at_ns = 0
        self._full = False

    def open_epoch(self) -> None:
        """Begin a new run of the source: frames count from 0 again."""
        self.epoch = self._writer.open_epoch()
        self.seq = 0

    def announce(self, kind: EventType, time_ns: int, **data: str | int | dict[str, int]) -> None:
        """Queue an event at the present position; `flush` sends it."""
        self._events.append(ingest_event(kind, self._camera, Position(self.epoch, self.seq, time_ns), dict(data)))

    def flush(self) -> None:
        """Send what waits: events first, since they are about what was before the pending frame."""
        while self._events:
            self._writer.emit(self._events[0])
            self._events.popleft()
        if self._pending is not None:
            self._send(self._pending)

    def has_room(self) -> bool:
        """Whether the budget has room for one more lossless frame. Asks the broker only while it had none."""
        if self._full:
            self.backlog = self._writer.backlog()
            self._full = self._exceeds(RESUME_SHARE)
        else:
            self._full = self._exceeds(1.0)
        return not self._full

    def accept(self, picture: Picture, max_size_px: int | None) -> None:
        """Encode and number one picture, to be sent by `flush`. Raises BadPicture for one that cannot travel."""
        encoded = self._encode(picture, max_size_px)
        self._captured_at_ns = picture.captured_at_ns
        self._pending = Frame(
            camera=self._camera,
            epoch=self.epoch,
            seq=self.seq,
            captured_at_ns=picture.captured_at_ns,
            clock=picture.clock,
            delivery=self._delivery,
            size_px=picture.image.size_px,
            image_size_px=encoded.image_size_px,
            encoding=encoded.encoding,
            data=encoded.data,
        )
        self.seq += 1

    def _encode(self, picture: Picture, max_size_px: int | None) -> EncodedImage:
        if self._shared is not None:
            name = f"{self._camera}-{self.epoch}-{self.seq}"
            kept = share(picture.image, self._shared, name, max_size_px)
            if kept is not None:
                return kept
        return encode(picture.image, self._settings, max_size_px)

    def accept_end(self, reason: str) -> None:
        """Take the mark after the last frame, to be sent by `flush`."""
        self._pending = EndOfStream(
            camera=self._camera,
            epoch=self.epoch,
            seq=self.seq,
            captured_at_ns=self._captured_at_ns,
            delivery=self._delivery,
            reason=reason,
        )

    def _send(self, item: Frame | EndOfStream) -> None:
        live_frame = isinstance(item, Frame) and self._delivery is Delivery.LIVE
        if live_frame:
            # Whatever becomes of the attempt: a second one would bring an old picture, perhaps twice.
            self._pending = None
            self.unsent += 1
        began_s = time.perf_counter()
        self.backlog = self._writer.publish(item)
        self._pending = None
        if isinstance(item, Frame):
            self.published += 1
            self._measure(item, time.perf_counter() - began_s)
        if live_frame:
            self.unsent -= 1
            if self.backlog.frames_bytes > self._settings.max_backlog_bytes:
                self.overflowed += self._writer.skip_oldest(self._settings.max_backlog_bytes)

    def _measure(self, frame: Frame, publish_s: float) -> None:
        self._metrics.count("posebus_frames_total")
        self._metrics.observe("posebus_stage_seconds", publish_s, stage="publish")
        # The age of a recording counts from here.
        if frame.clock is not CaptureClock.FILE:
            now_ns = time.time_ns()
            age = age_s(frame.captured_at_ns, now_ns, frame.clock, now_ns)
            self._metrics.observe("posebus_age_at_publish_seconds", age, stage="frames")

    def _exceeds(self, share: float) -> bool:
        budget = self._settings.max_backlog_bytes
        bytes_per_frame = self.backlog.frames_bytes / max(1, self.backlog.frames)
        full = self.backlog.frames > 0 and self.backlog.frames_bytes + bytes_per_frame > share * budget
        return full or self.backlog.poses > share * MAX_POSES_WAITING
