"""`posebus health`: whether the processes of one role on this machine work, for containers and supervisors.

`posebus health ROLE` itself does not come through here: `posebus_cli.main` answers it without the packages of the
command line, whose import takes twenty times as long as the check.
"""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from posebus.runtime.health import run_check


def health(
    role: Annotated[
        Literal["ingest", "worker", "tracker", "evidence", "sink", "metrics", "wall"],
        typer.Argument(help="Role of the processes.", metavar="ROLE"),
    ],
) -> None:
    """Exit with 0 if this machine's processes of ROLE are healthy, else with 1.

    ROLE is ingest, worker, tracker, evidence (snapshots of events), sink ('posebus deliver') or metrics.

    A process is healthy once it is ready (the engine warmed up, the tracker compiled), as long as its loop turns and
    the broker takes its reports. It takes some milliseconds and asks no broker.
    """
    raise typer.Exit(run_check(role))
