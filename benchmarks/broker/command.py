"""The load that one Redis carries: simulated cameras, workers and trackers on a real server, until ages grow.

    python -m benchmarks.broker --clip ../shared/data/TUD-Stadtmitte.mp4 --redis-server --json broker.json
    python -m benchmarks.broker --plan broker.json

Simulated cameras publish recorded pictures as live cameras do. Simulated workers and trackers use the real classes of
`posebus.bus` but compute no inference and no tracks. The first steps are a ramp of more and more cameras, each at
`--fps` or, where all together would exceed `--most-fps`, at less. Then `--knee-cameras` cameras publish at growing
rates until the p99 of ages (from the time that a picture is due to the commit of its tracks, by the broker's clock)
exceeds 500 ms, frames are skipped or the backlog grows.

The load runs on the same machine as the broker. The report therefore separates the rates that were reached here from
the rates that a core could reach that only serves, which follow from the broker's own processor time for a frame.
`--plan` prints the tables of docs/capacity.md.
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
from benchmarks.broker.results import ServerRun, read, write
from benchmarks.broker.script import Script, record
from benchmarks.broker.servers import servers
from benchmarks.broker.step import Setting, run_step
from benchmarks.common.options import size_px
from benchmarks.common.paths import DATA

CLIP = DATA / "TUD-Stadtmitte.mp4"
FLEETS = ((100, 8, 2), (300, 24, 4), (1000, 80, 12))
"""(cameras, workers, trackers) for which the load of polling is shown."""


def measure(run: ServerRun, setting: Setting, script: Script, options: argparse.Namespace) -> None:
    """Fill `run` step by step, so that Ctrl-C keeps the steps measured so far."""
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
    done.append(step)  # before the progress line, after which Ctrl-C may come at any moment
    print(
        f"{setting.server}: {cameras} cameras at {fps:.3g} fps: {step.tracks / step.seconds:.0f} frames/s, "
        f"p99 {step.tracks_age_ms[1]:.0f} ms, broker {step.cpu_us_per_frame:.0f} us a frame, "
        f"{', '.join(step.faults()) or 'carried'}",
        file=sys.stderr,
        flush=True,
    )
    return step


def show(run: ServerRun) -> None:
    """Print the tables of one server as Markdown."""
    print(f"\n## {run.server}\n\nMeasured here, with the simulated processes on the same cores:\n")
    print(report.measured(run.ramp))
    if run.search:
        print("\nSearch for the knee:\n\n" + report.measured(run.search))
    print("\nComputed for one core that only serves:\n")
    print(report.computed([step for step in [*run.ramp, *run.search] if not step.faults()]))
    shown = run.knee or (run.ramp[-1] if run.ramp else None)
    if shown and shown.tracks:
        print(f"\nAt {shown.cameras} cameras and {shown.offered_fps:.0f} frames/s:\n\n{report.commands(shown)}\n")
        print(report.generators(shown))
    if run.costs:
        print("\nThe broker's cost of polling:\n\n" + report.polling_costs(run.costs))
        print("\nShare of the broker's core that polling takes:\n\n" + report.polling_loads(run.costs, FLEETS))


def machine_of(script: Script) -> dict[str, Any]:
    """The machine and the pictures of the measurements, for the JSON file."""
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


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    """Parse the options of the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("--embedded", action="append_const", const="embedded", dest="brokers", help="the embedded Valkey (the default)")
    add("--redis-server", action="append_const", const="redis-server", dest="brokers", help="Debian's redis-server")
    add("--redis", action="append", dest="brokers", metavar="URL", help="a running broker without cameras")
    add(
        "--server-option",
        action="append",
        default=[],
        metavar="TEXT",
        help='option of redis-server, such as "--appendonly yes"',
    )
    add("--servers", type=int, default=1, help="number of servers, which share the cameras")
    add("--shards", type=int, default=1, help="shards on each server, served by its one command thread")
    add("--clip", type=Path, default=CLIP, help="video whose pictures are published")
    add("--size", type=size_px, metavar="WxH", help="resize the pictures to this size, such as 1280x720")
    add("--cameras", type=int, nargs="+", default=[10, 30, 100, 300, 1000], help="numbers of cameras in the ramp")
    add("--fps", type=float, default=15.0, help="frames a second of each camera")
    add("--most-fps", type=float, default=300.0, help="maximum of all cameras of the ramp together")
    add("--knee-cameras", type=int, default=100, help="cameras in the search for the knee")
    add("--no-knee", action="store_false", dest="knee", help="measure the ramp only")
    add("--no-costs", action="store_false", dest="costs", help="do not measure the cost of polling")
    add("--seconds", type=float, default=6.0, help="length of each measurement")
    add("--warm-up", type=float, default=2.0, help="seconds before each measurement")
    add("--writers", type=int, default=1, help="processes that simulate the cameras of each server")
    add("--workers", type=int, default=1, help="simulated workers of each server")
    add("--trackers", type=int, default=1, help="simulated trackers of each server")
    add("--slots", type=int, default=64, help="frames that each worker has in flight; with OpenVINO, twice its cores")
    add("--inference-ms", type=float, default=50.0, help="time that a worker takes for each frame")
    add("--json", type=Path, metavar="FILE", help="write the measurements to this file")
    add("--plan", type=Path, metavar="FILE", help="print the capacity plan of such a file and measure nothing")
    add("--assume", action="append", default=[], metavar="NAME=VALUE", help="change an assumption of the plan")
    return parser.parse_args(arguments)


def main(arguments: list[str] | None = None) -> int:
    """Measure and print Markdown, or print the plan; returns 130 after Ctrl-C, with the measurements made until
    then."""
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
                    server=name,
                    urls=urls,
                    shards=options.shards,
                    writers=options.writers,
                    workers=options.workers,
                    trackers=options.trackers,
                    slots=options.slots,
                    inference_s=options.inference_ms / 1e3,
                    warm_up_s=options.warm_up,
                    seconds=options.seconds,
                )
                runs.append(ServerRun(name))
                measure(runs[-1], setting, script, options)
    except KeyboardInterrupt:
        print("stopped; the report covers what was measured until now", file=sys.stderr)
        code = 130
    print(f"{_processor()}, {os.cpu_count()} cores; JPEGs of {script.jpeg_bytes / 1e3:.1f} kB")
    for run in runs:
        show(run)
    if options.json:
        write(options.json, runs, machine_of(script))
    return code
