"""Publishes the pictures and events of one camera, numbered and within the camera's budget."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol

from ingest.gate.frame_selector import PlanSource
from ingest.publishing.encoding import EncodedImage, encode, share
from ingest.reading.losses import Losses, LossReason
from ingest.sources import CapturedImage, SourcePosition
from posebus.bus.cameras.camera_events import EventQueue
from posebus.bus.checkpoint import ENDED, OFFLINE, OPEN, Checkpoint
from posebus.bus.frame_producer import Backlog
from posebus.config.settings import CameraSettings
from posebus.contract.events import Position
from posebus.messages import CameraMotion, CaptureClock, Delivery, EndOfStream, Event, EventType, Frame, Uninferred
from posebus.runtime.shared_frames import SharedFrames
from posebus.telemetry.metrics import Metrics, age_s
from posebus.views import View

MAX_POSES_WAITING = 2000
"""A lossless source waits while the tracker has left this many entries of `poses` unread."""
RESUME_SHARE = 0.75
"""Once full, a backlog has to fall to this part of its budget before frames follow, in one run and not one by one."""

Item = Frame | Uninferred | EndOfStream


class Writer(PlanSource, Protocol):
    """The part of `posebus.bus.FrameProducer` that the publisher needs."""

    def announce(self) -> None: ...
    def hold(self) -> int: ...
    def release(self) -> None: ...
    def checkpoint(self) -> Checkpoint | None: ...
    def open_epoch(self, checkpoint: Checkpoint) -> int: ...
    def publish(self, item: Item | None, events: Sequence[Event], checkpoint: Checkpoint | None) -> Backlog: ...
    def backlog(self) -> Backlog: ...
    def skip_oldest(self, max_bytes: int) -> int: ...


class Publisher:
    """Numbers pictures and sends them to the broker: `accept` takes one, `flush` sends it.

    While the broker fails, a lossless frame and the end mark stay pending. A live frame is lost together with its
    number, so that the tracker notices a gap. Events wait in an `EventQueue`.

    A checkpoint is written with every lossless frame, so that another process can continue after it. For a live camera
    it is written when the camera goes online or offline: its missed pictures cannot be read again.
    """

    def __init__(
        self,
        camera: str,
        settings: CameraSettings,
        delivery: Delivery,
        writer: Writer,
        *,
        metrics: Metrics,
        losses: Losses,
        first_checkpoint: Checkpoint,
        shared: SharedFrames | None = None,
    ) -> None:
        """`first_checkpoint` is that before the first epoch; see `ingest.resuming.first_checkpoint`.

        Pictures of recordings are passed through `shared` if it is given. Live pictures never are: those that are
        dropped would stay there and fill it.
        """
        self.epoch = 0
        self.seq = 0
        self.published = 0
        self.overflowed = 0
        self.backlog = Backlog(0, 0, 0)
        self._camera = camera
        self._settings = settings
        self._delivery = delivery
        self._writer = writer
        self._metrics = metrics
        self._losses = losses
        self._shared = shared if delivery is Delivery.LOSSLESS else None
        self._pending: Item | None = None
        self._selector_state = b""
        self._motion_state = self._motion_reference = ""
        self._events = EventQueue(camera)
        self._captured_at_ns = 0
        self._position: SourcePosition = ()
        self._full = False
        self._checkpoint = self._written = first_checkpoint

    def open_epoch(self, max_size_px: int | None) -> None:
        """Start a new run of the source: frames count from 0 again, reduced to `max_size_px`."""
        # A live camera counts as offline until its first frame.
        state = OPEN if self._delivery is Delivery.LOSSLESS else OFFLINE
        opened = replace(self._checkpoint, seq=0, captured_at_ns=0, state=state, place=(), max_size_px=max_size_px)
        opened = replace(opened, motion="", motion_reference="")
        self._motion_state = self._motion_reference = ""
        self.epoch = self._writer.open_epoch(opened)
        self.seq = 0
        self._checkpoint = self._written = replace(opened, epoch=self.epoch)

    def take_over(self, checkpoint: Checkpoint, state: str) -> None:
        """Continue, in `state`, after the `checkpoint` of another process."""
        self.epoch, self.seq = checkpoint.epoch, checkpoint.seq
        self._captured_at_ns, self._position = checkpoint.captured_at_ns, checkpoint.place
        self._written = checkpoint
        self.published = checkpoint.seq
        self._checkpoint = replace(checkpoint, state=state, run=self._checkpoint.run)

    def forget(self) -> None:
        """Discard everything that is not sent: another process has the camera."""
        self._pending = None
        self._events.clear()

    def was_resumed(self, checkpoint: Checkpoint | None) -> bool:
        """Return whether another process has published since, by the present `checkpoint` of the camera."""
        if checkpoint is None or checkpoint.epoch != self.epoch:
            return True
        written = self._written.seq
        # One more is ours, too: the reply to the pending frame may have been lost.
        return self._delivery is Delivery.LOSSLESS and checkpoint.seq not in (written, written + 1)

    @property
    def budget_bytes(self) -> int:
        """The size in bytes to which the backlog in the broker is limited."""
        return self._settings.max_backlog_bytes

    def announce(self, kind: EventType, time_ns: int, **data: str | int | dict[str, int]) -> None:
        """Queue an event at the present position; `flush` sends it."""
        self._events.add(kind, Position(epoch=self.epoch, seq=self.seq, time_ns=time_ns), data, time.time_ns())

    def flush(self) -> None:
        """Send everything that is pending in one transaction. Raises LeaseLost if nothing was sent."""
        if self._pending is not None or self._events.waiting():
            self._send(self._pending)

    def set_state(self, state: str) -> None:
        """Note OPEN or OFFLINE for a process that takes over; it is written with the next transaction."""
        self._checkpoint = replace(self._checkpoint, state=state)

    def set_selector_state(self, state: bytes) -> None:
        """Note the state of the frame selector for a process that takes over; it is written with the next frame."""
        self._selector_state = state

    def set_motion_state(self, state: str, reference: str) -> None:
        """Set the state of the camera's motion for a process that takes over; it is written with the next frame."""
        self._motion_state, self._motion_reference = state, reference

    def has_room(self) -> bool:
        """Return whether the budget has room for one more lossless frame. It asks the broker only after it had none."""
        if self._full:
            self.backlog = self._writer.backlog()
            self._full = self._exceeds(RESUME_SHARE)
        else:
            self._full = self._exceeds(1.0)
        return not self._full

    def backlog_s(self, now_s: float) -> float:
        """Return the age of the oldest frame that waits for a worker or is inferred, at `now_s` (monotonic)."""
        if self.backlog.frames:
            # Counted with the last frame, which waited then in any case; a worker may have committed it since.
            self.backlog = self._writer.backlog()
        oldest_s = self.backlog.oldest_sent_at_s
        return 0.0 if oldest_s is None else max(0.0, now_s - oldest_s)

    def accept_uninferred(
        self, picture: CapturedImage, reason: str, camera_motion: CameraMotion | None = None
    ) -> Uninferred:
        """Number one picture that need not be inferred; `flush` sends the mark, which is returned, in its place."""
        self._remember(picture)
        self._pending = mark = Uninferred(
            camera=self._camera,
            epoch=self.epoch,
            seq=self.seq,
            captured_at_ns=picture.captured_at_ns,
            clock=picture.clock,
            delivery=self._delivery,
            size_px=picture.image.size_px,
            reason=reason,
            pixel_aspect=picture.image.pixel_aspect,
            camera_motion=camera_motion,
        )
        self.seq += 1
        return mark

    def accept(
        self,
        picture: CapturedImage,
        max_size_px: int | None,
        views: tuple[View, ...] = (),
        camera_motion: CameraMotion | None = None,
    ) -> Frame:
        """Encode and number one picture, to be inferred by `views`; `flush` sends the frame, which is returned.

        Raises BadPicture for a picture that cannot be encoded.
        """
        encoded = self._encode(picture, max_size_px)
        self._remember(picture)
        self._pending = frame = Frame(
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
            pixel_aspect=picture.image.pixel_aspect,
            camera_motion=camera_motion,
        )
        self.seq += 1
        return frame

    def accept_end(self, reason: str) -> None:
        """Mark the end after the last frame; `flush` sends it."""
        self._pending = EndOfStream(
            camera=self._camera,
            epoch=self.epoch,
            seq=self.seq,
            captured_at_ns=self._captured_at_ns,
            delivery=self._delivery,
            reason=reason,
        )
        self.set_state(ENDED)

    def _remember(self, picture: CapturedImage) -> None:
        self._captured_at_ns = picture.captured_at_ns
        self._position = picture.position

    def _encode(self, picture: CapturedImage, max_size_px: int | None) -> EncodedImage:
        if self._shared is not None:
            name = f"{self._camera}-{self.epoch}-{self.seq}"
            kept = share(picture.image, self._shared, name, max_size_px)
            if kept is not None:
                return kept
        return encode(picture.image, self._settings, max_size_px)

    def _send(self, item: Item | None) -> None:
        live_frame = isinstance(item, Frame | Uninferred) and self._delivery is Delivery.LIVE
        if live_frame:
            # A live frame is sent only once: a second attempt would publish an old picture, perhaps twice.
            self._pending = None
        began_s = time.perf_counter()
        checkpoint = self._next_checkpoint()
        try:
            self.backlog = self._writer.publish(item, self._events.waiting(), checkpoint)
        except Exception:
            if live_frame:
                self._losses.add(LossReason.BROKER_UNAVAILABLE)
            raise
        self._written = checkpoint or self._written
        self._pending = None
        self._events.clear()
        if isinstance(item, Frame | Uninferred):
            self.published += 1
            self._measure(item, time.perf_counter() - began_s)
        if live_frame and self.backlog.frames_bytes > self._settings.max_backlog_bytes:
            self._drop_oldest()

    def _drop_oldest(self) -> None:
        dropped = self._writer.skip_oldest(self._settings.max_backlog_bytes)
        self.overflowed += dropped
        if dropped:
            self._metrics.count("posebus_frames_skipped_total", dropped, reason="overflow")

    def _next_checkpoint(self) -> Checkpoint | None:
        """Return the checkpoint to write with the next transaction, None if it has not changed."""
        if self._delivery is Delivery.LOSSLESS:
            self._checkpoint = replace(
                self._checkpoint,
                seq=self.seq,
                captured_at_ns=self._captured_at_ns,
                place=self._position,
                attention=self._selector_state,
                motion=self._motion_state,
                motion_reference=self._motion_reference,
            )
        return None if self._checkpoint == self._written else self._checkpoint

    def _measure(self, frame: Frame | Uninferred, publish_s: float) -> None:
        self._metrics.count("posebus_frames_total")
        self._metrics.observe("posebus_stage_seconds", publish_s, stage="publish")
        # The age of a recorded frame counts from its publication.
        if frame.clock is not CaptureClock.FILE:
            now_ns = time.time_ns()
            age = age_s(frame.captured_at_ns, now_ns, frame.clock, now_ns)
            self._metrics.observe("posebus_age_at_publish_seconds", age, stage="frames")

    def _exceeds(self, share: float) -> bool:
        budget = self._settings.max_backlog_bytes
        bytes_per_frame = self.backlog.frames_bytes / max(1, self.backlog.frames)
        full = self.backlog.frames > 0 and self.backlog.frames_bytes + bytes_per_frame > share * budget
        return full or self.backlog.poses > share * MAX_POSES_WAITING
