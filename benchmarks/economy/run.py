"""One `posebus run` on a broker of its own, measured: processor time of everybody, and what the network computed.

    python -m benchmarks.economy.run VIDEO OUT [options of posebus run]        prints JSON

A process by itself, so that the processor time of its children is that of this run: the command, ingest, workers,
trackers and the broker, from start to end. What the network computed is in the worker's reports, probes and tiles
included; the last report is up to a second older than the end, and what came after it is read off the tracks.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from benchmarks.economy.cost import ComputeCost, InferredFrame, total_cost
from benchmarks.economy.policies import Policy
from posebus.telemetry.process_report import WORKER, ProcessReport
from posebus.telemetry.reports import process_reports
from posebus.views import View, parse_view

LOOK_EVERY_S = 0.25
SHARED_BYTES = 1_000_000_000
"""Room for pictures in this machine's memory, as `posebus run` makes it for itself where it has a broker of its own."""


@dataclass(frozen=True, slots=True)
class PolicyRun:
    """What one run came to. video_s: on the recording's own time line; looks: of each frame in order, None where it was
    not inferred; mot: who was found, in a MOTChallenge file."""

    wall_s: float
    cpu_s: float
    video_s: float
    frames: int
    inferred: int
    computed: ComputeCost
    mot: Path

    def as_dict(self) -> dict[str, Any]:
        """JSON values."""
        return {**asdict(self), "mot": str(self.mot)}


def run(video: Path, out: Path, policy: Policy) -> PolicyRun:
    """Run it as a process. Raises SystemExit."""
    command = [sys.executable, "-m", "benchmarks.economy.run", str(video), str(out), *policy.options]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"posebus run {video.name} {' '.join(policy.options)} failed: {done.stderr.strip()[-500:]}")
    told = json.loads(done.stdout)
    (tracks,) = out.glob("*.tracks.jsonl")
    looks = list(read_inferred_frames(tracks, policy.plain))
    (mot,) = out.glob("*.mot.txt")
    return PolicyRun(
        wall_s=told["wall_s"],
        cpu_s=told["cpu_s"],
        video_s=_video_s(tracks),
        frames=len(looks),
        inferred=sum(look is not None for look in looks),
        computed=total_cost([look for look in looks if look is not None], told["workers"] if policy.probes else ()),
        mot=mot,
    )


def read_inferred_frames(tracks: Path, plain: View) -> Iterator[InferredFrame | None]:
    """Of each frame how it was inferred, None where it was not; `plain` where the tracks say nothing of it."""
    for line in tracks.read_text().splitlines():
        frame = json.loads(line)
        view = plain if frame.get("view") is None else parse_view(frame["view"])
        yield InferredFrame((frame["size_px"][0], frame["size_px"][1]), view) if frame.get("inferred", True) else None


def _video_s(tracks: Path) -> float:
    """How long the recording is: to the end of its last frame."""
    times_ns = [json.loads(line)["captured_at_ns"] for line in tracks.read_text().splitlines()]
    span_ns = times_ns[-1] - times_ns[0]
    return float(span_ns + span_ns / max(1, len(times_ns) - 1)) / 1e9


def main() -> None:
    """PolicyRun, and print what it took."""
    from posebus.bus.redis.connection import open_broker
    from posebus.bus.registry import Registry
    from posebus.errors import BrokerUnavailable
    from posebus.runtime.embedded import EmbeddedBroker
    from posebus.runtime.shared_frames import shared_folder

    video, out, *options = sys.argv[1:]
    began_s = time.monotonic()
    seen: dict[str, ProcessReport] = {}
    with shared_folder(SHARED_BYTES) as folder, EmbeddedBroker() as url:
        shared = {} if folder is None else {"POSEBUS_SHARED_FRAMES": str(folder)}
        command = [sys.executable, "-m", "posebus_cli", "run", video, "--out", out, "--no-video", "--redis", url]
        errors = Path(out).with_suffix(".log")
        with errors.open("w") as log:
            child = subprocess.Popen(
                [*command, *options], stdout=subprocess.DEVNULL, stderr=log, env={**os.environ, **shared}
            )
            registry = Registry(open_broker(url))
            while child.poll() is None:
                with suppress(BrokerUnavailable):
                    reports = process_reports(registry)
                    seen.update({name: one for name, one in reports.items() if one.role == WORKER})
                time.sleep(LOOK_EVERY_S)
    if child.returncode:
        raise SystemExit(errors.read_text())
    spent = resource.getrusage(resource.RUSAGE_CHILDREN)
    told = {"wall_s": time.monotonic() - began_s, "cpu_s": spent.ru_utime + spent.ru_stime}
    json.dump({**told, "workers": [_counts(report) for report in seen.values()]}, sys.stdout)


def _counts(report: ProcessReport) -> dict[str, float]:
    from posebus.telemetry.metric_windows import read_snapshot

    reading = read_snapshot(report.metrics)
    names = ("frames", "inferences", "input_pixels")
    return {name: reading.number(f"posebus_{name}_total") for name in names}


if __name__ == "__main__":
    main()
