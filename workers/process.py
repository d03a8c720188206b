"""One worker process: `posebus work`."""

from __future__ import annotations

from posebus.bus.connection import open_broker
from posebus.bus.frame_reader import FrameReader
from posebus.bus.registry import Registry, process_id
from posebus.config import cache_folder
from posebus.settings import Settings
from posebus.shared_frames import SharedFrames
from posebus.stage import Heartbeat, StopFlag, run_stage
from workers.engines import load_engine
from workers.estimator import PoseEstimator
from workers.pose_stage import PoseStage


def run_worker(settings: Settings) -> None:
    """Run until SIGTERM or SIGINT. Raises FatalError: no broker, no engine, no weights."""
    stop = StopFlag()
    stop.install()
    broker = open_broker(settings.redis, settings.shards)
    registry = Registry(broker)
    estimator = PoseEstimator(load_engine(settings.worker, cache_folder(settings)), settings.worker)
    for size_px in settings.worker.warm_up_px:
        estimator.warm_up(size_px)
    reader = FrameReader(broker, process_id("worker"), settings.retention.dead_entries)
    shared = SharedFrames(settings.shared_frames) if settings.shared_frames else None
    stage = PoseStage(reader, registry, estimator, settings.worker, shared)
    run_stage(stage, Heartbeat(registry, stage.role), stop)
