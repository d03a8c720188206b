"""Paced cameras for a long time, while processes are killed and stalled and the broker is restarted.

    python -m benchmarks.faults.soak --minutes 30 [--cameras 6] [--seed N] [--out FILE.md]

Real processes on a redis-server with an append-only file: synthetic cameras that show real people, workers, trackers,
and one subscriber that follows everything from the start and is never restarted. It prints what was done to them; what
came twice, out of order, or is missing although nobody said so; how old tracks were; and the memory and open files of
every kind of process in the first and the last fifth of the time. Exit code 1 where something came twice or was lost.
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
TELL_S = 60.0
SETTLE_S = 10.0
TOLD_S = 6.0
AFTER_S = 15.0
"""Calm at the end, in which everything is to come back."""


class ProcessSamples:
    """Memory and open files by kind of process."""

    def __init__(self) -> None:
        self.memory_mb: defaultdict[str, list[float]] = defaultdict(list)
        self.files: defaultdict[str, list[float]] = defaultdict(list)

    def take(self, fleet: Fleet) -> None:
        """Of every child that runs, and of this process: supervisor and subscriber."""
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
    """Run and report."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--cameras", type=int, default=6)
    parser.add_argument("--fps", type=float, default=4.0)
    parser.add_argument("--every-s", type=float, default=6.0, help="mean time between two bad things")
    parser.add_argument("--seed", type=int, default=random.randrange(2**32))
    parser.add_argument("--out", type=Path)
    arguments = parser.parse_args()
    with restartable_broker() as broker:
        text, sound = soak(broker, arguments)
    print(text)
    if arguments.out:
        arguments.out.write_text(text + "\n")
    sys.exit(0 if sound else 1)


def soak(broker: RestartableBroker, arguments: argparse.Namespace) -> tuple[str, bool]:
    """The report, and whether nothing was lost or came twice."""
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
        began_s = time.monotonic()
        end_s = began_s + 60 * arguments.minutes
        sample_at_s, tell_at_s = began_s + SETTLE_S, began_s + TELL_S
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
            if now_s >= tell_at_s:
                tell_at_s += TELL_S
                print(
                    f"{(now_s - began_s) / 60:.0f} min: {ledger.tracked()} frames, lost {ledger.lost()}, twice "
                    f"{ledger.duplicates}, {dict(chaos.done)}",
                    file=sys.stderr,
                    flush=True,
                )
        # What was skipped last is told a little later: the count is not to be taken before.
        fleet.processes.stop([name for name in fleet.processes.children if name.startswith("ingest")])
        quiet_at_s = time.monotonic() + TOLD_S
        while time.monotonic() < quiet_at_s:
            fleet.check()
            follow(subscription, ledger)
        reclaimed = reclaims(broker.url)
        memory_mb = open_broker(broker.url).client.info("memory")["used_memory"] / 1e6
    sound = ledger.lost() == ledger.duplicates == ledger.disorder == 0
    return report(arguments, ledger, samples, chaos, reclaimed, memory_mb), sound


def follow(subscription: posebus.Subscription, ledger: FrameLedger) -> None:
    """Take what came."""
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
    """Frames taken over from dead workers, as the workers alive now have counted them."""
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
    """Markdown."""
    p50, p95, p99, most = ledger.age_percentiles_s(50, 95, 99, 100)
    rows = [
        ("frames with tracks", ledger.tracked()),
        ("frames lost unsaid", ledger.lost()),
        ("frames that came twice", ledger.duplicates),
        ("frames out of order", ledger.disorder),
        ("frames skipped and told, by reason", dict(ledger.reasons)),
        ("epochs (a camera began anew)", ledger.epochs()),
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
        "Done to them: " + ", ".join(f"{what} {number}" for what, number in sorted(chaos.done.items())) + ".",
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
