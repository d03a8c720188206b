"""`python -m wall --config FILE`: the live wall of a deployment."""

from __future__ import annotations

import argparse

from posebus.config.settings import Settings
from posebus.reloading.followed import FollowedSettings
from posebus.runtime.stage_main import stage_main, stage_parser


def main() -> None:
    """Run the wall from the command line and exit."""
    parser = stage_parser("wall", "Serve the live wall: cameras with skeletons in a browser.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8088)
    stage_main(parser, _run)


def _run(settings: Settings, arguments: argparse.Namespace, followed: FollowedSettings | None) -> None:
    from wall.context import WallContext
    from wall.serving import serve

    serve(WallContext(settings), arguments.host, arguments.port)


if __name__ == "__main__":
    main()
