"""`python -m wall --config FILE`: the live wall of a deployment."""

from __future__ import annotations

import argparse
import logging
from pathlib import Path

from posebus.config.settings import Settings
from posebus.reloading.followed import FollowedSettings
from posebus.runtime.python_child import python_command
from posebus.runtime.stage_main import stage_main, stage_parser


def main() -> None:
    """Run the wall from the command line and exit."""
    parser = stage_parser("wall", "Serve the live wall: cameras with skeletons in a browser.")
    parser.add_argument("--host", help="address to listen at instead of that of the settings")
    parser.add_argument("--port", type=int, help="port instead of that of the settings")
    parser.add_argument("--settings-file", type=Path, metavar="FILE", help="configuration file where changes are saved")
    parser.add_argument("--test-pictures", metavar="MODULE", help="module that takes test pictures of new cameras")
    stage_main(parser, _run)


def _run(settings: Settings, arguments: argparse.Namespace, followed: FollowedSettings | None) -> None:
    from wall.serving.process import ServingOptions, run_wall

    log = logging.getLogger("posebus.wall")
    module = arguments.test_pictures
    given = {name: getattr(arguments, name) for name in ("host", "port") if getattr(arguments, name) is not None}
    if followed is not None:
        followed.add({f"wall.{name}": value for name, value in given.items()})
        settings = followed.settings
    elif given:
        settings = settings.model_copy(update={"wall": settings.wall.model_copy(update=given)})
    run_wall(
        settings,
        followed,
        ServingOptions(
            # A file that a parent process replaces is not the one that people edit.
            settings_file=arguments.settings_file or (None if arguments.follow else arguments.config),
            test_picture_command=None if module is None else tuple(python_command("-m", module)),
            served=lambda lines, address: log.info("ready: %s", ". ".join(lines)),
        ),
    )


if __name__ == "__main__":
    main()
