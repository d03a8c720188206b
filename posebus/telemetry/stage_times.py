"""How much time each step of the work takes, from the metrics in two reports of each process. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from posebus.telemetry.metric_windows import Distribution, Reading, merged, read_snapshot
from posebus.telemetry.process_report import ProcessReport

ONE_BY_ONE = 6
"""More processes of a role than this are shown together, so that the table stays short."""
STEPS = ("capture", "encode", "publish", "read", "decode", "queue", "infer", "people", "track", "commit")
"""In the order of a frame's journey."""


@dataclass(frozen=True, slots=True)
class Work:
    """The work of one process, or of several together, in the last seconds. A field is None where it was not reported.

    busy_share: part of the time in which the engine computed, 0 to 1. batch_frames: mean number of frames in a forward
    pass. age_ms: age of results when they were published (median, 99 %). steps_ms: duration by step (median, 95 %).
    skipped_per_s: frames a second by reason.
    """

    busy_share: float | None = None
    batch_frames: float | None = None
    age_ms: tuple[float, float] | None = None
    steps_ms: dict[str, tuple[float, float]] = field(default_factory=dict)
    skipped_per_s: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class WorkRow:
    """`work` of the `processes` of a role; `pid` where it is a single one."""

    role: str
    processes: int
    pid: int | None
    work: Work


@dataclass(frozen=True, slots=True)
class Window:
    """The metrics that one process counted between two reports; `elapsed_s` is 0 where they are the same report."""

    elapsed_s: float
    counted: Reading


def window(before: ProcessReport | None, now: ProcessReport) -> Window:
    """The window from the earlier to the later report of a process, by the broker's clock."""
    if before is None:
        return Window(0.0, Reading())
    elapsed_s = (now.at_ns - before.at_ns) / 1e9
    counted = read_snapshot(now.metrics).since(read_snapshot(before.metrics))
    return Window(max(0.0, elapsed_s), counted)


def work(windows: Sequence[Window]) -> Work:
    """The work in the windows of one or several processes: means of shares, quantiles over all observations."""
    moved = [one for one in windows if one.elapsed_s > 0]
    busy = [
        min(1.0, one.counted.number("posebus_engine_busy_seconds_total") / one.elapsed_s)
        for one in moved
        if "posebus_engine_busy_seconds_total" in one.counted.numbers
    ]
    batch_frames = merged(one.counted.distribution("posebus_batch_frames") for one in moved).mean()
    found = _by_label(moved, "posebus_stage_seconds")
    known = {step: index for index, step in enumerate(STEPS)}
    steps = {step: _ms(found[step], 0.95) for step in sorted(found, key=lambda step: known.get(step, len(known)))}
    skipped: dict[str, float] = {}
    for one in moved:
        for (reason,), number in one.counted.numbers.get("posebus_frames_skipped_total", {}).items():
            skipped[reason] = skipped.get(reason, 0.0) + number / one.elapsed_s
    return Work(
        busy_share=round(sum(busy) / len(busy), 3) if busy else None,
        batch_frames=None if batch_frames is None else round(batch_frames, 2),
        age_ms=_ms(merged(_by_label(moved, "posebus_age_at_publish_seconds").values()), 0.99),
        steps_ms={step: pair for step, pair in steps.items() if pair is not None},
        skipped_per_s={reason: round(rate, 2) for reason, rate in skipped.items() if rate},
    )


def work_rows(roles: dict[str, list[tuple[int, Window]]]) -> list[WorkRow]:
    """One row for each process, or one for all processes of a role with many. `roles`: (pid, window) by role."""
    rows = []
    for role, members in roles.items():
        if len(members) > ONE_BY_ONE:
            rows.append(WorkRow(role, len(members), None, work([one for _, one in members])))
        else:
            rows += [WorkRow(role, 1, pid, work([one])) for pid, one in members]
    return rows


def _by_label(windows: Sequence[Window], name: str) -> dict[str, Distribution]:
    labels = {label for one in windows for (label,) in one.counted.distributions.get(name, {})}
    return {label: merged(one.counted.distribution(name, label) for one in windows) for label in labels}


def _ms(found: Distribution, high: float) -> tuple[float, float] | None:
    """Median and `high` quantile of seconds, in milliseconds."""
    median, most = found.quantile(0.5), found.quantile(high)
    return None if median is None or most is None else (round(median * 1000, 3), round(most * 1000, 3))
