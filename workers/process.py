"""One worker process: `posebus work`."""

from __future__ import annotations

import logging
import os
import traceback

from posebus.bus.frame_consumer import FrameConsumer
from posebus.bus.redis.connection import open_broker
from posebus.bus.registry import Registry, process_id
from posebus.config.loading import cache_folder
from posebus.config.settings import Settings
from posebus.errors import EngineError, PoseBusError
from posebus.runtime.liveness import give_life_signs
from posebus.runtime.processes import EXIT_STUCK
from posebus.runtime.shared_frames import SharedFrames
from posebus.runtime.stage import Heartbeat, StopFlag, run_stage, stop_limit_s
from posebus.telemetry.reports import size_in_words
from posebus.wording import counted
from workers.engine_loading import load_engine
from workers.inference.estimator import PoseEstimator
from workers.pose_stage import PoseStage

log = logging.getLogger("posebus.worker")


def run_worker(settings: Settings) -> None:
    """Run a worker until SIGTERM or SIGINT. Raises FatalError or EngineError: no broker, no weights, no engine.

    If the engine fails after it has worked, or on an unexpected error, this process exits with EXIT_STUCK, so that its
    supervisor restarts it: a frame may be the cause, and that frame's attempts are counted.
    """
    stop = StopFlag(stop_limit_s(settings.fleet.stop_timeout_s))
    stop.install()
    with stop.starting():
        broker = open_broker(settings.redis, settings.shards)
        registry = Registry(broker)
        estimator = PoseEstimator(load_engine(settings.worker, cache_folder(settings)), settings.worker)
        consumer = FrameConsumer(broker, process_id("worker"), settings.retention)
        shared = SharedFrames(settings.shared_frames) if settings.shared_frames else None
        stage = PoseStage(consumer, registry, estimator, settings.worker, shared)
        stage.warm_up()
    engine = estimator.engine
    log.info(
        "ready: %s with %s %s on %s, %s",
        *(settings.worker.model, engine.name, engine.precision, engine.device, size_in_words(settings.worker.imgsz)),
    )
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
