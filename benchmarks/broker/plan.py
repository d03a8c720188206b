"""The capacity plan of docs/capacity.md: hosts, network and money, from measured costs and stated assumptions."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

from benchmarks.broker.capacity import CORE_SHARE, PollCosts, Step, core_fps, poll_load
from benchmarks.broker.report import computed, table
from benchmarks.broker.results import ServerRun

SCALES = (10_000, 100_000)
HOURS_A_MONTH = 730


@dataclass(frozen=True, slots=True)
class Assumptions:
    """The inputs of the plan that this benchmark does not measure; `--assume NAME=VALUE` changes any of them.

    Core-milliseconds are for one frame of 640x480: `fp32_core_ms` and `bf16_core_ms` for everything that a worker does,
    `gpu_core_ms` for the processor's share where a GPU computes `gpu_fps` frames a second.
    """

    fps: float = 15.0
    busy: float = 0.7
    fp32_core_ms: float = 98.0
    bf16_core_ms: float = 38.0
    gpu_fps: float = 700.0
    gpu_core_ms: float = 4.0
    tracking_core_ms: float = 0.6
    ingest_core_ms: float = 2.0
    people: float = 4.0
    worker_host_cores: float = 32.0
    broker_host_cores: float = 8.0
    broker_host_gbit_s: float = 25.0
    backlog_mb: float = 8.0
    tracks_entries: float = 5000.0
    core_hour_price: float = 0.04
    gpu_host_hour_price: float = 1.0

    @classmethod
    def changed(cls, pairs: Sequence[str]) -> Assumptions:
        """The defaults with changes from texts `NAME=VALUE`. Raises SystemExit."""
        known = {each.name for each in fields(cls)}
        values = {}
        for pair in pairs:
            name, _, value = pair.partition("=")
            try:
                values[name] = float(value)
            except ValueError:
                values[name] = 0.0
            if name not in known or values[name] <= 0:
                raise SystemExit(
                    f"--assume {pair}: expected NAME=NUMBER above 0, NAME one of {', '.join(sorted(known))}"
                )
        return replace(cls(), **values)


@dataclass(frozen=True, slots=True)
class WorkerHost:
    """A worker process as large as its host: frames a second at the load `busy`, and the host's price an hour."""

    name: str
    fps: float
    cores: float
    host_hour_price: float


@dataclass(frozen=True, slots=True)
class Cell:
    """One broker core with its cameras, workers and trackers: a deployment of its own."""

    cameras: int
    workers: int
    trackers: int
    frame_load: float
    poll_load: float


def worker_hosts(given: Assumptions) -> list[WorkerHost]:
    """The three kinds of hosts that are compared."""
    host_price = given.worker_host_cores * given.core_hour_price
    core_s = given.worker_host_cores * given.busy
    gpu_cores = math.ceil(given.gpu_fps * given.busy * given.gpu_core_ms / 1e3 / given.busy)
    return [
        WorkerHost("CPU fp32", core_s * 1e3 / given.fp32_core_ms, given.worker_host_cores, host_price),
        WorkerHost("CPU bf16", core_s * 1e3 / given.bf16_core_ms, given.worker_host_cores, host_price),
        WorkerHost("one GPU (assumed)", given.gpu_fps * given.busy, gpu_cores, given.gpu_host_hour_price),
    ]


def tracker_core_ms(step: Step, given: Assumptions) -> float:
    """Core-milliseconds a frame of a tracker: tracking, and what reading and committing cost the simulated trackers."""
    return given.tracking_core_ms + step.generators_cpu_s.get("tracker", 0.0) * 1e3 / step.tracks


def fleet(step: Step, costs: PollCosts, worker: WorkerHost, given: Assumptions, cameras: int) -> Cell:
    """The workers and trackers for `cameras`, and the load of the broker's core."""
    fps = cameras * given.fps
    workers = math.ceil(fps / worker.fps)
    trackers = math.ceil(fps * tracker_core_ms(step, given) / 1e3 / given.busy)
    polls = sum(poll_load(costs, cameras, workers, trackers).values())
    return Cell(cameras, workers, trackers, fps * step.cpu_us_per_frame / 1e6, polls)


def largest_cell(step: Step, costs: PollCosts, worker: WorkerHost, given: Assumptions) -> Cell:
    """The most cameras that fit into CORE_SHARE of one broker core, polling included; at least one."""
    cell = fleet(step, costs, worker, given, 1)
    while True:
        larger = fleet(step, costs, worker, given, cell.cameras + 1)
        if larger.frame_load + larger.poll_load > CORE_SHARE:
            return cell
        cell = larger


def plan(runs: Sequence[ServerRun], machine: dict[str, Any], given: Assumptions) -> str:
    """The whole plan in Markdown, computed from the last of the brokers that were measured.

    Raises SystemExit if no run has both a knee and the cost of polling.
    """
    usable = [run for run in runs if run.knee and run.costs]
    if not usable:
        raise SystemExit("these measurements have no rate that was carried, or lack the cost of polling")
    parts = [
        f"### {run.server}\n\n" + computed([step for step in [*run.ramp, *run.search] if not step.faults()])
        for run in usable
    ]
    run = usable[-1]
    step, costs = _knee(run), run.costs
    assert costs is not None
    parts.append(_inputs(run, step, machine, given))
    cells = {worker: largest_cell(step, costs, worker, given) for worker in worker_hosts(given)}
    parts.append("### One cell: a broker core with its cameras, workers and trackers\n\n" + _cells(step, given, cells))
    parts += [f"### {cameras:,} cameras\n\n" + _scale(step, given, cells, cameras) for cameras in SCALES]
    return "\n\n".join(parts)


def _knee(run: ServerRun) -> Step:
    assert run.knee is not None
    return run.knee


def _inputs(run: ServerRun, step: Step, machine: dict[str, Any], given: Assumptions) -> str:
    measured = [
        ["broker, us a frame", f"{step.cpu_us_per_frame:.0f}", f"measured: {run.server}, {machine['processor']}"],
        ["kB a frame into the broker", f"{step.in_bytes / step.tracks / 1e3:.1f}", "measured"],
        ["kB a frame out of the broker", f"{step.out_bytes / step.tracks / 1e3:.1f}", "measured"],
        [
            "tracker, core-ms a frame",
            f"{tracker_core_ms(step, given):.2f}",
            "measured for the bus + `tracking_core_ms`",
        ],
    ]
    assumed = [[f"`{each.name}`", f"{getattr(given, each.name):g}", "assumed"] for each in fields(given)]
    return "### Inputs\n\n" + table(["", "value", ""], [*measured, *assumed])


def _cells(step: Step, given: Assumptions, cells: dict[WorkerHost, Cell]) -> str:
    in_kb, out_kb = step.in_bytes / step.tracks / 1e3, step.out_bytes / step.tracks / 1e3
    rows: list[list[object]] = [
        ["worker host, frames/s = cores x 1000 / core-ms x busy", *(f"{worker.fps:.0f}" for worker in cells)],
        ["cameras N", *(cell.cameras for cell in cells.values())],
        ["frames/s = N x fps", *(f"{cell.cameras * given.fps:.0f}" for cell in cells.values())],
        ["worker hosts = frames/s / theirs", *(cell.workers for cell in cells.values())],
        ["tracker processes", *(cell.trackers for cell in cells.values())],
        ["broker core: frames", *(f"{cell.frame_load:.2f}" for cell in cells.values())],
        ["broker core: polling", *(f"{cell.poll_load:.2f}" for cell in cells.values())],
        ["Gbit/s in", *(f"{_gbit(cell, given, in_kb):.2f}" for cell in cells.values())],
        ["Gbit/s out", *(f"{_gbit(cell, given, out_kb):.2f}" for cell in cells.values())],
        ["memory GB, at worst", *(f"{_memory_gb(cell.cameras, given):.1f}" for cell in cells.values())],
    ]
    note = (
        f"N is the largest number with N x fps x {step.cpu_us_per_frame:.0f} us + polling <= {CORE_SHARE:.0%} of one "
        f"core; without polling it would be {core_fps(step.cpu_us_per_frame) / given.fps:.0f}. Memory at worst: "
        "N x (`backlog_mb` + `tracks_entries` x (300 + 620 x `people`) bytes)."
    )
    return note + "\n\n" + table(["", *(worker.name for worker in cells)], rows)


def _gbit(cell: Cell, given: Assumptions, kilobytes: float) -> float:
    return cell.cameras * given.fps * kilobytes * 8 / 1e6


def _memory_gb(cameras: int, given: Assumptions) -> float:
    return cameras * (given.backlog_mb * 1e6 + given.tracks_entries * (300 + 620 * given.people)) / 1e9


def _scale(step: Step, given: Assumptions, cells: dict[WorkerHost, Cell], cameras: int) -> str:
    columns = [_column(step, given, worker, cell, cameras) for worker, cell in cells.items()]
    names = list(columns[0])
    rows = [[name, *(column[name] for column in columns)] for name in names]
    return table(["", *(worker.name for worker in cells)], rows)


def _column(step: Step, given: Assumptions, worker: WorkerHost, cell: Cell, cameras: int) -> dict[str, str]:
    fps = cameras * given.fps
    cells = math.ceil(cameras / cell.cameras)
    both_gbit = _gbit(cell, given, (step.in_bytes + step.out_bytes) / step.tracks / 1e3)
    # Two cores of a broker's host are left to its network; a network card sends and receives at the same time.
    per_host = max(1, min(int(given.broker_host_cores) - 2, int(given.busy * given.broker_host_gbit_s / both_gbit * 2)))
    broker_hosts = math.ceil(cells / per_host)
    worker_hosts = math.ceil(fps / worker.fps)
    tracker_cores = math.ceil(fps * tracker_core_ms(step, given) / 1e3 / given.busy)
    ingest_cores = math.ceil(fps * given.ingest_core_ms / 1e3 / given.busy)
    price = {
        "workers, an hour = hosts x price of a host": worker_hosts * worker.host_hour_price,
        "trackers, an hour = cores x price of a core": tracker_cores * given.core_hour_price,
        "ingest, an hour = cores x price of a core": ingest_cores * given.core_hour_price,
        "brokers, an hour = hosts x cores x price of a core": (
            broker_hosts * given.broker_host_cores * given.core_hour_price
        ),
    }
    total = sum(price.values())
    return {
        "frames/s = cameras x fps": f"{fps:,.0f}",
        "cells = deployments = broker processes = cameras / N": f"{cells:,}",
        "brokers on a host = min(its cores - 2, what its network carries)": f"{per_host}",
        "broker hosts": f"{broker_hosts:,}",
        "Gbit/s of a broker host, in + out": f"{per_host * both_gbit:.1f}",
        "Gbit/s of all, in + out": f"{cells * both_gbit:,.0f}",
        "memory GB of all brokers, at worst": f"{_memory_gb(cameras, given):,.0f}",
        "worker hosts = frames/s / theirs": f"{worker_hosts:,}",
        "tracker cores = frames/s x core-ms / 1000 / busy": f"{tracker_cores:,}",
        "ingest cores = frames/s x core-ms / 1000 / busy": f"{ingest_cores:,}",
        **{name: f"{value:,.0f}" for name, value in price.items()},
        "together, an hour": f"{total:,.0f}",
        "a camera, a month of 730 hours": f"{total * HOURS_A_MONTH / cameras:.2f}",
    }
