"""Live cameras at loads below and above the capacity of the workers: rates, ages, skips, memory.

    python -m benchmarks.live --cameras 8 --workers 1 --loads 0.5 0.8 1.5 3
    python -m benchmarks.live --cameras 8 --loads 1.5 --seconds 600

Real processes on the embedded broker: synthetic cameras that show real people (and are not synchronised, as real
cameras are not), the default engine, one tracker. The capacity is measured first, with more frames offered than the
workers can infer; then each load runs for `--seconds` after some seconds to settle. Ages are from a frame's capture to
the publication of its tracks by the wall clock, also without the time in the engine. Rates are the frames with tracks a
second of each camera; skips are counted by reason. Memory is that of workers and tracker at the begin and the end.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

from benchmarks.live.figures import LoadFigures, Sample, figures, table
from posebus.bus.redis.connection import Broker, open_broker
from posebus.bus.registry import Registry
from posebus.config.settings import CameraSettings, RetentionSettings, Settings, WorkerSettings
from posebus.runtime.embedded import broker_for
from posebus.runtime.fleet import Fleet
from posebus.telemetry.process_report import TRACKER, WORKER
from posebus.telemetry.reports import process_reports
from recordings.stages import STAGES

SETTLE_S = 6.0
CAPACITY_S = 20.0
SIZE_PX = (640, 480)


def main() -> None:
    """Print a table, and write the figures if --json is given."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cameras", type=int, default=8, help="number of cameras")
    parser.add_argument("--workers", type=int, default=1, help="number of workers")
    parser.add_argument("--seconds", type=float, default=40.0, help="length of each load")
    parser.add_argument("--loads", type=float, nargs="+", default=[0.5, 0.8, 1.5, 3.0], help="parts of the capacity")
    parser.add_argument("--capacity-fps", type=float, help="capacity to assume instead of measuring it")
    parser.add_argument("--precision", default="auto", help="precision of the engine")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures to this file")
    arguments = parser.parse_args()
    with deployment(arguments.workers, arguments.precision) as (settings, broker):
        capacity_fps = arguments.capacity_fps or measure_capacity(settings, broker, arguments.cameras)
        print(f"capacity: {capacity_fps:.1f} fps with {arguments.workers} workers", file=sys.stderr, flush=True)
        found = []
        for load in arguments.loads:
            found.append(run_load(settings, broker, arguments.cameras, load * capacity_fps, arguments.seconds))
            print(f"load {load:.0%}: {found[-1]}", file=sys.stderr, flush=True)
    print(table(arguments.loads, found, capacity_fps, arguments.cameras, arguments.workers))
    if arguments.json:
        rows = [{"load": load, **asdict(one)} for load, one in zip(arguments.loads, found, strict=True)]
        title = f"{arguments.cameras} cameras of 640x480, a capacity of {capacity_fps:.0f} frames a second"
        arguments.json.write_text(json.dumps({"title": title, "capacity_fps": capacity_fps, "rows": rows}, indent=1))


@contextmanager
def deployment(workers: int, precision: str) -> Iterator[tuple[Settings, Broker]]:
    """Workers and a tracker that are ready, on a broker of their own."""
    with broker_for("embedded") as url:
        settings = Settings(
            redis=url,
            # Every frame at one size, so that the load is what the rates say.
            worker=WorkerSettings.model_validate(
                {"precision": precision, "warm_up_px": (SIZE_PX,), "imgsz": 640, "motion_gate": "off", "enhance": "off"}
            ),
            retention=RetentionSettings(tracks_entries=100_000),
            log_level="error",
        )
        settings = settings.model_copy(update={"fleet": settings.fleet.model_copy(update={"workers": workers})})
        broker = open_broker(url)
        with Fleet(settings, broker, STAGES) as fleet:
            fleet.start_trackers()
            fleet.start_workers()
            fleet.wait_until_ready()
            yield settings, broker


@contextmanager
def cameras_at(settings: Settings, broker: Broker, count: int, total_fps: float) -> Iterator[list[str]]:
    """Cameras that together publish `total_fps`; everything in the broker about them is removed afterwards."""
    fps = total_fps / count
    names = [f"c{time.monotonic_ns() // 1_000_000}-{number}" for number in range(count)]
    sources = {
        name: CameraSettings(source=f"synthetic:bus?fps={fps:.4f}&width={SIZE_PX[0]}&height={SIZE_PX[1]}&seed={number}")
        for number, name in enumerate(names)
    }
    with Fleet(settings.model_copy(update={"cameras": sources}), broker, STAGES) as fleet:
        for name in names:
            fleet.start_camera(name)
        yield names
    for name in names:
        Registry(broker).remove_camera(name)


def measure_capacity(settings: Settings, broker: Broker, count: int) -> float:
    """Tracked frames a second when far more are offered than the workers can infer."""
    with cameras_at(settings, broker, count, 8.0 * count) as names:
        time.sleep(SETTLE_S)
        begin_ns = time.time_ns()
        time.sleep(CAPACITY_S)
        samples = tracks_since(broker, names, begin_ns, time.time_ns())
    return len(samples) / CAPACITY_S


def run_load(settings: Settings, broker: Broker, count: int, total_fps: float, seconds: float) -> LoadFigures:
    """The figures of one load, measured for `seconds`."""
    with cameras_at(settings, broker, count, total_fps) as names:
        time.sleep(SETTLE_S)
        skips, memory = skipped(broker), memory_mb(broker)
        begin_ns, end_s = time.time_ns(), time.monotonic() + seconds
        while (left_s := end_s - time.monotonic()) > 0:
            time.sleep(min(10.0, left_s))
            print(f"  {max(0.0, left_s):.0f} s left, {memory_mb(broker):.0f} MB", file=sys.stderr, flush=True)
        samples = tracks_since(broker, names, begin_ns, time.time_ns())
        skips_after = skipped(broker)
        skips_after.subtract(skips)
        return figures(samples, names, seconds, total_fps / count, dict(+skips_after), (memory, memory_mb(broker)))


def tracks_since(broker: Broker, cameras: Sequence[str], from_ns: int, to_ns: int) -> list[Sample]:
    """The frames of `cameras` whose tracks were published between two moments.

    They are read afterwards, because a subscriber would take processor time from the workers.
    """
    samples = []
    for camera in cameras:
        entries = broker.client.xrange(
            broker.topology.tracks(camera), f"{from_ns // 1_000_000}", f"{to_ns // 1_000_000}"
        )
        for _, fields in entries:
            data = json.loads(fields[b"data"])
            samples.append(
                Sample(
                    camera=camera,
                    seq=int(data["seq"]),
                    age_ms=(data["published_at_ns"] - data["captured_at_ns"]) / 1e6,
                    inference_ms=data["inference_ns"] / 1e6,
                )
            )
    return samples


def skipped(broker: Broker) -> Counter[str]:
    """Frames skipped so far by workers and ingest, by reason."""
    counts: Counter[str] = Counter()
    for report in process_reports(Registry(broker)).values():
        if report.worker is not None:
            counts.update(report.worker.skipped)
        for camera in report.captures.values():
            counts.update(camera.dropped)
    return counts


def memory_mb(broker: Broker) -> float:
    """Resident memory of workers and trackers in MB; the broker's depends on the retention of tracks and events."""
    total = 0.0
    for report in process_reports(Registry(broker)).values():
        if report.role in (WORKER, TRACKER):
            status = Path(f"/proc/{report.pid}/status").read_text()
            total += 1024 * int(status.partition("VmRSS:")[2].split()[0])
    return total / 1e6
