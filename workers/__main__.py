"""`python -m workers --config FILE`: one worker process."""

from __future__ import annotations

import argparse

from posebus.config.settings import Settings
from posebus.reloading.followed import FollowedSettings
from posebus.runtime.stage_main import stage_main, stage_parser


def main() -> None:
    """Run one worker from the command line and exit."""
    stage_main(
        stage_parser("workers", "Run one worker: detection and keypoints for any camera of the deployment."), _run
    )


def _run(settings: Settings, _: argparse.Namespace, followed: FollowedSettings | None) -> None:
    from workers.process import run_worker

    run_worker(settings, followed)


if __name__ == "__main__":
    main()
