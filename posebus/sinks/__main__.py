"""`python -m posebus.sinks --config FILE --name NAME`: one process that runs a sink."""

from __future__ import annotations

import argparse

from posebus.config.settings import Settings
from posebus.reloading.followed import FollowedSettings
from posebus.runtime.stage_main import stage_main, stage_parser


def main() -> None:
    """Run one sink from the command line and exit."""
    parser = stage_parser("posebus.sinks", "Run one sink: it gets the tracks and events of a deployment.")
    parser.add_argument("--name", required=True, help="name under 'sinks:' in the file, or of a sink")
    stage_main(parser, _run)


def _run(settings: Settings, arguments: argparse.Namespace, followed: FollowedSettings | None) -> None:
    from posebus.sinks.process import run_sink

    run_sink(settings, arguments.name)


if __name__ == "__main__":
    main()
