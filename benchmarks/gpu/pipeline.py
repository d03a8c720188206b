"""The pipeline that `benchmarks.gpu` measures: a real broker, real workers, and a producer at full speed.

The producer publishes prepared JPEGs for a number of cameras, as long as each has room in its backlog. Poses are
counted and deleted.
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
"""The smallest backlog of a camera."""
HELD_TIMES = 3
"""The backlog of all cameras, as a multiple of the frames in flight: workers never wait, and it stays small."""
EVENTS_KEPT = 100
POLL_S = 0.05
FULL_WAIT_S = 0.002


@dataclass(frozen=True, slots=True)
class Load:
    """The published frames: `jpegs` in turn, all of `size_px` (width, height), by `cameras` cameras.

    Frames are counted for `seconds` after `warm_up_s`.
    """

    jpegs: tuple[bytes, ...]
    size_px: tuple[int, int]
    cameras: int
    warm_up_s: float
    seconds: float

    def backlog_bytes(self, batch: int, workers: int) -> int:
        """The backlog of one camera with which `workers` workers with this `batch` always have frames."""
        mean_bytes = sum(map(len, self.jpegs)) / len(self.jpegs)
        share = HELD_TIMES * held_frames(batch, workers) / self.cameras
        return max(LEAST_BACKLOG_BYTES, round(share * mean_bytes))

    @property
    def names(self) -> list[str]:
        return [f"bench-{number}" for number in range(self.cameras)]


def measure(run: int, load: Load, worker: dict[str, Any], workers: int, cache: Path) -> PipelineRun:
    """One run with `workers` processes of these `WorkerSettings`. Raises FatalError if one of them ends, or
    SystemExit."""
    with EmbeddedBroker() as url:
        broker = open_broker(url)
        settings = pipeline_settings(url, worker, workers, cache, load.size_px)
        batch = int(worker["batch"])
        spawning = multiprocessing.get_context("spawn")
        stop = spawning.Event()
        arguments = (url, load, load.backlog_bytes(batch, workers), stop)
        producer = spawning.Process(target=publish, args=arguments, daemon=True)
        with Fleet(settings, broker, STAGES) as fleet:
            fleet.start_workers()
            fleet.wait_until_ready()
            producer.start()
            try:
                fps, waiting, usage = _count(broker, load, fleet.check, producer.is_alive)
            finally:
                stop.set()
                producer.join(5)
        dead = broker.client.xlen(broker.topology.dead(0))
    if dead:
        raise SystemExit(f"{dead} frames were dead-lettered; the workers' messages are above")
    return PipelineRun(
        run=run,
        batch=batch,
        workers=workers,
        fps=fps,
        waiting=waiting,
        gpu_percent=usage.busy_percent,
        gpu_memory_mb=usage.memory_mb,
    )


def pipeline_settings(
    url: str, worker: dict[str, Any], workers: int, cache: Path, size_px: tuple[int, int]
) -> Settings:
    """The settings of a deployment with `workers` workers and no other processes."""
    return Settings.model_validate(
        {
            "redis": url,
            "cache_dir": cache,
            "log_level": "warning",
            "worker": {**worker, "warm_up_px": [size_px]},
            "fleet": {"workers": workers, "trackers": 0},
        }
    )


def publish(url: str, load: Load, backlog_bytes: int, stop: Any) -> None:
    """The producer's process: publish frames until `stop` is set."""
    broker = open_broker(url)
    records = [CameraRecord(name, Delivery.LOSSLESS, "bench") for name in load.names]
    leased = [leased_producer(broker, record, EVENTS_KEPT) for record in records]
    waiting_bytes = [0] * len(leased)
    for seq in itertools.count():
        for place, (producer, epoch) in enumerate(leased):
            while waiting_bytes[place] > backlog_bytes:
                if stop.wait(FULL_WAIT_S):
                    return
                waiting_bytes[place] = producer.backlog().frames_bytes
            waiting_bytes[place] = producer.publish(frame(load, place, epoch, seq)).frames_bytes
        if stop.is_set():
            return


def frame(load: Load, place: int, epoch: int, seq: int) -> Frame:
    """Frame `seq` of the camera at `place`; neighbours show different pictures."""
    return Frame(
        camera=load.names[place],
        epoch=epoch,
        seq=seq,
        captured_at_ns=time.time_ns(),
        clock=CaptureClock.ARRIVAL,
        delivery=Delivery.LOSSLESS,
        size_px=load.size_px,
        image_size_px=load.size_px,
        encoding="jpeg",
        data=load.jpegs[(seq + place) % len(load.jpegs)],
    )


def _count(
    broker: Broker, load: Load, check: Callable[[], None], feeding: Callable[[], bool]
) -> tuple[float, float, GpuUsage]:
    """Frames a second, the median of waiting frames, and the GPU's load, after the warm-up."""
    end_s = time.monotonic() + load.warm_up_s
    while time.monotonic() < end_s or not drain(broker, load.names):
        _check(check, feeding)
    usage = GpuUsage()
    begin_s = now_s = time.monotonic()
    answered, waiting = 0, []
    while now_s - begin_s < load.seconds or not answered:
        _check(check, feeding)
        usage.sample(now_s)
        answered += drain(broker, load.names)
        now_s = time.monotonic()
        waiting.append(waiting_frames(broker, load.names))
    return answered / (now_s - begin_s), statistics.median(waiting), usage


def _check(check: Callable[[], None], feeding: Callable[[], bool]) -> None:
    check()
    if not feeding():
        raise SystemExit("the process that publishes frames ended; its message is above")
    time.sleep(POLL_S)


def drain(broker: Broker, cameras: Sequence[str]) -> int:
    """Delete all poses; returns their number."""
    return sum(_all(broker, cameras, lambda pipeline, of, name: pipeline.xtrim(of.poses(name), 0, approximate=False)))


def waiting_frames(broker: Broker, cameras: Sequence[str]) -> int:
    """Frames in the broker, including those that workers have in flight."""
    return sum(_all(broker, cameras, lambda pipeline, of, name: pipeline.xlen(of.frames(name))))


def _all(broker: Broker, cameras: Sequence[str], add: Callable[[Any, Topology, str], object]) -> list[int]:
    with broker.errors():
        pipeline = broker.client.pipeline(transaction=False)
        for camera in cameras:
            add(pipeline, broker.topology, camera)
        return [int(answer) for answer in pipeline.execute()]
