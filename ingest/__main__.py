"""`python -m ingest --config FILE`: all cameras of the file, or one of them with `--camera NAME`."""

from __future__ import annotations

import argparse
import sys

from posebus.config.settings import Settings
from posebus.machine.spare_process import wait_for_arguments
from posebus.reloading.followed import FollowedSettings
from posebus.runtime.processes import SPARE
from posebus.runtime.stage_main import stage_main, stage_parser


def main() -> None:
    """Run ingest from the command line and exit; as a spare process, once its arguments are known."""
    if sys.argv[1:] == SPARE:
        import ingest.process  # noqa: F401 - what takes the time

        sys.argv[1:] = wait_for_arguments()
    parser = stage_parser("ingest", "Read the cameras of the configuration and publish their frames.")
    parser.add_argument("--camera", metavar="NAME", help="only this camera, in this process")
    parser.add_argument("--supervised", action="store_true", help="at the end, find the reason in FILE")
    parser.add_argument("--must-exist", action="store_true", help="give the camera up if its file is missing")
    parser.add_argument("--remove", action="store_true", help="end the camera, which is no longer in FILE")
    stage_main(parser, _run)


def _run(settings: Settings, arguments: argparse.Namespace, followed: FollowedSettings | None) -> None:
    if arguments.remove:
        from ingest.removal import run_removal

        run_removal(settings, arguments.camera)
        return
    from ingest.process import run_ingest

    config = arguments.config if arguments.supervised else None
    run_ingest(settings, arguments.camera, followed, config, must_exist=arguments.must_exist)


if __name__ == "__main__":
    main()
