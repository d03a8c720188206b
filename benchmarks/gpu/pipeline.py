"""The pipeline that `benchmarks.gpu` measures: a real broker, real worker processes, a writer at full speed.

What stands for the rest is simple: the writer publishes JPEGs that lie ready, for as many cameras as it is told, as
long as each has room in its backlog; poses are counted and thrown away.
"""

from __future__ import annotations

import itertools
import multiprocessing
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.common.leased_producer import leased_producer
from benchmarks.gpu.report import PipelineRun, held_frames
from benchmarks.gpu.usage import GpuUsage
from posebus.bus.redis.connection import Broker, open_broker
from posebus.bus.registry import CameraRecord
from posebus.config.settings import Settings
from posebus.messages import CaptureClock, Delivery, Frame
from posebus.runtime.embedded import EmbeddedBroker
from posebus.runtime.fleet import Fleet
from posebus.topology import Topology
from recordings.stages import STAGES

LEAST_BACKLOG_BYTES = 1_000_000
"""Of each camera, at least."""
HELD_TIMES = 3
"""How many times what the workers hold at once lies in the broker: they never wait, and it stays small."""
EVENTS_KEPT = 100
LOOK_S = 0.05
FULL_WAIT_S = 0.002


@dataclass(frozen=True, slots=True)
class Load:
    """What is published: `jpegs` in turn, all of `size_px` (width, height), by `cameras` cameras; for how long nothing
    is counted, and for how long it is."""

    jpegs: tuple[bytes, ...]
    size_px: tuple[int, int]
    cameras: int
    warm_up_s: float
    seconds: float

    def backlog_bytes(self, batch: int, workers: int) -> int:
        """Of one camera, so that `workers` with this `batch` are never short of frames."""
        mean_bytes = sum(map(len, self.jpegs)) / len(self.jpegs)
        share = HELD_TIMES * held_frames(batch, workers) / self.cameras
        return max(LEAST_BACKLOG_BYTES, round(share * mean_bytes))

    @property
    def names(self) -> list[str]:
        return [f"bench-{number}" for number in range(self.cameras)]


def measure(run: int, load: Load, worker: dict[str, Any], workers: int, cache: Path) -> PipelineRun:
    """One run with `workers` processes of these `WorkerSettings`; raises FatalError if one of them ends."""
    with EmbeddedBroker() as url:
        broker = open_broker(url)
        settings = pipeline_settings(url, worker, workers, cache, load.size_px)
        batch = int(worker["batch"])
        spawning = multiprocessing.get_context("spawn")
        stop = spawning.Event()
        order = (url, load, load.backlog_bytes(batch, workers), stop)
        writer = spawning.Process(target=write, args=order, daemon=True)
        with Fleet(settings, broker, STAGES) as fleet:
            fleet.start_workers()
            fleet.wait_until_ready()
            writer.start()
            try:
                fps, waiting, usage = _count(broker, load, fleet.check, writer.is_alive)
            finally:
                stop.set()
                writer.join(5)
        dead = broker.client.xlen(broker.topology.dead(0))
    if dead:
        raise SystemExit(f"{dead} frames were dead-lettered: see the workers' messages above")
    return PipelineRun(run, batch, workers, fps, waiting, usage.busy_percent, usage.memory_mb)


def pipeline_settings(
    url: str, worker: dict[str, Any], workers: int, cache: Path, size_px: tuple[int, int]
) -> Settings:
    """A deployment of `workers` workers and nothing else."""
    return Settings.model_validate(
        {
            "redis": url,
            "cache_dir": cache,
            "log_level": "warning",
            "worker": {**worker, "warm_up_px": [size_px]},
            "fleet": {"workers": workers, "trackers": 0},
        }
    )


def write(url: str, load: Load, backlog_bytes: int, stop: Any) -> None:
    """The writer's process: publishes until `stop` is set."""
    broker = open_broker(url)
    records = [CameraRecord(name, Delivery.LOSSLESS, "bench") for name in load.names]
    held = [leased_producer(broker, record, EVENTS_KEPT) for record in records]
    writers, epochs = [writer for writer, _ in held], [epoch for _, epoch in held]
    waiting_bytes = [0] * len(writers)
    for seq in itertools.count():
        for place, writer in enumerate(writers):
            while waiting_bytes[place] > backlog_bytes:
                if stop.wait(FULL_WAIT_S):
                    return
                waiting_bytes[place] = writer.backlog().frames_bytes
            waiting_bytes[place] = writer.publish(frame(load, place, epochs[place], seq)).frames_bytes
        if stop.is_set():
            return


def frame(load: Load, place: int, epoch: int, seq: int) -> Frame:
    """Picture `seq` of the camera at `place`; neighbours show different pictures."""
    data = load.jpegs[(seq + place) % len(load.jpegs)]
    size_px, clock = load.size_px, CaptureClock.ARRIVAL
    name, now_ns = load.names[place], time.time_ns()
    return Frame(name, epoch, seq, now_ns, clock, Delivery.LOSSLESS, size_px, size_px, "jpeg", data)


def _count(
    broker: Broker, load: Load, check: Callable[[], None], feeding: Callable[[], bool]
) -> tuple[float, float, GpuUsage]:
    """Frames a second, frames that waited, and the GPU's use, once the warm-up is over."""
    end_s = time.monotonic() + load.warm_up_s
    while time.monotonic() < end_s or not drain(broker, load.names):
        _look(check, feeding)
    usage = GpuUsage()
    begin_s = now_s = time.monotonic()
    answered, waiting = 0, []
    while now_s - begin_s < load.seconds or not answered:
        _look(check, feeding)
        usage.look(now_s)
        answered += drain(broker, load.names)
        now_s = time.monotonic()
        waiting.append(waiting_frames(broker, load.names))
    return answered / (now_s - begin_s), statistics.median(waiting), usage


def _look(check: Callable[[], None], feeding: Callable[[], bool]) -> None:
    check()
    if not feeding():
        raise SystemExit("the process that publishes pictures ended: see its message above")
    time.sleep(LOOK_S)


def drain(broker: Broker, cameras: Sequence[str]) -> int:
    """Delete all poses; returns how many there were."""
    return sum(_all(broker, cameras, lambda pipeline, of, name: pipeline.xtrim(of.poses(name), 0, approximate=False)))


def waiting_frames(broker: Broker, cameras: Sequence[str]) -> int:
    """Frames in the broker, those that workers hold included."""
    return sum(_all(broker, cameras, lambda pipeline, of, name: pipeline.xlen(of.frames(name))))


def _all(broker: Broker, cameras: Sequence[str], ask: Callable[[Any, Topology, str], object]) -> list[int]:
    with broker.errors():
        pipeline = broker.client.pipeline(transaction=False)
        for camera in cameras:
            ask(pipeline, broker.topology, camera)
        return [int(answer) for answer in pipeline.execute()]
