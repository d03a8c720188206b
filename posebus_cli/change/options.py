"""The options of the commands that change a deployment."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

WAIT_S = 10.0

ConfigOption = Annotated[
    Path | None,
    typer.Option(
        "--config",
        "-c",
        metavar="FILE",
        help="Configuration file. (default: that of the deployment that runs on this machine)",
    ),
]


@dataclass(frozen=True, slots=True)
class ChangeOptions:
    """Where a change is written, and how long the command waits for it."""

    config: ConfigOption = None
    save: Annotated[
        bool,
        typer.Option(
            "--save/--no-save",
            help="Write the change into the file; without, it ends with the running deployment.",
        ),
    ] = True
    wait: Annotated[
        bool, typer.Option("--wait/--no-wait", help="Wait until the running deployment has made the change.")
    ] = True
    timeout: Annotated[
        float, typer.Option("--timeout", metavar="SECONDS", min=0.1, max=3600.0, help="Wait for at most so long.")
    ] = WAIT_S
