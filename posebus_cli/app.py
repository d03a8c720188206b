"""The table of commands, in the order in which a newcomer meets them."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from typer.main import get_command

from posebus_cli.analyse.demo import demo
from posebus_cli.analyse.draw import draw
from posebus_cli.analyse.image import image
from posebus_cli.analyse.jobs import jobs_app
from posebus_cli.analyse.run import run
from posebus_cli.analyse.snapshot import snapshot
from posebus_cli.analyse.submit import submit
from posebus_cli.change.camera import camera_app
from posebus_cli.change.scale import scale
from posebus_cli.deliver.command import deliver
from posebus_cli.doctor.doctor import doctor
from posebus_cli.observe.dead import dead_app
from posebus_cli.observe.evidence import evidence
from posebus_cli.observe.explain import explain
from posebus_cli.observe.health import health
from posebus_cli.observe.metrics import metrics
from posebus_cli.observe.top import top
from posebus_cli.observe.watch import watch
from posebus_cli.operate.config_command import config_app
from posebus_cli.operate.engines import engines_app
from posebus_cli.operate.forget import forget
from posebus_cli.operate.stages import ingest, track, work
from posebus_cli.operate.up import up
from posebus_cli.options.plain_help import with_plain_help
from posebus_cli.rules.app import rules_app
from posebus_cli.wall.command import wall

TRY = "Try it"
RUN = "Run cameras"
OBSERVE = "Observe and check"
JOBS = "Recordings as jobs for a queue"

app = typer.Typer(
    name="posebus",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Start with 'posebus demo'. Every command has its own help: 'posebus run --help'.",
)


def _print_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        print(f"posebus {version('posebus')}")
        raise typer.Exit


@app.callback()
def posebus(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Turn many cameras into live streams of human poses with stable identities."""


app.command("demo", rich_help_panel=TRY)(demo)
app.command("image", rich_help_panel=TRY)(image)
app.command("run", rich_help_panel=TRY)(run)
app.command("snapshot", rich_help_panel=TRY)(snapshot)
app.command("draw", rich_help_panel=TRY)(draw)
app.add_typer(rules_app, name="rules", rich_help_panel=TRY)
app.command("up", rich_help_panel=RUN)(up)
app.command("ingest", rich_help_panel=RUN)(ingest)
app.command("work", rich_help_panel=RUN)(work)
app.command("track", rich_help_panel=RUN)(track)
app.add_typer(camera_app, name="camera", rich_help_panel=RUN)
app.command("scale", rich_help_panel=RUN)(scale)
app.command("deliver", rich_help_panel=RUN)(deliver)
app.add_typer(engines_app, name="engines", rich_help_panel=RUN)
app.command("forget", rich_help_panel=RUN)(forget)
app.command("submit", rich_help_panel=JOBS)(submit)
app.add_typer(jobs_app, name="jobs", rich_help_panel=JOBS)
app.command("watch", rich_help_panel=OBSERVE)(watch)
app.command("wall", rich_help_panel=OBSERVE)(wall)
app.command("top", rich_help_panel=OBSERVE)(top)
app.command("explain", rich_help_panel=OBSERVE)(explain)
app.command("evidence", rich_help_panel=OBSERVE)(evidence)
app.add_typer(dead_app, name="dead", rich_help_panel=OBSERVE)
app.command("metrics", rich_help_panel=OBSERVE)(metrics)
app.command("health", rich_help_panel=OBSERVE)(health)
app.command("doctor", rich_help_panel=OBSERVE)(doctor)
app.add_typer(config_app, name="config", rich_help_panel=OBSERVE)


def command() -> Any:
    """Return the command line, whose help is free of Python's types."""
    return with_plain_help(get_command(app))


def run_app() -> None:
    """Run the command line of this process; ends with SystemExit, or raises an error of posebus.

    Errors of usage quote arguments, among which may be an address in the wrong place: they are shown without secrets.
    """
    from typer.rich_utils import rich_format_error

    from posebus.config.redaction import harmless

    try:
        result = command().main(standalone_mode=False)
    except typer.Abort:
        raise SystemExit(1) from None
    except Exception as error:
        # typer has no public name for the class of all errors of usage.
        usage: Any = error
        if not hasattr(usage, "format_message"):
            raise
        text = harmless(usage.format_message())
        usage.format_message = lambda: text
        rich_format_error(usage)
        raise SystemExit(usage.exit_code) from None
    raise SystemExit(result if isinstance(result, int) else 0)
