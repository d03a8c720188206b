"""The report of `posebus engines build` about a built 8-bit engine, as a table and as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from workers.int8.engine_build import BuildResult


def as_dict(outcome: BuildResult) -> dict[str, Any]:
    """Return the outcome as plain data, for `--json`."""
    return {
        "installed": outcome.built is not None,
        "refusal": list(outcome.refusal),
        "report": outcome.report.as_dict(),
        "fp32_ms": round(outcome.reference_ms, 2),
        "int8_ms": round(outcome.ms, 2),
        "graph": None if outcome.built is None else str(outcome.built.graph),
    }


def print_outcome(outcome: BuildResult) -> None:
    """Print the report as a table, and whether the engine was installed."""
    from rich.console import Console
    from rich.table import Table

    from posebus.runtime.failures import complain
    from posebus.wording import counted

    report = outcome.report
    table = Table("people", "found by fp32", "recall", "extra", "joint error: mean", "95th percentile", box=None)
    for name, group in (("all", report.all), ("small", report.small), ("large", report.large)):
        errors = ("-" if value is None else f"{100 * value:.1f} %" for value in (group.mean_error, group.p95_error))
        recall = f"{group.recall:.3f}" if group.people else "-"
        table.add_row(name, str(group.people), recall, str(group.extra), *errors)
    console = Console(highlight=False)
    console.print(
        f"int8 compared with fp32 on {counted(report.frames, 'frame')} held back (joint errors relative to body size)"
    )
    console.print(table)
    if report.ap is not None:
        console.print(f"AP {report.ap:.3f}, fp32 {report.reference_ap:.3f}")
    console.print(f"int8 {outcome.ms:.1f} ms per frame, fp32 {outcome.reference_ms:.1f} ms, on this machine")
    if outcome.built is None:
        complain(
            f"the engine was refused: {'; '.join(outcome.refusal)}. Calibrate with more and more varied recordings"
        )
    else:
        console.print("The engine is installed; workers use it with --precision int8 (worker.precision: int8)")
