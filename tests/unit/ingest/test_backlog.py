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


class Emptied(MemoryWriter):
    """A writer whose frames workers have committed since they were counted."""

    counted = 0

    def backlog(self) -> Backlog:
        self.counted += 1
        return Backlog(0, 0, 0)


def publisher(writer: MemoryWriter) -> Publisher:
    settings = CameraSettings(source="x.mp4", delivery="live")
    first = first_checkpoint(settings, run="monday")
    return Publisher(
        "door", settings, Delivery.LIVE, writer, metrics=Metrics(), losses=Losses(), first_checkpoint=first
    )


def test_backlog_is_as_old_as_its_oldest_frame() -> None:
    waits = publisher(MemoryWriter())
    assert waits.backlog_s(50.0) == 0.0
    waits.backlog = Backlog(9000, 1, 0, oldest_sent_at_s=49.25)
    waits._counted_at_s = 49.75
    assert waits.backlog_s(50.0) == 0.75


def test_backlog_of_a_camera_that_sends_nothing_more_does_not_age_for_ever() -> None:
    writer = Emptied()
    silent = publisher(writer)
    silent.backlog = Backlog(9000, 1, 0, oldest_sent_at_s=10.0)
    assert silent.backlog_s(100.0) == 0.0
    assert silent.backlog.frames == 0
    assert silent.backlog_s(200.0) == 0.0
    assert writer.counted == 1, "an empty backlog is not counted again"
