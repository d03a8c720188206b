"""`posebus rules`: trying rules on recordings, and making them on a picture."""

from __future__ import annotations

import typer

from posebus_cli.rules.draw import draw
from posebus_cli.rules.try_out import try_out

rules_app = typer.Typer(no_args_is_help=True, help="Try rules on a recording, and make them on a picture.")
rules_app.command("test")(try_out)
rules_app.command("draw")(draw)
