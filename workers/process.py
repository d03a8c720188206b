"""One worker process: `posebus work`."""

from __future__ import annotations

import logging
import os
import traceback
from functools import partial

from posebus.bus.frame_consumer import FrameConsumer
from posebus.bus.redis.connection import Broker, open_broker
from posebus.bus.registry import Registry, process_id
from posebus.config.loading import cache_folder
from posebus.config.settings import Settings, WorkerSettings
from posebus.errors import EngineError, PoseBusError
from posebus.reloading.followed import FollowedSettings
from posebus.runtime.following import Follower
from posebus.runtime.liveness import give_life_signs
from posebus.runtime.processes import EXIT_STUCK
from posebus.runtime.shared_frames import SharedFrames
from posebus.runtime.stage import Heartbeat, StopFlag, run_stage, stop_limit_s
from posebus.telemetry.metrics import Metrics
from posebus.telemetry.reports import size_in_words
from posebus.wording import counted
from workers.engine_loading import load_engine
from workers.inference.estimator import PoseEstimator
from workers.pose_stage import PoseStage
from workers.swapping import SwappingStage

TRIAL_PX = (640, 480)

log = logging.getLogger("posebus.worker")


def run_worker(settings: Settings, followed: FollowedSettings | None = None) -> None:
    """Run a worker until SIGTERM or SIGINT. Raises FatalError or EngineError: no broker, no weights, no engine.

    followed: the settings follow their file.
    If the engine fails after it has worked, or on an unexpected error, this process exits with EXIT_STUCK, so that its
    supervisor restarts it: a frame may be the cause, and that frame's attempts are counted.
    """
    stop = StopFlag(stop_limit_s(settings.fleet.stop_timeout_s))
    stop.install()
    with stop.starting():
        broker = open_broker(settings.redis, settings.shards)
        registry = Registry(broker)
        build = partial(_build, settings, broker)
        first = build(settings.worker, None)
    log.info("ready: %s", _described(first, settings.worker))
    stage: PoseStage | SwappingStage = first
    if followed is not None:
        stage = SwappingStage(first, build, Follower(followed, stop), _described)
    give_life_signs(os.environ, lambda now_s: True)
    try:
        run_stage(stage, Heartbeat(registry, stage.role), stop)
        log.info("stopped after %s", counted(stage.frames, "frame"))
    except EngineError as error:
        if not stage.has_computed:
            raise
        log.error("%s; this worker exits and has to be restarted", error)
        raise SystemExit(EXIT_STUCK) from error
    except PoseBusError:
        raise
    except Exception as error:
        place = traceback.extract_tb(error.__traceback__)[-1]
        what = f"unexpected {type(error).__name__} in {place.name}, line {place.lineno}: {error}"
        log.error("%s; this worker exits and has to be restarted", what)
        raise SystemExit(EXIT_STUCK) from error


def _build(settings: Settings, broker: Broker, worker: WorkerSettings, metrics: Metrics | None) -> PoseStage:
    """Load the engine for `worker`, warm it up, and return a stage of this process that is ready for frames.

    `metrics`: of the stage that it will replace; the engine then has to prove on a blank picture that it computes.
    """
    estimator = PoseEstimator(load_engine(worker, cache_folder(settings)), worker)
    if metrics is not None:
        estimator.submit([estimator.blank(estimator.fit(TRIAL_PX))]).result()
    consumer = FrameConsumer(broker, process_id("worker"), settings.retention)
    shared = SharedFrames(settings.shared_frames) if settings.shared_frames else None
    stage = PoseStage(consumer, Registry(broker), estimator, worker, shared, metrics=metrics)
    stage.warm_up()
    return stage


def _described(stage: PoseStage, worker: WorkerSettings) -> str:
    engine = stage.engine
    where = f"{engine.name} {engine.precision} on {engine.device}"
    return f"{worker.model} with {where}, {size_in_words(worker.imgsz)}"
