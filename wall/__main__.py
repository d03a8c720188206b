"""`python -m wall --config FILE`: the live wall of a deployment."""

from __future__ import annotations

import argparse
import logging
from pathlib import Path

from posebus.config.settings import Settings
from posebus.reloading.followed import FollowedSettings
from posebus.runtime.stage_main import stage_main, stage_parser


def main() -> None:
    """Run the wall from the command line and exit."""
    parser = stage_parser("wall", "Serve the live wall: cameras with skeletons in a browser.")
    parser.add_argument("--host", help="address to listen at instead of that of the settings")
    parser.add_argument("--port", type=int, help="port instead of that of the settings")
    parser.add_argument("--settings-file", type=Path, metavar="FILE", help="configuration file where changes are saved")
    stage_main(parser, _run)


def _run(settings: Settings, arguments: argparse.Namespace, followed: FollowedSettings | None) -> None:
    from wall.context import WallContext
    from wall.serving.process import run_wall

    log = logging.getLogger("posebus.wall")
    given = {name: getattr(arguments, name) for name in ("host", "port") if getattr(arguments, name) is not None}
    if followed is not None:
        followed.add({f"wall.{name}": value for name, value in given.items()})
        settings = followed.settings
    elif given:
        settings = settings.model_copy(update={"wall": settings.wall.model_copy(update=given)})
    # A file that a parent process replaces is not the one that people edit.
    context = WallContext(settings, arguments.settings_file or (None if arguments.follow else arguments.config))
    run_wall(context, followed, lambda lines, address: log.info("%s", "; ".join(lines)))


if __name__ == "__main__":
    main()
