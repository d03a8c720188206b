"""Live cameras for a long time, while processes are killed and stalled and the broker is restarted.

    python -m benchmarks.faults.soak --minutes 30 [--cameras 6] [--seed N] [--out FILE.md]

Real processes on a redis-server with an append-only file: synthetic cameras that show real people, workers, trackers,
and one subscriber that reads all streams from the start and is never restarted. The report lists the injected faults;
frames that were duplicated, out of order, or lost without a report; the ages of tracks; and the memory and open files
of each kind of process in the first and the last fifth of the time. The exit code is 1 if a frame was duplicated, out
of order or lost.
"""

from __future__ import annotations

import argparse
import random
import statistics
import sys
import time
from collections import defaultdict
from pathlib import Path

import psutil

import posebus
from benchmarks.common.output import print_and_write
from benchmarks.faults.chaos import Chaos, RestartableBroker, restartable_broker
from benchmarks.faults.ledger import FrameLedger
from posebus.bus.redis.connection import open_broker
from posebus.bus.registry import Registry
from posebus.config.settings import CameraSettings, FleetSettings, Settings, WorkerSettings
from posebus.errors import BrokerUnavailable
from posebus.runtime.fleet import Fleet
from posebus.telemetry.reports import process_reports
from recordings.stages import STAGES

SAMPLE_S = 5.0
PROGRESS_S = 60.0
SETTLE_S = 10.0
LAST_REPORTS_S = 6.0
"""Time after the end in which the last skipped frames are reported."""
AFTER_S = 15.0
"""Time without faults at the end, in which all processes recover."""


class ProcessSamples:
    """Memory and open files by kind of process."""

    def __init__(self) -> None:
        self.memory_mb: defaultdict[str, list[float]] = defaultdict(list)
        self.files: defaultdict[str, list[float]] = defaultdict(list)

    def take(self, fleet: Fleet) -> None:
        """Sample every running child process, and this process, which is supervisor and subscriber."""
        pids = {name.partition("-")[0]: [] for name in fleet.processes.children} | {
            "supervisor and subscriber": [psutil.Process().pid]
        }
        for name, child in fleet.processes.children.items():
            pids[name.partition("-")[0]].append(child.process.pid)
        for role, numbers in pids.items():
            for pid in numbers:
                try:
                    process = psutil.Process(pid)
                    self.memory_mb[role].append(process.memory_info().rss / 1e6)
                    self.files[role].append(process.num_fds())
                except psutil.Error:
                    continue


def main() -> None:
    """Run the soak, and print and write its report."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=30.0, help="length of the run")
    parser.add_argument("--cameras", type=int, default=6, help="number of cameras")
    parser.add_argument("--fps", type=float, default=4.0, help="frames a second of each camera")
    parser.add_argument("--every-s", type=float, default=6.0, help="mean time between two faults")
    parser.add_argument("--seed", type=int, default=random.randrange(2**32), help="seed of the faults")
    parser.add_argument("--out", type=Path, help="also write the report to this file")
    arguments = parser.parse_args()
    with restartable_broker() as broker:
        text, sound = soak(broker, arguments)
    print_and_write([text], arguments.out)
    sys.exit(0 if sound else 1)


def soak(broker: RestartableBroker, arguments: argparse.Namespace) -> tuple[str, bool]:
    """The report, and whether no frame was lost, duplicated or out of order."""
    names = [f"camera-{number}" for number in range(arguments.cameras)]
    cameras = {
        name: CameraSettings(source=f"synthetic:bus?fps={arguments.fps:g}&seed={seed}")
        for seed, name in enumerate(names)
    }
    settings = Settings(
        redis=broker.url,
        cameras=cameras,
        worker=WorkerSettings(imgsz=320, threads=1),
        fleet=FleetSettings(workers=2, trackers=2, restart_max_s=2.0),
        log_level="error",
    )
    ledger, samples = FrameLedger(), ProcessSamples()
    with (
        Fleet(settings, open_broker(broker.url), STAGES) as fleet,
        posebus.subscribe(broker.url, after="start", outage_limit_s=None) as subscription,
    ):
        fleet.start_trackers()
        fleet.start_workers()
        fleet.wait_until_ready()
        for name in names:
            fleet.start_camera(name)
        chaos = Chaos(fleet, broker, random.Random(arguments.seed), arguments.every_s)
        begin_s = time.monotonic()
        end_s = begin_s + 60 * arguments.minutes
        sample_at_s, progress_at_s = begin_s + SETTLE_S, begin_s + PROGRESS_S
        while (now_s := time.monotonic()) < end_s:
            if now_s < end_s - AFTER_S:
                chaos.step(now_s)
            else:
                chaos.calm()
            fleet.check()
            follow(subscription, ledger)
            if now_s >= sample_at_s:
                samples.take(fleet)
                sample_at_s = now_s + SAMPLE_S
            if now_s >= progress_at_s:
                progress_at_s += PROGRESS_S
                print(
                    f"{(now_s - begin_s) / 60:.0f} min: {ledger.tracked()} frames, lost {ledger.lost()}, duplicates "
                    f"{ledger.duplicates}, {dict(chaos.done)}",
                    file=sys.stderr,
                    flush=True,
                )
        # The last skipped frames are reported a little later, so losses are counted after that.
        fleet.processes.stop([name for name in fleet.processes.children if name.startswith("ingest")])
        quiet_at_s = time.monotonic() + LAST_REPORTS_S
        while time.monotonic() < quiet_at_s:
            fleet.check()
            follow(subscription, ledger)
        reclaimed = reclaims(broker.url)
        memory_mb = open_broker(broker.url).client.info("memory")["used_memory"] / 1e6
    sound = ledger.lost() == ledger.duplicates == ledger.disorder == 0
    return report(arguments, ledger, samples, chaos, reclaimed, memory_mb), sound


def follow(subscription: posebus.Subscription, ledger: FrameLedger) -> None:
    """Record the messages that have arrived."""
    for message in subscription.poll(0.1):
        body = message.body
        if isinstance(body, posebus.TrackFrame):
            age_s = (time.time_ns() - body.captured_at_ns) / 1e9
            ledger.track(body.camera, body.epoch, body.seq, age_s, time.monotonic())
        elif isinstance(body, posebus.Event):
            ledger.events[body.type] += 1
            if body.type == posebus.EventType.CAMERA_GAP and "last_seq" in body.data:
                ledger.gap(body.camera, body.epoch, body.data["last_seq"], body.data["reasons"])


def reclaims(url: str) -> int:
    """Frames reclaimed from dead workers, as counted by the workers alive now."""
    total = 0
    try:
        for report in process_reports(Registry(open_broker(url))).values():
            total += sum(row[-1] for row in report.metrics.get("posebus_frames_reclaimed_total", []))
    except BrokerUnavailable:
        return 0
    return int(total)


def report(
    arguments: argparse.Namespace,
    ledger: FrameLedger,
    samples: ProcessSamples,
    chaos: Chaos,
    reclaimed: int,
    memory_mb: float,
) -> str:
    """The report in Markdown."""
    p50, p95, p99, most = ledger.age_percentiles_s(50, 95, 99, 100)
    rows = [
        ("frames with tracks", ledger.tracked()),
        ("frames lost without a report", ledger.lost()),
        ("duplicate frames", ledger.duplicates),
        ("frames out of order", ledger.disorder),
        ("frames reported as skipped, by reason", dict(ledger.reasons)),
        ("epochs of all cameras", ledger.epochs()),
        ("events", dict(ledger.events)),
        ("frames reclaimed, counted by the workers alive at the end", reclaimed),
        ("age of tracks, p50 / p95 / p99 / max, s", f"{p50:.2f} / {p95:.2f} / {p99:.2f} / {most:.2f}"),
        ("longest silence of a camera, s", f"{max(ledger.silences_s, default=0):.1f}"),
        ("memory of the broker at the end, MB", f"{memory_mb:.0f}"),
    ]
    lines = [
        f"{arguments.minutes:g} minutes, {arguments.cameras} cameras of {arguments.fps:g} fps, 2 workers, 2 trackers, "
        f"seed {arguments.seed}",
        "",
        "Injected faults: " + ", ".join(f"{what} {number}" for what, number in sorted(chaos.done.items())) + ".",
        "",
        "| | |",
        "|---|---|",
        *(f"| {what} | {value} |" for what, value in rows),
        "",
        "| process | memory, first fifth, MB | last fifth, MB | open files, first | last |",
        "|---|---|---|---|---|",
    ]
    for role, memory in sorted(samples.memory_mb.items()):
        fifth = max(1, len(memory) // 5)
        files = samples.files[role]
        numbers = [statistics.median(part) for part in (memory[:fifth], memory[-fifth:], files[:fifth], files[-fifth:])]
        lines.append(f"| {role} | {numbers[0]:.0f} | {numbers[1]:.0f} | {numbers[2]:.0f} | {numbers[3]:.0f} |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
