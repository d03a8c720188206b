"""What the broker pays for questions, and for a frame by itself: one after the other, by its own processor time."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

from benchmarks.broker.capacity import PollCosts, line
from benchmarks.broker.held_writer import held_writer
from benchmarks.broker.script import Script
from benchmarks.broker.servers import usage
from benchmarks.broker.tracker import ScriptedTracker
from benchmarks.broker.worker import ScriptedWorker
from posebus.bus.frame_consumer import FrameConsumer
from posebus.bus.lease import Lease, renew_all
from posebus.bus.pose_consumer import PoseConsumer
from posebus.bus.redis.connection import Broker, open_broker
from posebus.bus.registry import CameraRecord, Registry, process_id
from posebus.config.settings import RetentionSettings
from posebus.messages import CaptureClock, Delivery, Frame

SIZES = (10, 100, 1000)
"""Cameras, processes or leases that there are while it is measured."""
CALLS = 300
MANY_CALLS = 2000
FRAME_CAMERAS = 32
FRAME_ROUNDS = 40


def measure_costs(url: str, script: Script) -> PollCosts:
    """Ask the broker at `url`, which must carry no cameras, and remove what that needed."""
    broker = open_broker(url)
    registry = Registry(broker)
    reader = FrameConsumer(broker, process_id("bench"), RetentionSettings(dead_entries=1))
    tracker = PoseConsumer(broker, process_id("bench"), RetentionSettings())
    names: list[str] = []
    leases: list[Lease] = []
    cameras_us, read_us, look_us, processes_us, leases_us = [], [], [], [], []
    try:
        frame_us = _frame_us(broker, script)
        for size in SIZES:
            print(f"what questions cost, {size} cameras", file=sys.stderr, flush=True)
            for number in range(len(names), size):
                names.append(f"bench-{number:05}")
                registry.add_camera(CameraRecord(names[-1], Delivery.LIVE, "scripted"))
                registry.report(names[-1], "ingest", {"ready": True, "cameras": {names[-1]: {"frames": 0}}})
                leases.append(Lease(broker, names[-1], "tracker", "bench", ttl_s=600))
                leases[-1].acquire()
            cameras_us.append((float(size), _us(broker, registry.cameras, CALLS)))
            read_us.append((float(size), _us(broker, lambda: reader.read(names, 1, None), CALLS)))
            look_us.append((float(size), _us(broker, lambda: _look(reader, names), CALLS)))
            processes_us.append((float(size), _us(broker, registry.processes, CALLS)))
            leases_us.append((float(size), _us(broker, lambda: renew_all(broker, leases), CALLS)))
        return PollCosts(
            cameras=line(cameras_us),
            processes=line(processes_us),
            empty_read=line(read_us),
            look=line(look_us),
            reclaim=_us(broker, lambda: tracker.take_over(names[0], 10_000), MANY_CALLS),
            renew_all=line(leases_us),
            heartbeat=_us(broker, lambda: registry.report(names[0], "worker", {"ready": True}), MANY_CALLS),
            frame=frame_us,
        )
    finally:
        for name in names:
            registry.remove_camera(name)
            registry.retire(name)


def _look(reader: FrameConsumer, names: list[str]) -> None:
    """One worker's turn to look for frames of dead ones: after the last turn is over."""
    time.sleep(0.002)
    reader.reclaim(names, idle_ms=10, count=8)


def _us(broker: Broker, act: Callable[[], object], calls: int) -> float:
    """Microseconds of the command thread for one `act`."""
    before_s = usage(broker.client).command_thread_s
    for _ in range(calls):
        act()
    return round((usage(broker.client).command_thread_s - before_s) * 1e6 / calls, 1)


def _frame_us(broker: Broker, script: Script) -> float:
    """Microseconds of the command thread for a frame of FRAME_CAMERAS cameras in step."""
    names = tuple(f"bench-frame-{number:05}" for number in range(FRAME_CAMERAS))
    writers = [held_writer(broker, CameraRecord(name, Delivery.LIVE, "scripted"), 1)[0] for name in names]
    worker = ScriptedWorker(broker, process_id("worker"), script, FRAME_CAMERAS, inference_s=0.0)
    tracker = ScriptedTracker(broker, process_id("tracker"), script, names)
    seq = 0

    def one_round() -> None:
        nonlocal seq
        data, live, size_px = script.pictures[seq % len(script.pictures)], Delivery.LIVE, script.size_px
        for writer, name in zip(writers, names, strict=True):
            now_ns = time.time_ns()
            writer.publish(Frame(name, 1, seq, now_ns, CaptureClock.ARRIVAL, live, size_px, size_px, "jpeg", data))
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
