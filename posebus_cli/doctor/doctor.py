"""`posebus doctor`: check the installation, the engine, the broker and the folders of this machine."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated

import typer

from posebus_cli.options.grouping import Offer, grouped
from posebus_cli.options.groups import ConfigFirst, JsonOption, NetworkOptions
from posebus_cli.options.settings import settings_from

if TYPE_CHECKING:
    from posebus.config.settings import Settings
    from posebus_cli.doctor.findings import Finding


@grouped
def doctor(
    deployment: ConfigFirst,
    network: Annotated[NetworkOptions, Offer(first=("model", "engine", "precision"), others=False)],
    as_json: JsonOption = False,
) -> None:
    """Check this machine: packages, plug-ins, inference engine, weights, broker, folders.

    Reports what is installed, which engine would be used and why, whether the broker answers and is new enough, and how
    to solve each problem. Exits with 1 if something that is needed is broken.
    """
    from posebus_cli.doctor.findings import BROKEN

    settings = settings_from(deployment, network)
    findings = _show_while_finding(_examine(settings)) if not as_json else list(_examine(settings))
    broken = [finding for finding in findings if finding.status == BROKEN]
    if as_json:
        answer = {"ok": not broken, "findings": [finding.as_dict() for finding in findings]}
        print(json.dumps(answer, indent=2))
    elif broken:
        typer.echo(f"\n{len(broken)} of {len(findings)} checks failed: {', '.join(f.name for f in broken)}.")
    else:
        typer.echo("\nNothing is broken. Try: posebus demo")
    if broken:
        raise typer.Exit(1)


def _examine(settings: Settings) -> Iterable[Finding]:
    """Run the checks, quick ones first: loading torch takes seconds."""
    from posebus.config.loading import cache_folder
    from posebus_cli.doctor import check_broker, check_inference, check_packages, check_plugins

    cache_dir = cache_folder(settings)
    yield check_packages.python()
    yield from check_packages.extras()
    yield check_packages.names()
    yield from check_plugins.plugins()
    yield check_broker.broker(settings.redis, settings.shards)
    yield check_inference.cache_folder(cache_dir)
    yield from check_inference.weights(settings.worker, cache_dir)
    yield from check_packages.libraries()
    yield check_inference.gpu()
    yield check_inference.decoding()
    yield check_inference.engine(settings.worker)
    yield check_inference.built_engine(settings.worker, cache_dir)
    yield from check_inference.keypoint_model(settings.worker)


def _show_while_finding(findings: Iterable[Finding]) -> list[Finding]:
    from rich.console import Console
    from rich.text import Text

    from posebus_cli.doctor.findings import MARKS

    console = Console(highlight=False)
    shown = []
    for finding in findings:
        mark, style = MARKS[finding.status]
        told = finding.as_dict()
        line = Text.assemble((f" {mark} ", style), (f"{finding.name:<16} ", "bold"), told["text"] or "")
        console.print(line, soft_wrap=True)
        if told["advice"]:
            console.print(Text.assemble(" " * 20, ("→ " + told["advice"], style)), soft_wrap=True)
        shown.append(finding)
    return shown
