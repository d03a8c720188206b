"""`python -m posebus_cli.wall.process --config FILE`: the wall as a child of `posebus up`."""

from __future__ import annotations

import argparse
import logging
from pathlib import Path
from typing import TYPE_CHECKING

from posebus.runtime.stage_main import stage_main, stage_parser
from posebus_cli.wall.serving import serve_wall

if TYPE_CHECKING:
    from posebus.config.settings import Settings
    from posebus.reloading.followed import FollowedSettings


def main() -> None:
    """Run the wall from the command line and exit."""
    parser = stage_parser("wall", "Serve the live wall: cameras with skeletons in a browser.")
    parser.add_argument("--settings-file", type=Path, metavar="FILE", help="configuration file where changes are saved")
    stage_main(parser, _run)


def _run(settings: Settings, arguments: argparse.Namespace, followed: FollowedSettings | None) -> None:
    log = logging.getLogger("posebus.wall")
    serve_wall(settings, followed, arguments.settings_file, lambda lines, address: log.info("%s", "; ".join(lines)))


if __name__ == "__main__":
    main()
