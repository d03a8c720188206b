"""One tracker process: `posebus track`."""

from __future__ import annotations

import logging
import os

from posebus.bus.pose_consumer import PoseConsumer
from posebus.bus.redis.connection import open_broker
from posebus.bus.registry import Registry, process_id
from posebus.config.settings import Settings
from posebus.runtime.liveness import give_life_signs
from posebus.runtime.stage import Heartbeat, StopFlag, run_stage, stop_limit_s
from tracking.track_stage import TrackStage
from tracking.warm_up import warm_up

log = logging.getLogger("posebus.tracker")


def run_tracker(settings: Settings) -> None:
    """Run until SIGTERM or SIGINT. Raises FatalError if there is no broker."""
    stop = StopFlag(stop_limit_s(settings.fleet.stop_timeout_s))
    stop.install()
    with stop.starting():
        warm_up()
        broker = open_broker(settings.redis, settings.shards)
    owner = process_id("tracker")
    reader = PoseConsumer(broker, owner, settings.retention)
    stage = TrackStage(broker, reader, owner, settings.tracker)
    log.info("ready: takes its share of the cameras")
    give_life_signs(os.environ, lambda now_s: True)
    run_stage(stage, Heartbeat(Registry(broker), stage.role), stop)
    log.info("stopped")
