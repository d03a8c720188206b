"""The state of one camera, and the events and checkpoints that follow from its changes."""

from __future__ import annotations

import logging
import time
from typing import Protocol

from posebus.bus.checkpoint import OFFLINE, OPEN
from posebus.logs.about import about
from posebus.messages import EventType
from posebus.telemetry.camera_state import CameraState

log = logging.getLogger("posebus.ingest")


class Announcer(Protocol):
    """The part of `Publisher` that the status needs."""

    def announce(self, kind: EventType, time_ns: int, **data: str | int | dict[str, int]) -> None: ...
    def set_state(self, state: str) -> None: ...


class CameraStatus:
    """Keeps the state of a camera and its last trouble, and announces when the camera goes online or offline."""

    def __init__(self, camera: str, announcer: Announcer) -> None:
        self.state = CameraState.CONNECTING
        self.trouble: str | None = None
        self._camera = camera
        self._announcer = announcer

    def connecting(self) -> None:
        """The camera is connected again from the start, without an event."""
        self.state = CameraState.CONNECTING

    def stand_by(self) -> None:
        """Another process captures the camera."""
        log.info(
            "camera %s: another ingest process has it; this one stands by", self._camera, extra=about(self._camera)
        )
        self.state, self.trouble = CameraState.STANDBY, None

    def resumed(self, epoch: int, seq: int) -> None:
        """A recording is resumed at frame `seq`. Its online event was sent with frame 0."""
        log.info(
            "camera %s resumes at frame %d of epoch %d", self._camera, seq, epoch, extra=about(self._camera, epoch, seq)
        )
        self.state = CameraState.ONLINE if seq > 0 else CameraState.CONNECTING

    def go_online(self, captured_at_ns: int) -> bool:
        """A picture came, captured at this time; return whether the camera was not online before."""
        if self.state is CameraState.ONLINE:
            return False
        self.state, self.trouble = CameraState.ONLINE, None
        log.info("camera %s is online", self._camera, extra=about(self._camera))
        self._announcer.set_state(OPEN)
        self._announcer.announce(EventType.CAMERA_ONLINE, captured_at_ns)
        return True

    def go_offline(self, reason: str) -> bool:
        """The camera failed; return whether it was not offline before.

        Only the first failure of an outage is announced: a camera that stays away would fill the events.
        """
        self.trouble = reason
        if self.state is CameraState.OFFLINE:
            return False
        self.state = CameraState.OFFLINE
        log.warning("camera %s is offline: %s", self._camera, reason, extra=about(self._camera))
        self.announce_offline(reason)
        return True

    def announce_offline(self, reason: str) -> None:
        """Announce that no pictures come until the camera is online again; its state stays as it is."""
        self._announcer.set_state(OFFLINE)
        self._announcer.announce(EventType.CAMERA_OFFLINE, time.time_ns(), reason=reason)

    def end(self, warning: str | None = None) -> None:
        """The recording was read to its end; `warning` is what was wrong with it."""
        self.state = CameraState.ENDED
        if warning is not None:
            log.warning("camera %s: %s", self._camera, warning, extra=about(self._camera))
