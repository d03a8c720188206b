"""`python -m tracking --config FILE`: one tracker process."""

from __future__ import annotations

import argparse

from posebus.config.settings import Settings
from posebus.reloading.followed import FollowedSettings
from posebus.runtime.stage_main import stage_main, stage_parser


def main() -> None:
    """Run one tracker from the command line and exit."""
    stage_main(
        stage_parser("tracking", "Run one tracker: it links poses into identities for its share of the cameras."), _run
    )


def _run(settings: Settings, _: argparse.Namespace, followed: FollowedSettings | None) -> None:
    from tracking.process import run_tracker

    run_tracker(settings, followed)


if __name__ == "__main__":
    main()
