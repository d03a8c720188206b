"""What one Redis carries: simulated cameras, workers and trackers against a real server, until age grows.

    python -m benchmarks.broker --clip ../shared/data/TUD-Stadtmitte.mp4 --redis-server --json broker.json
    python -m benchmarks.broker --plan broker.json

Cameras publish recorded pictures live, without a network; workers and trackers are the real classes of `posebus.bus`
without inference and tracking between them. First a ramp of cameras, each at `--fps` or, where all together would
exceed `--most-fps`, at less; then `--knee-cameras` cameras at rates that grow until the p99 of age (picture due to
tracks committed, by the broker's clock) passes 500 ms, frames are skipped or the backlog grows.

The load runs on the same machine. So two things are told apart: what was reached here, and what the broker's own
processor time for a frame lets one core do that only serves. `--plan` prints the arithmetic of docs/capacity.md.
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
from pathlib import Path
from typing import Any

from benchmarks.broker import report
from benchmarks.broker.capacity import Step, find_knee
from benchmarks.broker.costs import measure_costs
from benchmarks.broker.plan import Assumptions, plan
from benchmarks.broker.results import Run, read, write
from benchmarks.broker.script import Script, record
from benchmarks.broker.servers import servers
from benchmarks.broker.step import Setting, run_step

CLIP = Path("../shared/data/TUD-Stadtmitte.mp4")
FLEETS = ((100, 8, 2), (300, 24, 4), (1000, 80, 12))
"""Cameras, workers and trackers for which the price of questions is shown."""


def measure(run: Run, setting: Setting, script: Script, options: argparse.Namespace) -> None:
    """Fill `run` step by step, so that Ctrl-C leaves what there is."""
    for cameras in options.cameras:
        fps = min(options.fps, options.most_fps / cameras)
        _step(setting, script, cameras, fps, run.ramp)
    if options.costs:
        run.costs = measure_costs(setting.urls[0], script)

    def good(rate: float) -> bool:
        step = _step(setting, script, options.knee_cameras, rate / options.knee_cameras, run.search)
        return not step.faults()

    if options.knee:
        find_knee(good, options.most_fps)


def _step(setting: Setting, script: Script, cameras: int, fps: float, done: list[Step]) -> Step:
    step = run_step(setting, script, cameras, fps)
    done.append(step)  # before it is told of: after that, Ctrl-C may come at any moment
    print(
        f"{setting.server}: {cameras} cameras at {fps:.3g} fps: {step.tracks / step.seconds:.0f} frames/s, "
        f"p99 {step.tracks_age_ms[1]:.0f} ms, broker {step.cpu_us_per_frame:.0f} us a frame, "
        f"{', '.join(step.faults()) or 'carried'}",
        file=sys.stderr,
        flush=True,
    )
    return step


def show(run: Run) -> None:
    """Everything of one server as Markdown."""
    print(f"\n## {run.server}\n\nMeasured here, with the load's processes on the same cores:\n")
    print(report.measured(run.ramp))
    if run.search:
        print("\nIn search of the knee:\n\n" + report.measured(run.search))
    print("\nComputed, one core that only serves:\n")
    print(report.computed([step for step in [*run.ramp, *run.search] if not step.faults()]))
    shown = run.knee or (run.ramp[-1] if run.ramp else None)
    if shown and shown.tracks:
        print(f"\nAt {shown.cameras} cameras and {shown.offered_fps:.0f} frames/s:\n\n{report.commands(shown)}\n")
        print(report.generators(shown))
    if run.costs:
        print("\nWhat questions cost the broker:\n\n" + report.questions(run.costs))
        print("\nShare of the broker's core that they take:\n\n" + report.polling(run.costs, FLEETS))


def machine_of(script: Script) -> dict[str, Any]:
    """Where and with what it was measured."""
    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "size_px": script.size_px,
        "jpeg_bytes": round(script.jpeg_bytes),
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())


def size(text: str) -> tuple[int, int]:
    """`640x480` as (640, 480)."""
    width, _, height = text.partition("x")
    return int(width), int(height)


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    """The options of the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("--embedded", action="append_const", const="embedded", dest="brokers", help="the embedded Valkey (the default)")
    add("--redis-server", action="append_const", const="redis-server", dest="brokers", help="Debian's redis-server")
    add("--redis", action="append", dest="brokers", metavar="URL", help="a broker that runs and carries no cameras")
    add("--server-option", action="append", default=[], metavar="TEXT", help='such as "--appendonly yes"')
    add("--servers", type=int, default=1, help="servers, each a process of its own with its share of the cameras")
    add("--shards", type=int, default=1, help="shards on each server; they share its one command thread")
    add("--clip", type=Path, default=CLIP)
    add("--size", type=size, help="resize the pictures, as in 1280x720")
    add("--cameras", type=int, nargs="+", default=[10, 30, 100, 300, 1000])
    add("--fps", type=float, default=15.0, help="pictures a second of each camera")
    add("--most-fps", type=float, default=300.0, help="pictures a second of all cameras in the ramp, at most")
    add("--knee-cameras", type=int, default=100)
    add("--no-knee", action="store_false", dest="knee", help="the ramp alone")
    add("--no-costs", action="store_false", dest="costs", help="do not measure what questions cost")
    add("--seconds", type=float, default=6.0, help="measured in each step")
    add("--warm-up", type=float, default=2.0, help="seconds before that")
    add("--writers", type=int, default=1, help="processes that stand for the cameras of a server")
    add("--workers", type=int, default=1)
    add("--trackers", type=int, default=1)
    add("--slots", type=int, default=64, help="frames that a worker holds at once: twice its cores with OpenVINO")
    add("--inference-ms", type=float, default=50.0, help="how long it holds each")
    add("--json", type=Path, metavar="FILE", help="write the measurements")
    add("--plan", type=Path, metavar="FILE", help="measure nothing: print the capacity plan of such a file")
    add("--assume", action="append", default=[], metavar="NAME=VALUE", help="change an assumption of the plan")
    return parser.parse_args(arguments)


def main(arguments: list[str] | None = None) -> int:
    """Measure and print Markdown, or print the plan; 130 after Ctrl-C, with what there was by then."""
    options = parse(arguments)
    if options.plan:
        runs, machine = read(options.plan)
        print(plan(runs, machine, Assumptions.changed(options.assume)))
        return 0
    script = record(options.clip, options.size)
    runs = []
    code = 0
    try:
        for kind in options.brokers or ["embedded"]:
            with servers(kind, options.servers, " ".join(options.server_option).split()) as (name, urls):
                setting = Setting(
                    name, urls, options.shards, options.writers, options.workers, options.trackers, options.slots,
                    options.inference_ms / 1e3, options.warm_up, options.seconds,
                )  # fmt: skip
                runs.append(Run(name))
                measure(runs[-1], setting, script, options)
    except KeyboardInterrupt:
        print("stopped; this is what there is", file=sys.stderr)
        code = 130
    print(f"{_processor()}, {os.cpu_count()} cores; JPEGs of {script.jpeg_bytes / 1e3:.1f} kB")
    for run in runs:
        show(run)
    if options.json:
        write(options.json, runs, machine_of(script))
    return code
