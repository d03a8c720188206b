"""One `posebus run` on a broker of its own: the processor time of all processes, and the network's work.

    python -m benchmarks.economy.run VIDEO OUT [options of posebus run]        prints JSON

It runs in a process of its own, so that the processor time of its children is that of this run: command, ingest,
workers, trackers and broker, from start to end. The network's work, with probes and tiles, is in the workers' reports.
The last report is up to a second older than the end; the work after it follows from the tracks.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from benchmarks.common.child import child_environment
from benchmarks.economy.cost import ComputeCost, InferredFrame, total_cost
from benchmarks.economy.policies import Policy
from posebus.runtime.python_child import python_command
from posebus.telemetry.process_report import WORKER, ProcessReport
from posebus.telemetry.reports import process_reports
from posebus.views import View, parse_view

POLL_S = 0.25
SHARED_BYTES = 1_000_000_000
"""Shared memory for pictures, as `posebus run` creates it when it starts a broker itself."""


@dataclass(frozen=True, slots=True)
class PolicyRun:
    """The results of one run.

    video_s: length of the recording by its own times. computed: the network's work. mot: the tracks, a MOTChallenge
    file.
    """

    wall_s: float
    cpu_s: float
    video_s: float
    frames: int
    inferred: int
    computed: ComputeCost
    mot: Path


def run(video: Path, out: Path, policy: Policy) -> PolicyRun:
    """Run `posebus run` with the policy in a measured process. Raises SystemExit."""
    command = python_command("-m", "benchmarks.economy.run", str(video), str(out), *policy.options)
    done = subprocess.run(command, env=child_environment(), capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"posebus run {video.name} {' '.join(policy.options)} failed: {done.stderr.strip()[-500:]}")
    measured = json.loads(done.stdout)
    (tracks,) = out.glob("*.tracks.jsonl")
    frames = list(read_inferred_frames(tracks, policy.plain))
    (mot,) = out.glob("*.mot.txt")
    return PolicyRun(
        wall_s=measured["wall_s"],
        cpu_s=measured["cpu_s"],
        video_s=_video_s(tracks),
        frames=len(frames),
        inferred=sum(frame is not None for frame in frames),
        computed=total_cost(
            [frame for frame in frames if frame is not None], measured["workers"] if policy.probes else ()
        ),
        mot=mot,
    )


def read_inferred_frames(tracks: Path, plain: View) -> Iterator[InferredFrame | None]:
    """Each frame with its view, or None where it was not inferred; `plain` is the view of frames that name none."""
    for line in tracks.read_text().splitlines():
        frame = json.loads(line)
        view = plain if frame.get("view") is None else parse_view(frame["view"])
        yield InferredFrame((frame["size_px"][0], frame["size_px"][1]), view) if frame.get("inferred", True) else None


def _video_s(tracks: Path) -> float:
    """The length of the recording, to the end of its last frame."""
    times_ns = [json.loads(line)["captured_at_ns"] for line in tracks.read_text().splitlines()]
    span_ns = times_ns[-1] - times_ns[0]
    return float(span_ns + span_ns / max(1, len(times_ns) - 1)) / 1e9


def main() -> None:
    """Run `posebus run`, and print its times and the workers' counters as JSON."""
    from posebus.bus.redis.connection import open_broker
    from posebus.bus.registry import Registry
    from posebus.errors import BrokerUnavailable
    from posebus.runtime.embedded import EmbeddedBroker
    from posebus.runtime.shared_frames import shared_folder

    video, out, *options = sys.argv[1:]
    begin_s = time.monotonic()
    last_reports: dict[str, ProcessReport] = {}
    with shared_folder(SHARED_BYTES) as folder, EmbeddedBroker() as url:
        shared = {} if folder is None else {"POSEBUS_SHARED_FRAMES": str(folder)}
        command = python_command("-m", "posebus_cli", "run", video, "--out", out, "--no-video", "--redis", url)
        errors = Path(out).with_suffix(".log")
        with errors.open("w") as log:
            child = subprocess.Popen(
                [*command, *options], stdout=subprocess.DEVNULL, stderr=log, env=child_environment(**shared)
            )
            registry = Registry(open_broker(url))
            while child.poll() is None:
                with suppress(BrokerUnavailable):
                    reports = process_reports(registry)
                    last_reports.update({name: one for name, one in reports.items() if one.role == WORKER})
                time.sleep(POLL_S)
    if child.returncode:
        raise SystemExit(errors.read_text())
    spent = resource.getrusage(resource.RUSAGE_CHILDREN)
    times = {"wall_s": time.monotonic() - begin_s, "cpu_s": spent.ru_utime + spent.ru_stime}
    json.dump({**times, "workers": [_counts(report) for report in last_reports.values()]}, sys.stdout)


def _counts(report: ProcessReport) -> dict[str, float]:
    from posebus.telemetry.metric_windows import read_snapshot

    reading = read_snapshot(report.metrics)
    names = ("frames", "inferences", "input_pixels")
    return {name: reading.number(f"posebus_{name}_total") for name in names}


if __name__ == "__main__":
    main()
