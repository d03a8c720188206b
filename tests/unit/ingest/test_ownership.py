"""Whether a process owns its camera, step by step, and how it takes the camera over."""

from __future__ import annotations

import random

import pytest

from ingest.camera_motion.follower import MotionFollower
from ingest.camera_status import CameraStatus
from ingest.gate.frame_selector import FrameSelector
from ingest.ownership import CameraOwner, Ownership, OwnershipTracker
from ingest.publishing.admission import Admission
from ingest.publishing.publisher import Publisher
from ingest.publishing.sizing import SizeLimit
from ingest.reading.connection import Connection
from ingest.reading.losses import Losses
from ingest.resuming import EpochStart, first_checkpoint
from ingest.sources import Source
from posebus.bus.checkpoint import ENDED, OFFLINE, OPEN, Checkpoint
from posebus.config.settings import CameraSettings
from posebus.errors import BrokerUnavailable
from posebus.messages import Delivery
from posebus.telemetry.camera_state import CameraState
from posebus.telemetry.metrics import Metrics
from tests.unit.ingest.memory_writer import MemoryWriter


class Tokens:
    """The fencing tokens that the lease returns, one for each step."""

    def __init__(self, *tokens: int) -> None:
        self._tokens = list(tokens)

    def hold(self) -> int:
        return self._tokens.pop(0)


def test_changes_of_the_token_are_acquired_and_lost_once() -> None:
    tracker = OwnershipTracker(Tokens(4, 4, 0, 0, 7, 7, 9))
    changes = []
    for _ in range(7):
        changes.append(tracker.check())
        if changes[-1] is Ownership.ACQUIRED:
            tracker.take_over_done()
    kinds = [change.name for change in changes]
    assert kinds == ["ACQUIRED", "OWNED", "LOST", "STANDBY", "ACQUIRED", "OWNED", "ACQUIRED"]
    assert tracker.stood_by


def test_failed_take_over_is_tried_again() -> None:
    tracker = OwnershipTracker(Tokens(4, 4, 4, 0))
    assert tracker.check() is Ownership.ACQUIRED
    assert tracker.check() is Ownership.ACQUIRED
    tracker.take_over_done()
    assert tracker.check() is Ownership.OWNED
    assert tracker.check() is Ownership.LOST


def test_process_that_never_owned_the_camera_has_not_lost_it() -> None:
    tracker = OwnershipTracker(Tokens(0, 0))
    assert [tracker.check(), tracker.check()] == [Ownership.STANDBY] * 2
    assert not tracker.stood_by


class Camera:
    """The parts of a stage around one owner, without a source."""

    def __init__(self, writer: MemoryWriter, *, live: bool) -> None:
        settings = CameraSettings(source="x.mp4", delivery="live" if live else "lossless")
        self.first = first_checkpoint(settings, run="monday")
        self.publisher = Publisher(
            "door",
            settings,
            Delivery.LIVE if live else Delivery.LOSSLESS,
            writer,
            metrics=Metrics(),
            losses=Losses(),
            first_checkpoint=self.first,
        )
        self.status = CameraStatus("door", self.publisher)
        self.start = EpochStart()
        self.owner = CameraOwner(
            writer,
            live=live,
            first=self.first,
            connection=Connection(
                "door", settings, no_source, live=live, metrics=Metrics(), losses=Losses(), rng=random.Random(1)
            ),
            publisher=self.publisher,
            admission=Admission(
                "door",
                FrameSelector(writer, live=live),
                MotionFollower(wanted=True, live=live),
                self.publisher,
                SizeLimit("auto", lambda: None, live=live),
                Metrics(),
            ),
            status=self.status,
            start=self.start,
        )

    def left(self, state: str, seq: int) -> Checkpoint:
        """A checkpoint of this camera that another process wrote."""
        return Checkpoint(
            epoch=3, seq=seq, captured_at_ns=5_000, state=state, run="monday", source=self.first.source, place=(1, 2)
        )


def no_source(settings: CameraSettings) -> Source:
    raise AssertionError("nothing is opened in these tests")


def test_recording_is_resumed_after_its_checkpoint() -> None:
    writer = MemoryWriter()
    camera = Camera(writer, live=False)
    writer.saved = camera.left(OPEN, seq=7)

    assert camera.owner.owns()

    assert camera.start == EpochStart(opens_epoch=False, resume=writer.saved)
    assert (camera.publisher.epoch, camera.publisher.seq) == (3, 7)
    assert camera.status.state is CameraState.ONLINE


def test_recording_that_was_published_whole_stays_ended() -> None:
    writer = MemoryWriter()
    camera = Camera(writer, live=False)
    writer.saved = camera.left(ENDED, seq=7)
    assert camera.owner.owns()
    assert camera.status.state is CameraState.ENDED


@pytest.mark.parametrize(("state", "kinds"), [(OPEN, ["offline"]), (OFFLINE, [])])
def test_live_camera_starts_a_new_epoch_and_its_loss_is_announced_once(state: str, kinds: list[str]) -> None:
    writer = MemoryWriter()
    camera = Camera(writer, live=True)
    writer.saved = camera.left(state, seq=7)
    assert camera.owner.owns()
    camera.publisher.flush()
    assert writer.kinds() == kinds
    assert camera.start == EpochStart(opens_epoch=True, resume=None)


def test_recording_is_resumed_though_the_broker_fails_during_the_take_over() -> None:
    writer = MemoryWriter()
    camera = Camera(writer, live=False)
    writer.saved = camera.left(OPEN, seq=7)
    writer.down = True
    with pytest.raises(BrokerUnavailable):
        camera.owner.owns()
    writer.down = False
    assert camera.owner.owns()
    assert camera.start.resume == writer.saved


def test_process_that_loses_the_camera_stands_by_and_discards_what_is_pending() -> None:
    writer = MemoryWriter()
    camera = Camera(writer, live=True)
    assert camera.owner.owns()
    camera.status.go_offline("it does not answer")
    writer.token = 0

    assert not camera.owner.owns()

    assert camera.status.state is CameraState.STANDBY
    camera.publisher.flush()
    assert writer.events == []
