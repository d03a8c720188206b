"""One browser as a live camera of the deployment: its lease, epochs, frames or poses, and what is reported about it.

All methods block, and only one may run at a time. They raise LeaseLost where another process has the camera now,
BrokerUnavailable and BrokerRefused.
"""

from __future__ import annotations

import time
from collections import deque
from dataclasses import dataclass, replace

from posebus.bus.cameras.camera_events import EventQueue
from posebus.bus.cameras.ending import expire_keys, keep_keys, publish_end, waiting
from posebus.bus.cameras.for_tracker import ForTracker
from posebus.bus.checkpoint import OFFLINE, OPEN, Checkpoint
from posebus.bus.frame_producer import Backlog, FrameProducer
from posebus.bus.lease import Lease
from posebus.bus.redis.connection import Broker
from posebus.bus.registry import CameraRecord, Registry, process_id
from posebus.config.settings import CameraSettings, Settings
from posebus.contract.events import Position
from posebus.messages import CaptureClock, Delivery, EventType, Frame, PoseFrame, Provenance
from posebus.telemetry.camera_state import CameraState
from posebus.telemetry.process_report import CaptureReport
from posebus.views import View
from wall.browser_camera.messages import Mode, SentPicture, SentPoses
from wall.browser_camera.page_clock import PageClock
from wall.browser_camera.sending_rate import Allowed, SendingRate

SOURCE = "browser"
CLOSED = "its page was closed"
STOPPED = "the person stopped it"
WALL_GONE = "its wall is gone"
KEPT_S = 86_400.0
"""The broker deletes everything of a browser camera a day after it ended, as `posebus forget` would."""
RATE_WINDOW_S = 2.0


@dataclass(frozen=True, slots=True)
class Accepted:
    """A frame as the deployment has it, and what the page may send from now on."""

    epoch: int
    seq: int
    allowed: Allowed
    waiting: int


class BrowserCamera:
    """`open` it, then send pictures or poses; `away` when its page is gone, `end` when it does not come back."""

    def __init__(self, broker: Broker, settings: Settings, name: str, mode: Mode) -> None:
        self.name = name
        self.trouble: str | None = None
        self.refused = 0
        """Uploads of its page that were no valid picture or poses."""
        self.ended = False
        self._state = CameraState.CONNECTING
        self._mode = mode
        self._broker = broker
        self._limits = CameraSettings(source="browser:")
        self._record = CameraRecord(name, Delivery.LIVE, SOURCE)
        lease = Lease(broker, name, "ingest", process_id("ingest"), self._limits.lease_s)
        self._writer = FrameProducer(broker, self._record, lease, settings.retention.events_kept)
        self._events = EventQueue(name)
        self._checkpoint = Checkpoint(0, 0, 0, OFFLINE, run="", source=SOURCE)
        self._written = (0, OFFLINE)
        self._begin_epoch = True
        self._token = 0
        self._clock, self._rate = PageClock(), SendingRate()
        self._backlog = Backlog(0, 0, 0)
        self._published = self._overflowed = 0
        self._sent_at_s: deque[float] = deque(maxlen=200)

    def open(self) -> bool:
        """Take the camera, and register it; False while another process has it."""
        if not self._hold():
            return False
        keep_keys(self._broker, self.name)
        self._writer.announce()
        return True

    def welcome(self, mode: Mode) -> None:
        """A page, perhaps the same one again, sends from now on: its clock and its network are measured anew."""
        self._mode, self.ended, self.trouble = mode, False, None
        self._clock, self._rate = PageClock(), SendingRate()
        self._begin_epoch = True

    def picture(self, sent: SentPicture, size_px: tuple[int, int], arrived_at_ns: int) -> Accepted:
        """Publish one picture, of which the JPEG file says the size."""
        captured_ns = self._number(sent.frame.captured_at_ms, sent.frame.sent_at_ms, arrived_at_ns)
        frame = Frame(
            camera=self.name,
            epoch=self._checkpoint.epoch,
            seq=self._checkpoint.seq,
            captured_at_ns=captured_ns,
            clock=CaptureClock.ARRIVAL,
            delivery=Delivery.LIVE,
            size_px=size_px,
            image_size_px=size_px,
            encoding="jpeg",
            data=sent.jpeg,
        )
        accepted = self._publish(frame)
        if self._backlog.frames_bytes > self._limits.max_backlog_bytes:
            self._overflowed += self._writer.skip_oldest(self._limits.max_backlog_bytes)
        return accepted

    def poses(self, sent: SentPoses, arrived_at_ns: int) -> Accepted:
        """Publish the people of one frame, whose picture stayed in the browser."""
        captured_ns = self._number(sent.frame.captured_at_ms, sent.frame.sent_at_ms, arrived_at_ns)
        body = PoseFrame(
            camera=self.name,
            epoch=self._checkpoint.epoch,
            seq=self._checkpoint.seq,
            captured_at_ns=captured_ns,
            size_px=sent.frame.size_px,
            boxes_xyxy_px=sent.boxes_xyxy_px,
            scores=sent.scores,
            keypoints_px=sent.keypoints_px,
        )
        provenance = Provenance(
            CaptureClock.ARRIVAL,
            Delivery.LIVE,
            frame_published_at_ns=arrived_at_ns,
            inference_ns=int(sent.inference_ms * 1e6),
            view=View(sent.imgsz),
        )
        return self._publish(ForTracker(body, provenance))

    def tick(self) -> None:
        """Keep the camera while no frames come."""
        if self._hold():
            self._flush()

    def away(self, reason: str) -> None:
        """Announce that no frames come, because the page is gone or says so; its identities may go on."""
        if self._state is not CameraState.ONLINE:
            return
        self._state, self.trouble = CameraState.OFFLINE, reason
        self._checkpoint, self._begin_epoch = replace(self._checkpoint, state=OFFLINE), True
        self._announce(EventType.CAMERA_OFFLINE, time.time_ns(), reason)
        self._flush()

    def end(self, reason: str) -> None:
        """End the source, and with it its tracks."""
        if self._hold():
            publish_end(self._writer, self._record, reason, past_workers=self._mode is Mode.POSES)
            self.ended, self._state, self._begin_epoch = True, CameraState.OFFLINE, True

    def withdraw(self) -> None:
        """Take the ended camera off the list; after KEPT_S the broker has forgotten it."""
        Registry(self._broker).withdraw_camera(self.name)
        self.release()
        expire_keys(self._broker, self.name, KEPT_S)

    def release(self) -> None:
        """Let another process have the camera."""
        self._writer.release()

    @property
    def unused(self) -> bool:
        """Whether its page has not sent a frame yet, so that there is nothing to end."""
        return self._published == 0 and self._checkpoint.epoch == 0

    def waiting(self) -> int:
        """How many of its frames and poses have no result yet."""
        return waiting(self._broker, self.name)

    def report(self, now_s: float) -> CaptureReport:
        """What `posebus top` shows of it."""
        recent = [at_s for at_s in self._sent_at_s if now_s - at_s <= RATE_WINDOW_S]
        fps = round(len(recent) / RATE_WINDOW_S, 1)
        oldest_s = self._backlog.oldest_sent_at_s
        return CaptureReport(
            state=self._state,
            trouble=self.trouble,
            frames=self._published,
            fps=fps,
            sent_fps=fps,
            dropped={"overflow": self._overflowed, "unusable": self.refused},
            backlog_s=0.0 if oldest_s is None else round(max(0.0, now_s - oldest_s), 3),
            backlog_frames=self._backlog.frames,
            backlog_bytes=self._backlog.frames_bytes,
            backlog_limit_bytes=self._limits.max_backlog_bytes,
        )

    def _hold(self) -> int:
        """Renew the lease; a new token means that another process may have had the camera."""
        token = self._writer.hold()
        if token and token != self._token:
            self._take_over()
        self._token = token
        return token

    def _take_over(self) -> None:
        """Note what the last owner left: it may have gone without a word."""
        self._begin_epoch = True
        left = self._writer.checkpoint()
        if left is not None and left.state == OPEN and left.epoch != self._checkpoint.epoch:
            self._checkpoint = replace(left, state=OFFLINE)
            self._announce(EventType.CAMERA_OFFLINE, time.time_ns(), WALL_GONE)

    def _number(self, captured_at_ms: float, sent_at_ms: float, arrived_at_ns: int) -> int:
        """Begin an epoch if one is due, and return when the frame was captured (Unix ns)."""
        captured_ns = self._clock.capture_ns(captured_at_ms, sent_at_ms, arrived_at_ns)
        self._hold()
        if self._begin_epoch:
            self._flush()
            opened = replace(self._checkpoint, seq=0, captured_at_ns=0, state=OFFLINE)
            epoch = self._writer.open_epoch(opened)
            self._checkpoint, self._written = replace(opened, epoch=epoch, state=OPEN), (epoch, OFFLINE)
            self._announce(EventType.CAMERA_ONLINE, captured_ns)
            self._state, self.trouble, self._begin_epoch = CameraState.ONLINE, None, False
        return captured_ns

    def _publish(self, item: Frame | ForTracker) -> Accepted:
        # A live frame is sent only once: if the broker fails, its number is missing, and the tracker notices.
        self._checkpoint = replace(self._checkpoint, seq=item.seq + 1)
        self._backlog = self._send(item)
        self._published += 1
        now_s = time.monotonic()
        self._sent_at_s.append(now_s)
        left = self._backlog.poses if isinstance(item, ForTracker) else self._backlog.frames
        return Accepted(item.epoch, item.seq, self._rate.sent(left, now_s), left)

    def _announce(self, kind: EventType, time_ns: int, reason: str | None = None) -> None:
        position = Position(self._checkpoint.epoch, self._checkpoint.seq, time_ns)
        self._events.add(kind, position, {} if reason is None else {"reason": reason}, time.time_ns())

    def _flush(self) -> None:
        if self._events.waiting():
            self._send(None)

    def _send(self, item: Frame | ForTracker | None) -> Backlog:
        """Publish `item` and all events that wait, with the checkpoint where that says something new."""
        changed = (self._checkpoint.epoch, self._checkpoint.state) != self._written
        backlog = self._writer.publish(item, self._events.waiting(), self._checkpoint if changed else None)
        self._written = (self._checkpoint.epoch, self._checkpoint.state)
        self._events.clear()
        return backlog
