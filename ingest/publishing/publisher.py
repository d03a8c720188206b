"""One camera's pictures and events on their way into the broker, numbered and within the camera's budget."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol

from ingest.gate.frame_selector import PlanSource
from ingest.publishing.encoding import EncodedImage, encode, share
from ingest.reading.camera_events import ingest_event
from ingest.resuming import source_fingerprint
from ingest.sources.base import Picture
from posebus.bus.checkpoint import ENDED, OFFLINE, OPEN, Checkpoint
from posebus.bus.frame_producer import Backlog
from posebus.config.settings import CameraSettings
from posebus.events import Position
from posebus.messages import CaptureClock, Delivery, EndOfStream, Event, EventType, Frame, Uninferred
from posebus.runtime.shared_frames import SharedFrames
from posebus.telemetry.metrics import Metrics, age_s
from posebus.views import View

MAX_POSES_WAITING = 2000
"""Entries of `poses` that a lossless source lets pile up when no tracker keeps up."""
RESUME_SHARE = 0.75
"""Once full, a backlog has to fall to this part of its budget before frames follow, in one go and not one by one."""
EVENTS_KEPT = 100


Item = Frame | Uninferred | EndOfStream


class Writer(PlanSource, Protocol):
    """What the publisher needs of `posebus.bus.FrameProducer`."""

    def hold(self) -> int: ...
    def release(self) -> None: ...
    def checkpoint(self) -> Checkpoint | None: ...
    def open_epoch(self, checkpoint: Checkpoint) -> int: ...
    def publish(self, item: Item | None, events: Sequence[Event], checkpoint: Checkpoint | None) -> Backlog: ...
    def backlog(self) -> Backlog: ...
    def skip_oldest(self, max_bytes: int) -> int: ...


class Publisher:
    """Numbers pictures and gets them into the broker: `accept` takes one, `flush` sends what was taken.

    While the broker fails, a lossless frame and the end mark stay pending; a live frame is gone, its number with it,
    so that the tracker sees a gap; events wait, the newest 100 of them.

    A checkpoint goes with every lossless frame, so that another process can go on behind it; of a live camera with its
    coming and going, since what was captured meanwhile is gone for whoever comes after.
    """

    def __init__(
        self,
        camera: str,
        settings: CameraSettings,
        delivery: Delivery,
        writer: Writer,
        metrics: Metrics,
        shared: SharedFrames | None = None,
        run: str = "",
    ) -> None:
        """Pictures of recordings go through `shared` where it is given; of those that are dropped it would fill up.

        `run` names this start of the deployment.
        """
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
        self._pending: Item | None = None
        self._attention = b""
        self._events: deque[Event] = deque(maxlen=EVENTS_KEPT)
        self._captured_at_ns = 0
        self._place: tuple[int, ...] = ()
        self._full = False
        # Begins with what nobody can be told yet: epoch 0 is before the first.
        self._checkpoint = Checkpoint(0, 0, 0, OFFLINE, run, source_fingerprint(settings))
        self._told = self._checkpoint

    def open_epoch(self, max_size_px: int | None) -> None:
        """Begin a new run of the source: frames count from 0 again, reduced to `max_size_px`."""
        state = OPEN if self._delivery is Delivery.LOSSLESS else OFFLINE  # until its first picture has come
        begun = replace(self._checkpoint, seq=0, captured_at_ns=0, state=state, place=(), max_size_px=max_size_px)
        self.epoch = self._writer.open_epoch(begun)
        self.seq = 0
        self._checkpoint = self._told = replace(begun, epoch=self.epoch)

    def take_over(self, checkpoint: Checkpoint, state: str) -> None:
        """Go on behind `checkpoint`, which another process left, in `state`."""
        self.epoch, self.seq = checkpoint.epoch, checkpoint.seq
        self._captured_at_ns, self._place = checkpoint.captured_at_ns, checkpoint.place
        self._told = checkpoint
        self.published = checkpoint.seq
        self._checkpoint = replace(checkpoint, state=state, run=self._checkpoint.run)

    def forget(self) -> None:
        """Another process has the camera: what waits here is its business now."""
        self._pending = None
        self._events.clear()

    def was_resumed(self, checkpoint: Checkpoint | None) -> bool:
        """Whether others have published since we did, by the camera's present `checkpoint`."""
        if checkpoint is None or checkpoint.epoch != self.epoch:
            return True
        told = self._told.seq
        # One more: the answer to what is pending may have been lost.
        return self._delivery is Delivery.LOSSLESS and checkpoint.seq not in (told, told + 1)

    @property
    def budget_bytes(self) -> int:
        """What may wait in the broker."""
        return self._settings.max_backlog_bytes

    def announce(self, kind: EventType, time_ns: int, **data: str | int | dict[str, int]) -> None:
        """Queue an event at the present position; `flush` sends it."""
        self._events.append(ingest_event(kind, self._camera, Position(self.epoch, self.seq, time_ns), dict(data)))

    def flush(self) -> None:
        """Send what waits, in one transaction. Raises LeaseLost: nothing was sent."""
        if self._pending is not None or self._events:
            self._send(self._pending)

    def set_state(self, state: str) -> None:
        """OPEN or OFFLINE, for whoever may have to go on; sent with what is sent next."""
        self._checkpoint = replace(self._checkpoint, state=state)

    def has_room(self) -> bool:
        """Whether the budget has room for one more lossless frame. Asks the broker only while it had none."""
        if self._full:
            self.backlog = self._writer.backlog()
            self._full = self._exceeds(RESUME_SHARE)
        else:
            self._full = self._exceeds(1.0)
        return not self._full

    def accept_unseen(self, picture: Picture, reason: str) -> None:
        """Number one picture that nobody has to infer, and take its mark, to be sent by `flush`."""
        self._pass(picture)
        self._pending = Uninferred(
            camera=self._camera,
            epoch=self.epoch,
            seq=self.seq,
            captured_at_ns=picture.captured_at_ns,
            clock=picture.clock,
            delivery=self._delivery,
            size_px=picture.image.size_px,
            reason=reason,
        )
        self.seq += 1

    def accept(self, picture: Picture, max_size_px: int | None, views: tuple[View, ...] = ()) -> None:
        """Encode and number one picture, to be inferred by `views` and sent by `flush`.

        Raises BadPicture for one that cannot travel.
        """
        encoded = self._encode(picture, max_size_px)
        self._pass(picture)
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
            views=views,
        )
        self.seq += 1

    def attend(self, state: bytes) -> None:
        """What a successor has to know to judge the next pictures as we would; sent with what is sent next."""
        self._attention = state

    def _pass(self, picture: Picture) -> None:
        self._captured_at_ns = picture.captured_at_ns
        self._place = picture.place

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
        self.set_state(ENDED)

    def _send(self, item: Item | None) -> None:
        live_frame = isinstance(item, Frame | Uninferred) and self._delivery is Delivery.LIVE
        if live_frame:
            # Whatever becomes of the attempt: a second one would bring an old picture, perhaps twice.
            self._pending = None
            self.unsent += 1
        began_s = time.perf_counter()
        events = list(self._events)
        checkpoint = self._next_checkpoint()
        self.backlog = self._writer.publish(item, events, checkpoint)
        self._told = checkpoint or self._told
        self._pending = None
        for _ in events:
            self._events.popleft()
        if isinstance(item, Frame | Uninferred):
            self.published += 1
            self._measure(item, time.perf_counter() - began_s)
        if live_frame:
            self.unsent -= 1
            if self.backlog.frames_bytes > self._settings.max_backlog_bytes:
                self.overflowed += self._writer.skip_oldest(self._settings.max_backlog_bytes)

    def _next_checkpoint(self) -> Checkpoint | None:
        """What is to be written beside what is sent now; None where nothing that matters has changed."""
        if self._delivery is Delivery.LOSSLESS:
            self._checkpoint = replace(
                self._checkpoint,
                seq=self.seq,
                captured_at_ns=self._captured_at_ns,
                place=self._place,
                attention=self._attention,
            )
        return None if self._checkpoint == self._told else self._checkpoint

    def _measure(self, frame: Frame | Uninferred, publish_s: float) -> None:
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
