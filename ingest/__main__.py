"""`python -m ingest --config FILE`: all cameras of the file, or one of them with `--camera NAME`."""

from __future__ import annotations

import argparse
from pathlib import Path

from posebus.config.settings import Settings
from posebus.runtime.stage_main import stage_main, stage_parser


def main() -> None:
    """Run ingest from the command line and exit."""
    parser = stage_parser("ingest", "Read the cameras of the configuration and publish their frames.")
    parser.add_argument("--camera", metavar="NAME", help="only this camera, in this process")
    parser.add_argument("--keep-pictures", type=Path, metavar="FILE", help="keep the camera's published pictures there")
    stage_main(parser, _run)


def _run(settings: Settings, arguments: argparse.Namespace) -> None:
    from ingest.process import run_ingest

    run_ingest(settings, arguments.camera, arguments.keep_pictures)


if __name__ == "__main__":
    main()
