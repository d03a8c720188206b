"""The broker's processor time for each kind of polling and for a frame, each measured on its own."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

from benchmarks.broker.capacity import PollCosts, line
from benchmarks.broker.script import Script
from benchmarks.broker.servers import usage
from benchmarks.broker.tracker import ScriptedTracker
from benchmarks.broker.worker import ScriptedWorker
from benchmarks.common.leased_producer import leased_producer
from posebus.bus.frame_consumer import FrameConsumer
from posebus.bus.lease import Lease, renew_all
from posebus.bus.pose_consumer import PoseConsumer
from posebus.bus.redis.connection import Broker, open_broker
from posebus.bus.registry import CameraRecord, Registry, process_id
from posebus.config.settings import RetentionSettings
from posebus.messages import Delivery

SIZES = (10, 100, 1000)
"""Numbers of cameras, processes and leases in the broker during the measurements."""
CALLS = 300
MANY_CALLS = 2000
FRAME_CAMERAS = 32
FRAME_ROUNDS = 40


def measure_costs(url: str, script: Script) -> PollCosts:
    """Measure the broker at `url`, which must have no cameras; everything that this registers is removed afterwards."""
    broker = open_broker(url)
    registry = Registry(broker)
    consumer = FrameConsumer(broker, process_id("bench"), RetentionSettings(dead_entries=1))
    tracker = PoseConsumer(broker, process_id("bench"), RetentionSettings())
    names: list[str] = []
    leases: list[Lease] = []
    cameras_us, read_us, reclaim_us, processes_us, leases_us = [], [], [], [], []
    try:
        frame_us = _frame_us(broker, script)
        for size in SIZES:
            print(f"cost of polling with {size} cameras", file=sys.stderr, flush=True)
            for number in range(len(names), size):
                names.append(f"bench-{number:05}")
                registry.add_camera(CameraRecord(names[-1], Delivery.LIVE, "scripted"))
                registry.report(names[-1], "ingest", {"ready": True, "cameras": {names[-1]: {"frames": 0}}})
                leases.append(Lease(broker, names[-1], "tracker", "bench", ttl_s=600))
                leases[-1].acquire()
            cameras_us.append((float(size), _us(broker, registry.cameras, CALLS)))
            read_us.append((float(size), _us(broker, lambda: consumer.read(names, 1, None), CALLS)))
            reclaim_us.append((float(size), _us(broker, lambda: _reclaim(consumer, names), CALLS)))
            processes_us.append((float(size), _us(broker, registry.processes, CALLS)))
            leases_us.append((float(size), _us(broker, lambda: renew_all(broker, leases), CALLS)))
        return PollCosts(
            cameras=line(cameras_us),
            processes=line(processes_us),
            empty_read=line(read_us),
            look=line(reclaim_us),
            reclaim=_us(broker, lambda: tracker.take_over(names[0], 10_000), MANY_CALLS),
            renew_all=line(leases_us),
            heartbeat=_us(broker, lambda: registry.report(names[0], "worker", {"ready": True}), MANY_CALLS),
            frame=frame_us,
        )
    finally:
        for name in names:
            registry.remove_camera(name)
            registry.retire(name)


def _reclaim(consumer: FrameConsumer, names: list[str]) -> None:
    """Reclaim as one worker after another does: each waits until the turn of the last one has expired."""
    time.sleep(0.002)
    consumer.reclaim(names, idle_ms=10, count=8)


def _us(broker: Broker, act: Callable[[], object], calls: int) -> float:
    """Microseconds of the command thread for one call of `act`."""
    before_s = usage(broker.client).command_thread_s
    for _ in range(calls):
        act()
    return round((usage(broker.client).command_thread_s - before_s) * 1e6 / calls, 1)


def _frame_us(broker: Broker, script: Script) -> float:
    """Microseconds of the command thread for a frame, where FRAME_CAMERAS cameras publish at the same time."""
    names = tuple(f"bench-frame-{number:05}" for number in range(FRAME_CAMERAS))
    producers = [leased_producer(broker, CameraRecord(name, Delivery.LIVE, "scripted"), 1)[0] for name in names]
    worker = ScriptedWorker(broker, process_id("worker"), script, FRAME_CAMERAS, inference_s=0.0)
    tracker = ScriptedTracker(broker, process_id("tracker"), script, names)
    seq = 0

    def one_round() -> None:
        nonlocal seq
        for place, producer in enumerate(producers):
            producer.publish(script.frame(names[place], 1, seq, place=0, captured_at_ns=time.time_ns()))
        seq += 1
        while tracker.counts["tracks"] < seq * FRAME_CAMERAS:
            worker.step(time.monotonic())
            worker.step(time.monotonic())
            tracker.step(time.monotonic())

    try:
        one_round()
        return round(_us(broker, one_round, FRAME_ROUNDS) / FRAME_CAMERAS, 1)
    finally:
        worker.leave()
        tracker.leave()
        for name in names:
            Registry(broker).remove_camera(name)
