"""The processor time of `posebus run`: core-milliseconds a frame of each process besides the engine.

    python -m benchmarks.throughput.overhead ../shared/data/one-by-one-person-detection.mp4 [-- --precision fp32]

Wall-clock ratios vary with the machine, processor time hardly does: the time of a frame in ingest, broker, worker,
tracker and command is not available to the network. In the worker, the busiest threads (as many as cores) are counted
as the engine's, all others as ours. The first and the last tenth of the run (start-up, drain) are left out.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import tempfile
import time
from collections import defaultdict
from dataclasses import asdict
from pathlib import Path

from benchmarks.common.child import child_environment
from posebus.machine.cpus import available_cpus
from posebus.runtime.python_child import python_command
from recordings.stages import STAGES

POLL_S = 0.2
TICKS_PER_S = os.sysconf("SC_CLK_TCK")
ENGINE = "worker: engine"

ThreadKey = tuple[str, int]
"""(the role of its process, thread id)"""


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("video", type=Path, help="clip to run over")
    parser.add_argument("--runs", type=int, default=3, help="number of runs; figures are medians")
    parser.add_argument("options", nargs="*", help="further options of posebus run, after --")
    arguments = parser.parse_args()
    runs = [measure(arguments.video.resolve(), arguments.options) for _ in range(arguments.runs)]
    print(f"{arguments.video.name}, {arguments.runs} runs, medians\n\n| process | core-ms a frame |\n|---|---|")
    for part in sorted({part for run in runs for part in run}):
        print(f"| {part} | {statistics.median(run.get(part, 0.0) for run in runs):.2f} |")
    outside = statistics.median(sum(ms for part, ms in run.items() if part != ENGINE) for run in runs)
    print(f"\noutside the engine: {outside:.2f} core-ms a frame")


def measure(video: Path, options: list[str]) -> dict[str, float]:
    """Core-milliseconds a frame by role, from one run of `video`."""
    samples: list[tuple[int, dict[ThreadKey, float]]] = []
    with tempfile.TemporaryDirectory() as name:
        command = python_command("-m", "posebus_cli", "run", str(video), "--out", name, "--no-video", *options)
        tracks = Path(name) / f"{video.stem}.tracks.jsonl.partial"
        child = subprocess.Popen(command, env=child_environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        while child.poll() is None:
            frames = tracks.read_bytes().count(b"\n") if tracks.is_file() else 0
            if frames:
                samples.append((frames, spent_ms(child.pid)))
            time.sleep(POLL_S)
    if child.returncode or len(samples) < 10:
        raise SystemExit(f"{' '.join(command)} ended with {child.returncode} after {len(samples)} samples")
    edge = len(samples) // 10 + 1
    (first_frames, first), (last_frames, last) = samples[edge], samples[-edge - 1]
    frames = last_frames - first_frames
    return by_part({thread: (ms - first.get(thread, 0.0)) / frames for thread, ms in last.items()})


def spent_ms(root: int) -> dict[ThreadKey, float]:
    """Processor milliseconds used so far by each thread of the command `root` and its descendants."""
    spent = {}
    for pid in family(root):
        part = part_of(pid, root)
        for thread in Path(f"/proc/{pid}/task").glob("*"):
            try:
                fields = (thread / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            spent[part, int(thread.name)] = (int(fields[11]) + int(fields[12])) * 1000 / TICKS_PER_S
    return spent


def by_part(threads: dict[ThreadKey, float]) -> dict[str, float]:
    """Sums over the threads of each role; in the worker, the engine's apart from the others."""
    worker = sorted((ms for (part, _), ms in threads.items() if part == "worker"), reverse=True)
    cores = available_cpus()
    sums: defaultdict[str, float] = defaultdict(float)
    sums[ENGINE], sums["worker"] = sum(worker[:cores]), sum(worker[cores:])
    for (part, _), ms in threads.items():
        if part != "worker":
            sums[part] += ms
    return dict(sums)


def family(root: int) -> list[int]:
    """`root` and all its living descendants."""
    parents = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            parents[int(folder.name)] = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue
    found = [root]
    for pid in found:
        found += [child for child, parent in parents.items() if parent == pid]
    return found


def part_of(pid: int, root: int) -> str:
    """The role of a process of the family."""
    if pid == root:
        return "run"
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return "ended"
    for part, module in asdict(STAGES).items():
        if module.encode() in words:
            return str(part)
    return "broker"


if __name__ == "__main__":
    main()
