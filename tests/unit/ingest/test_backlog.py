"""The age of a camera's backlog, as it is reported once a second."""

from __future__ import annotations

from ingest.publishing.publisher import Publisher
from ingest.reading.losses import Losses
from ingest.resuming import first_checkpoint
from posebus.bus.frame_producer import Backlog
from posebus.config.settings import CameraSettings
from posebus.messages import Delivery
from posebus.telemetry.metrics import Metrics
from tests.unit.ingest.memory_writer import MemoryWriter


class Counted(MemoryWriter):
    """A writer with a backlog of its own choice."""

    def __init__(self, *backlogs: Backlog) -> None:
        super().__init__()
        self.backlogs = list(backlogs)

    def backlog(self) -> Backlog:
        return self.backlogs.pop(0)


def publisher(writer: MemoryWriter) -> Publisher:
    settings = CameraSettings(source="x.mp4", delivery="live")
    first = first_checkpoint(settings, run="monday")
    return Publisher(
        "door", settings, Delivery.LIVE, writer, metrics=Metrics(), losses=Losses(), first_checkpoint=first
    )


def test_backlog_is_as_old_as_its_oldest_frame() -> None:
    waits = publisher(Counted(Backlog(9000, 1, 0, oldest_sent_at_s=49.25)))
    assert waits.backlog_s(50.0) == 0.0
    waits.backlog = Backlog(18000, 2, 0, oldest_sent_at_s=48.0)
    assert waits.backlog_s(50.0) == 0.75


def test_frame_that_was_committed_since_it_was_sent_does_not_wait() -> None:
    """A camera with one frame in a second has none waiting for most of the time."""
    writer = Counted(Backlog(0, 0, 0))
    slow = publisher(writer)
    slow.backlog = Backlog(9000, 1, 0, oldest_sent_at_s=99.1)
    assert slow.backlog_s(100.0) == 0.0
    assert slow.backlog_s(200.0) == 0.0
    assert not writer.backlogs, "an empty backlog is not counted again"
