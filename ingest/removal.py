"""The end of a camera that was removed from the settings: its source and its tracks end, then it is no longer listed.

The process that captured it has ended by then, and usually has published the end. One that was killed, or a camera that
was paused, has not.
"""

from __future__ import annotations

import logging
import time

from ingest.leaving import REMOVED
from posebus.bus.cameras.ending import publish_end, waiting
from posebus.bus.frame_producer import FrameProducer
from posebus.bus.lease import Lease
from posebus.bus.redis.connection import Broker, open_broker
from posebus.bus.registry import Registry, process_id
from posebus.config.settings import Settings
from posebus.errors import LeaseLost
from posebus.logs.about import about
from posebus.runtime.stage import StopFlag

LEASE_S = 2.0
TAKE_WITHIN_S = 15.0
"""A process that was killed holds the lease until it expires; one that lives, on another machine, renews it."""
STUCK_AFTER_S = 120.0
"""If nothing was processed for so long, no worker or no tracker runs, not even one that is still starting."""
POLL_S = 0.1

log = logging.getLogger("posebus.ingest")


def run_removal(settings: Settings, camera: str) -> None:
    """End `camera` and take it off the list of cameras. Its tracks stay until the broker's retention, or `forget`.

    Raises RetryableError and BrokerRefused. It may be repeated.
    """
    stop = StopFlag()
    stop.install()
    broker = open_broker(settings.redis, settings.shards)
    registry = Registry(broker)
    record = registry.camera(camera)
    if record is None:
        return
    lease = Lease(broker, camera, "ingest", process_id("ingest"), LEASE_S)
    writer = FrameProducer(broker, record, lease, settings.retention.events_kept)
    if not _acquire(writer, stop):
        if not stop.is_set:
            log.warning(
                "camera %s is still read by another ingest process, so it stays listed", camera, extra=about(camera)
            )
        return
    try:
        publish_end(writer, record, REMOVED)
        if _wait_until_processed(broker, writer, camera, stop):
            registry.withdraw_camera(camera)
            text = "camera %s is no longer listed; its tracks stay until 'posebus forget %s'"
            log.info(text, camera, camera, extra=about(camera))
    except LeaseLost:
        log.warning(
            "camera %s was taken over by another ingest process, so it stays listed", camera, extra=about(camera)
        )
    finally:
        writer.release()


def _acquire(writer: FrameProducer, stop: StopFlag) -> bool:
    end_s = time.monotonic() + TAKE_WITHIN_S
    while not stop.check() and time.monotonic() < end_s:
        if writer.hold():
            return True
        time.sleep(POLL_S)
    return False


def _wait_until_processed(broker: Broker, writer: FrameProducer, camera: str, stop: StopFlag) -> bool:
    """Wait until no frame and no poses of the camera wait any more; False if this process has to stop before that."""
    least, since_s = float("inf"), time.monotonic()
    while not stop.check():
        left = waiting(broker, camera)
        if left < least:
            least, since_s = left, time.monotonic()
        if not left or time.monotonic() - since_s >= STUCK_AFTER_S:
            return True
        if not writer.hold():
            raise LeaseLost(f"another ingest process has camera {camera} now", camera=camera)
        time.sleep(POLL_S)
    return False
