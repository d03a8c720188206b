"""The processes that `benchmarks.broker` loads a broker with: each stands for many cameras, a few workers or trackers.

They use the classes of `posebus.bus` as the stages do and ask as often as the stages ask (workers/pose_stage.py,
tracking/track_stage.py); what they leave out is decoding, inference and tracking, for which they wait or look up what
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

from benchmarks.broker.held_writer import held_writer
from benchmarks.broker.script import Script
from benchmarks.broker.tracker import ScriptedTracker
from benchmarks.broker.worker import ScriptedWorker
from posebus.bus.redis.connection import Broker, open_broker
from posebus.bus.registry import CameraRecord, Registry, process_id
from posebus.config.settings import CameraSettings
from posebus.errors import PoseBusError
from posebus.messages import CaptureClock, Delivery, Frame
from posebus.runtime.stage import HEARTBEAT_S

FIELDS = ("ready", "published", "poses", "tracks", "skipped", "bytes", "cpu_s")
"""What every process counts where the parent can see it, in this order."""
SET_UP, PUBLISH, FINISH, LEAVE = range(4)
"""What the parent wants: get ready; publish; no new frames; stop."""
EVENTS_KEPT = 20_000
LOOK_S = 0.05


@dataclass(frozen=True, slots=True)
class Job:
    """What one process stands for. `number` of `count` alike: writers share the cameras and the phases among them."""

    role: str
    url: str
    shards: int
    cameras: tuple[str, ...]
    fps: float
    number: int
    count: int
    slots: int
    inference_s: float


class Board:
    """One process's counters and the parent's wish, in memory that both see. No locks: each has one writer."""

    def __init__(self, phase: Any, values: Any) -> None:
        self._phase = phase
        self._values = values
        self._parent_pid = os.getppid()

    @property
    def phase(self) -> int:
        """What to do now; also LEAVE when the parent is gone, so that nothing is left running."""
        return LEAVE if os.getppid() != self._parent_pid else int(self._phase.value)

    def show(self, **counts: float) -> None:
        """Set counters, and the processor time that this process has used."""
        for name, value in counts.items():
            self._values[FIELDS.index(name)] = value
        self._values[FIELDS.index("cpu_s")] = time.process_time()


def run(job: Job, script: Script, phase: Any, values: Any, answer: Connection) -> None:
    """A process from its begin to its end; sends a list of ages, or an error as a sentence."""
    # Ctrl-C goes to the whole group; the parent decides when we stop.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    board = Board(phase, values)
    try:
        broker = open_broker(job.url, job.shards)
        act: Callable[[Broker, Job, Script, Board], list[tuple[float, float, float]]] = ROLES[job.role]
        answer.send(act(broker, job, script, board))
    except (PoseBusError, redis.RedisError) as error:
        answer.send(f"a simulated {job.role} failed: {error}")


def write(broker: Broker, job: Job, script: Script, board: Board) -> list[tuple[float, float, float]]:
    """Cameras: each frame is published when it is due, or as soon as this process gets round to it."""
    records = [CameraRecord(camera, Delivery.LIVE, "scripted") for camera in job.cameras]
    held = [held_writer(broker, record, EVENTS_KEPT) for record in records]
    writers, epochs = [writer for writer, _ in held], [epoch for _, epoch in held]
    wall_minus_monotonic_ns = broker.now_ns() - time.monotonic_ns()
    budget_bytes = CameraSettings(source="").max_backlog_bytes
    board.show(ready=1)
    while board.phase == SET_UP:
        time.sleep(LOOK_S / 10)
    period_s = 1 / (len(writers) * job.fps)
    begin_s = time.monotonic() + period_s * job.number / job.count
    published = sent_bytes = 0
    for count in itertools.count():
        due_s = begin_s + count * period_s
        while (now_s := time.monotonic()) < due_s and board.phase == PUBLISH:
            time.sleep(min(due_s - now_s, LOOK_S))
        if board.phase != PUBLISH:
            break
        seq, place = divmod(count, len(writers))
        data = script.pictures[(place + seq) % len(script.pictures)]
        # When the camera took it, by the broker's clock: a writer that is late adds to the age like any other delay.
        due_ns = wall_minus_monotonic_ns + round(due_s * 1e9)
        size_px = script.size_px
        name, clock, live = job.cameras[place], CaptureClock.ARRIVAL, Delivery.LIVE
        frame = Frame(name, epochs[place], seq, due_ns, clock, live, size_px, size_px, "jpeg", data)
        if writers[place].publish(frame).frames_bytes > budget_bytes:
            writers[place].skip_oldest(budget_bytes)
        published, sent_bytes = published + 1, sent_bytes + len(data)
        board.show(published=published, bytes=sent_bytes)
    return []


def work(broker: Broker, job: Job, script: Script, board: Board) -> list[tuple[float, float, float]]:
    """A worker."""
    consumer = process_id("worker")
    worker = ScriptedWorker(broker, consumer, script, job.slots, job.inference_s)
    _loop(broker, consumer, worker, board)
    worker.leave()
    return []


def track(broker: Broker, job: Job, script: Script, board: Board) -> list[tuple[float, float, float]]:
    """A tracker; returns (captured ns, age of poses ms, age of tracks ms) of each frame."""
    consumer = process_id("tracker")
    tracker = ScriptedTracker(broker, consumer, script, job.cameras)
    _loop(broker, consumer, tracker, board)
    tracker.leave()
    return tracker.ages


def _loop(broker: Broker, process: str, stage: ScriptedWorker | ScriptedTracker, board: Board) -> None:
    registry = Registry(broker)
    next_beat_s = 0.0
    board.show(ready=1)
    while board.phase != LEAVE:
        now_s = time.monotonic()
        if now_s >= next_beat_s:
            registry.report(process, stage.role, stage.report())
            next_beat_s = now_s + HEARTBEAT_S
        stage.step(now_s)
        board.show(**stage.counts)
    registry.retire(process)


ROLES = {"writer": write, "worker": work, "tracker": track}
