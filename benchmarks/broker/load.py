"""The processes that load a broker in `benchmarks.broker`: each simulates many cameras, or a worker or a tracker.

They use the classes of `posebus.bus` as the stages do, and poll as often (workers/pose_stage.py,
tracking/track_stage.py). Decoding, inference and tracking are left out: the processes wait, or use what
`benchmarks.broker.script` recorded.
"""

from __future__ import annotations

import itertools
import os
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any

import redis

from benchmarks.broker.script import Script
from benchmarks.broker.tracker import ScriptedTracker
from benchmarks.broker.worker import ScriptedWorker
from benchmarks.common.leased_producer import leased_producer
from posebus.bus.redis.connection import Broker, open_broker
from posebus.bus.registry import CameraRecord, Registry, process_id
from posebus.config.settings import CameraSettings
from posebus.errors import PoseBusError
from posebus.messages import Delivery
from posebus.runtime.stage import HEARTBEAT_S

FIELDS = ("ready", "published", "poses", "tracks", "skipped", "bytes", "cpu_s")
"""The values that every process shares with its parent, in this order."""
SET_UP, PUBLISH, FINISH, LEAVE = range(4)
"""The phase that the parent asks for: set up; publish; no new frames; end."""
EVENTS_KEPT = 20_000
PHASE_POLL_S = 0.05


@dataclass(frozen=True, slots=True)
class LoadSpec:
    """The work of one simulated process.

    number, count: it is number `number` of `count` alike; producers divide the cameras and the phase among themselves.
    """

    role: str
    url: str
    shards: int
    cameras: tuple[str, ...]
    fps: float
    number: int
    count: int
    slots: int
    inference_s: float


class SharedCounters:
    """One process's counters and the parent's phase, in shared memory. Each value has one writer, so there are no
    locks."""

    def __init__(self, phase: Any, values: Any) -> None:
        self._phase = phase
        self._values = values
        self._parent_pid = os.getppid()

    @property
    def phase(self) -> int:
        """The phase that the parent asks for; LEAVE as well when the parent is gone, so that no process outlives it."""
        return LEAVE if os.getppid() != self._parent_pid else int(self._phase.value)

    def show(self, **counts: float) -> None:
        """Set counters, and the processor time that this process has used."""
        for name, value in counts.items():
            self._values[FIELDS.index(name)] = value
        self._values[FIELDS.index("cpu_s")] = time.process_time()


def run(spec: LoadSpec, script: Script, phase: Any, values: Any, answer: Connection) -> None:
    """Run one process from its start to its end.

    It sends a list of ages, or a sentence that describes its error.
    """
    # Ctrl-C reaches the whole process group; the parent decides when this process ends.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    counters = SharedCounters(phase, values)
    try:
        broker = open_broker(spec.url, spec.shards)
        act: Callable[[Broker, LoadSpec, Script, SharedCounters], list[tuple[float, float, float]]] = ROLES[spec.role]
        answer.send(act(broker, spec, script, counters))
    except (PoseBusError, redis.RedisError) as error:
        answer.send(f"a simulated {spec.role} failed: {error}")


def write(broker: Broker, spec: LoadSpec, script: Script, counters: SharedCounters) -> list[tuple[float, float, float]]:
    """Simulate cameras: publish each frame when it is due, or as soon as possible after that."""
    records = [CameraRecord(camera, Delivery.LIVE, "scripted") for camera in spec.cameras]
    leased = [leased_producer(broker, record, EVENTS_KEPT) for record in records]
    wall_minus_monotonic_ns = broker.now_ns() - time.monotonic_ns()
    budget_bytes = CameraSettings(source="").max_backlog_bytes
    counters.show(ready=1)
    while counters.phase == SET_UP:
        time.sleep(PHASE_POLL_S / 10)
    period_s = 1 / (len(leased) * spec.fps)
    begin_s = time.monotonic() + period_s * spec.number / spec.count
    published = sent_bytes = 0
    for count in itertools.count():
        due_s = begin_s + count * period_s
        while (now_s := time.monotonic()) < due_s and counters.phase == PUBLISH:
            time.sleep(min(due_s - now_s, PHASE_POLL_S))
        if counters.phase != PUBLISH:
            break
        seq, place = divmod(count, len(leased))
        producer, epoch = leased[place]
        # The capture time is the due time by the broker's clock, so that late publishing adds to the age.
        due_ns = wall_minus_monotonic_ns + round(due_s * 1e9)
        frame = script.frame(spec.cameras[place], epoch, seq, place, due_ns)
        if producer.publish(frame).frames_bytes > budget_bytes:
            producer.skip_oldest(budget_bytes)
        published, sent_bytes = published + 1, sent_bytes + len(frame.data)
        counters.show(published=published, bytes=sent_bytes)
    return []


def work(broker: Broker, spec: LoadSpec, script: Script, counters: SharedCounters) -> list[tuple[float, float, float]]:
    """Simulate a worker."""
    consumer = process_id("worker")
    worker = ScriptedWorker(broker, consumer, script, spec.slots, spec.inference_s)
    _loop(broker, consumer, worker, counters)
    worker.leave()
    return []


def track(broker: Broker, spec: LoadSpec, script: Script, counters: SharedCounters) -> list[tuple[float, float, float]]:
    """Simulate a tracker; returns (captured_at_ns, age of poses in ms, age of tracks in ms) of each frame."""
    consumer = process_id("tracker")
    tracker = ScriptedTracker(broker, consumer, script, spec.cameras)
    _loop(broker, consumer, tracker, counters)
    tracker.leave()
    return tracker.ages


def _loop(broker: Broker, process: str, stage: ScriptedWorker | ScriptedTracker, counters: SharedCounters) -> None:
    registry = Registry(broker)
    next_beat_s = 0.0
    counters.show(ready=1)
    while counters.phase != LEAVE:
        now_s = time.monotonic()
        if now_s >= next_beat_s:
            registry.report(process, stage.role, stage.report())
            next_beat_s = now_s + HEARTBEAT_S
        stage.step(now_s)
        counters.show(**stage.counts)
    registry.retire(process)


ROLES = {"writer": write, "worker": work, "tracker": track}
