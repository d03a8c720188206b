"""One tracker process: `posebus track`."""

from __future__ import annotations

import logging
import os

from posebus.bus.pose_consumer import PoseConsumer
from posebus.bus.redis.connection import open_broker
from posebus.bus.registry import Registry, process_id
from posebus.config.settings import Settings
from posebus.reloading.followed import FollowedSettings
from posebus.reloading.sentences import tracker_lines
from posebus.runtime.following import Follower
from posebus.runtime.liveness import give_life_signs
from posebus.runtime.stage import Heartbeat, Stage, StopFlag, run_stage, stop_limit_s
from tracking.compiled import is_kept
from tracking.track_stage import TrackStage
from tracking.warm_up import warm_up

log = logging.getLogger("posebus.tracker")


def run_tracker(settings: Settings, followed: FollowedSettings | None = None) -> None:
    """Run until SIGTERM or SIGINT; `followed`: the settings follow their file. Raises FatalError without a broker."""
    stop = StopFlag(stop_limit_s(settings.fleet.stop_timeout_s))
    stop.install()
    with stop.starting():
        if not is_kept():
            log.info("compiling the tracker for this machine, which takes a minute or two the first time")
        warm_up()
        broker = open_broker(settings.redis, settings.shards)
    owner = process_id("tracker")
    reader = PoseConsumer(broker, owner, settings.retention)
    stage = TrackStage(broker, reader, owner, settings.tracker)
    log.info("ready: takes its share of the cameras")
    give_life_signs(os.environ, lambda now_s: True)
    watched: Stage = stage if followed is None else FollowingTracker(stage, Follower(followed, stop))
    run_stage(watched, Heartbeat(Registry(broker), stage.role), stop)
    log.info("stopped")


class FollowingTracker:
    """A tracker whose settings follow their file."""

    role = TrackStage.role

    def __init__(self, stage: TrackStage, follower: Follower) -> None:
        self._stage = stage
        self._follower = follower
        self.report = stage.report
        self.drain = stage.drain
        self.close = stage.close

    def step(self, now_s: float) -> bool:
        """Apply what has changed, then do the tracker's step."""
        update = self._follower.poll(now_s)
        if update is not None and update.difference.tracker:
            self._stage.use(update.settings.tracker)
            self._follower.announce(log, tracker_lines(update.difference))
        return self._stage.step(now_s)
