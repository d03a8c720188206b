"""Whether this process owns a camera, by its lease, and what it does when that changes."""

from __future__ import annotations

from enum import Enum
from typing import Protocol

from ingest.camera_status import CameraStatus
from ingest.publishing.admission import Admission
from ingest.publishing.publisher import Publisher, Writer
from ingest.reading.connection import Connection
from ingest.resuming import EpochStart, StartMode, choose_start
from posebus.bus.checkpoint import OFFLINE, OPEN, Checkpoint


class LeaseHolder(Protocol):
    """The part of `posebus.bus.FrameProducer` that holds the lease."""

    def hold(self) -> int:
        """Acquire or renew the lease; return its fencing token, 0 if another process holds it."""


class Ownership(Enum):
    """What the lease means for this process now."""

    OWNED = "owned"  # as at the last step
    ACQUIRED = "acquired"  # since this step: continue the camera where its last owner left it
    LOST = "lost"  # since this step: another process has the camera
    STANDBY = "standby"  # as at the last step, another process has the camera


class OwnershipTracker:
    """Follows the lease of one camera from step to step."""

    def __init__(self, holder: LeaseHolder) -> None:
        self.stood_by = False
        """Whether this process has lost the camera to another one at any time."""
        self._holder = holder
        self._token = 0
        self._taking_over = False

    def check(self) -> Ownership:
        """Renew the lease and compare its fencing token with that of the last step.

        An acquired camera stays ACQUIRED until `take_over_done`: a failure in between must not skip the take-over.
        """
        token = self._holder.hold()
        if token == self._token and not self._taking_over:
            return Ownership.OWNED if token else Ownership.STANDBY
        self._token, self._taking_over = token, token > 0
        if token > 0:
            return Ownership.ACQUIRED
        self.stood_by = True
        return Ownership.LOST

    def take_over_done(self) -> None:
        """This process continues the camera from now on."""
        self._taking_over = False


class CameraOwner:
    """Takes a camera over when its lease is acquired, and gives it up when the lease is lost."""

    def __init__(
        self,
        writer: Writer,
        *,
        live: bool,
        first: Checkpoint,
        connection: Connection,
        publisher: Publisher,
        admission: Admission,
        status: CameraStatus,
        start: EpochStart,
    ) -> None:
        """`first` is the checkpoint of `ingest.resuming.first_checkpoint`; the others are the parts of the stage."""
        self._writer = writer
        self._live = live
        self._first = first
        self._connection = connection
        self._publisher = publisher
        self._admission = admission
        self._status = status
        self._start = start
        self._tracker = OwnershipTracker(writer)

    def owns(self) -> bool:
        """Renew the lease, or acquire it if it is free, and act on a change; return whether the camera is ours.

        Raises BrokerUnavailable.
        """
        ownership = self._tracker.check()
        if ownership is Ownership.ACQUIRED:
            self._take_over()
            self._tracker.take_over_done()
        elif ownership is Ownership.LOST:
            self._status.stand_by()
            self._abandon()
        return ownership in (Ownership.OWNED, Ownership.ACQUIRED)

    def _take_over(self) -> None:
        """Continue the camera where its last owner left it; that may have been this process itself."""
        checkpoint = self._writer.checkpoint()
        if self._connection.reader is not None and not self._publisher.was_resumed(checkpoint):
            return  # the lease expired, perhaps while the broker was away, and no other process took it
        self._abandon()
        self._status.connecting()
        self._start.restart()
        mode = choose_start(
            checkpoint,
            live=self._live,
            source=self._first.source,
            run=self._first.run,
            stood_by=self._tracker.stood_by,
        )
        if checkpoint is None:
            # The first start, or the broker has lost its memory: workers and trackers have to know the camera again.
            self._writer.announce()
            return
        if mode is StartMode.ENDED:
            self._status.end()
        elif mode is StartMode.NEW_EPOCH_AFTER_LOSS:
            self._publisher.take_over(checkpoint, OFFLINE)
            self._status.announce_offline("its ingest process is gone")
        elif mode is StartMode.RESUME:
            self._start.continue_after(checkpoint)
            self._publisher.take_over(checkpoint, OPEN)
            self._admission.resume(checkpoint)
            self._status.resumed(checkpoint.epoch, checkpoint.seq)

    def _abandon(self) -> None:
        """Discard all pictures that are read but not published: another process reads them, or they are read again."""
        self._connection.drop()
        self._publisher.forget()
