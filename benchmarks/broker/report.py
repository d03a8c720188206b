"""The tables of `benchmarks.broker` in Markdown: the rates measured here, and those of a core that only serves."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from benchmarks.broker.capacity import CORE_SHARE, PollCosts, Step, core_fps, poll_load

COMMANDS_SHOWN = 10
EXAMPLE_FPS = 15.0


def table(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A Markdown table; all columns but the first are aligned to the right."""
    lines = [header, ["---", *["---:"] * (len(header) - 1)], *rows]
    return "\n".join("| " + " | ".join(str(cell) for cell in row) + " |" for row in lines)


def measured(steps: Sequence[Step]) -> str:
    """The rates that were reached with the simulated processes on the same machine."""
    header = [
        *("cameras", "fps each", "frames/s offered", "tracked", "MB/s in", "MB/s out", "poses ms p50 / p99"),
        *("tracks ms p50 / p99", "broker core", "simulation's cores", "memory MB", "verdict"),
    ]
    return table(header, map(_measured_row, steps))


def _measured_row(step: Step) -> list[object]:
    return [
        step.cameras,
        f"{step.fps:.3g}",
        f"{step.offered_fps:.0f}",
        f"{step.tracks / step.seconds:.0f}",
        f"{step.in_bytes / step.seconds / 1e6:.1f}",
        f"{step.out_bytes / step.seconds / 1e6:.1f}",
        f"{step.poses_age_ms[0]:.0f} / {step.poses_age_ms[1]:.0f}",
        f"{step.tracks_age_ms[0]:.0f} / {step.tracks_age_ms[1]:.0f}",
        f"{step.core_load:.2f}",
        f"{sum(step.generators_cpu_s.values()) / step.seconds:.2f}",
        f"{step.memory_bytes / 1e6:.0f}",
        ", ".join(step.faults()) or "carried",
    ]


def computed(steps: Sequence[Step]) -> str:
    """The rates that the same processor time for a frame allows if one core does nothing but serve."""
    header = [
        *("cameras", "frames/s", "broker us a frame", "kB in", "kB out"),
        *(f"frames/s at {CORE_SHARE:.0%}", "MB/s in and out", f"cameras at {EXAMPLE_FPS:.0f} fps"),
    ]
    rows = []
    for step in steps:
        in_kb, out_kb = step.in_bytes / step.tracks / 1e3, step.out_bytes / step.tracks / 1e3
        fps = core_fps(step.cpu_us_per_frame)
        rows.append(
            [
                *(step.cameras, f"{step.tracks / step.seconds:.0f}", f"{step.cpu_us_per_frame:.0f}"),
                *(f"{in_kb:.1f}", f"{out_kb:.1f}", f"{fps:.0f}", f"{fps * (in_kb + out_kb) / 1e3:.0f}"),
                f"{fps / EXAMPLE_FPS:.0f}",
            ]
        )
    return table(header, rows)


def commands(step: Step) -> str:
    """The commands that the broker executes for a frame; the microseconds of EXEC include those of its commands."""
    costly = sorted(step.commands.items(), key=lambda item: -item[1][1])[:COMMANDS_SHOWN]
    rows = [[name.upper(), f"{calls / step.tracks:.2f}", f"{usec / step.tracks:.1f}"] for name, (calls, usec) in costly]
    return table(["command", "calls a frame", "us a frame"], rows)


def generators(step: Step) -> str:
    """The processor time of the simulated processes for a frame."""
    rows = [[role, f"{cpu_s * 1e3 / step.tracks:.2f}"] for role, cpu_s in step.generators_cpu_s.items()]
    return table(["simulated", "core-ms a frame"], rows)


def polling_costs(costs: PollCosts) -> str:
    """The broker's cost of each kind of polling."""
    pairs = {
        "`Registry.cameras`, for each camera": costs.cameras,
        "`Registry.processes`, for each process": costs.processes,
        "XREADGROUP that finds nothing, for each stream": costs.empty_read,
        "reclaiming the frames of dead workers, for each camera": costs.look,
        "pending entries of earlier trackers, one camera": (costs.reclaim, 0.0),
        "`renew_all`, for each lease": costs.renew_all,
        "heartbeat": (costs.heartbeat, 0.0),
        "for comparison: a frame from XADD to tracks": (costs.frame, 0.0),
    }
    rows = [
        [name, f"{fixed:.0f}", f"{each:.2f}" if each else "-", f"{fixed + 1000 * each:.0f}" if each else "-"]
        for name, (fixed, each) in pairs.items()
    ]
    return table(["polling", "us", "+ us each", "us at 1000"], rows)


def polling_loads(costs: PollCosts, fleets: Sequence[tuple[int, int, int]]) -> str:
    """Shares of the broker's core that polling takes, for fleets of (cameras, workers, trackers)."""
    rows = []
    for fleet in fleets:
        load = poll_load(costs, *fleet)
        cells = [f"{share:.1%}" for share in load.values()]
        rows.append([*fleet, *cells, f"{sum(load.values()):.0%}"])
    return table(["cameras", "workers", "trackers", *poll_load(costs, 1, 1, 1), "together"], rows)
