"""`python -m evidence --config FILE`: one process that makes the snapshots of all events."""

from __future__ import annotations

import argparse

from posebus.config.settings import Settings
from posebus.reloading.followed import FollowedSettings
from posebus.runtime.stage_main import stage_main, stage_parser


def main() -> None:
    """Run the evidence process from the command line and exit."""
    stage_main(stage_parser("evidence", "Make snapshots of events, with skeletons drawn and heads blurred."), _run)


def _run(settings: Settings, arguments: argparse.Namespace, followed: FollowedSettings | None) -> None:
    from evidence.process import run_evidence

    run_evidence(settings)


if __name__ == "__main__":
    main()
