"""How the process of a stage starts: its command line, settings, log and stack traces, and how it ends.

`python -m workers --config FILE` and `posebus work -c FILE` both come through `run_stage_process`. Nothing here needs
more than the extra `stage`.
"""

from __future__ import annotations

import argparse
import logging
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

from posebus.config.loading import CACHE_DIR_ENV, cache_folder
from posebus.config.redaction import redact_text, redact_url
from posebus.config.settings import EMBEDDED, Settings
from posebus.errors import ConfigError, RetryableError
from posebus.logs.set_up import set_up_logging
from posebus.machine.stack_traces import enable_stack_traces
from posebus.plain_text import plain
from posebus.reloading.followed import FollowedSettings
from posebus.reloading.hangup import on_hangup
from posebus.runtime.failures import complain, run_and_report
from posebus.runtime.processes import EXIT_AGAIN
from posebus.runtime.stage import PARENT_ENV

log = logging.getLogger("posebus")


ROLES = {
    "work": "worker",
    "workers": "worker",
    "track": "tracker",
    "tracking": "tracker",
    "ingest": "ingest",
    "evidence": "evidence",
    "wall": "wall",
}
"""The role of a stage in its log, by the last word of how it was started."""


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        # It quotes arguments, among which may be an address in the wrong place.
        super().error(plain(redact_text(message)))


def stage_parser(module: str, description: str) -> argparse.ArgumentParser:
    """The options that every stage has; a stage may add its own."""
    parser = _Parser(prog=f"python -m {module}", description=description)
    parser.add_argument("--config", "-c", type=Path, metavar="FILE", help="configuration file")
    parser.add_argument("--redis", metavar="URL", help="broker, like redis://localhost:6379")
    parser.add_argument("--follow", action="store_true", help="apply changes of the configuration file")
    return parser


RunStage = Callable[[Settings, FollowedSettings | None], None]
"""Runs a stage by these settings, which change while it runs if they are followed."""


def stage_main(
    parser: argparse.ArgumentParser, run: Callable[[Settings, argparse.Namespace, FollowedSettings | None], None]
) -> NoReturn:
    """Run a stage from the command line of this process and exit: 0, 1 for an error, EXIT_AGAIN, 130 interrupted.

    Settings come from the file, the environment and the options, each overriding the one before.
    """
    arguments = parser.parse_args()

    def command() -> None:
        # The parent of this process replaces the file as a whole.
        followed = FollowedSettings(arguments.config, os.environ, {"redis": arguments.redis}, settled_s=0.0)
        run_stage_process(
            parser.prog,
            followed,
            lambda settings, followed: run(settings, arguments, followed),
            follow=arguments.follow,
        )

    sys.exit(run_and_report(command))


def run_stage_process(name: str, followed: FollowedSettings, run: RunStage, *, follow: bool) -> None:
    """Prepare this process for a stage and call `run`, which imports the stage.

    `name` is how the user started it. Raises ConfigError without the address of a broker, and what `run` raises; after
    a RetryableError the process exits with EXIT_AGAIN, so that its supervisor starts it again.
    """
    settings = followed.settings
    if settings.redis == EMBEDDED:
        raise ConfigError(
            f"'{name}' is one stage and needs the deployment's broker: give its address with --redis URL, "
            "or run everything on this machine with 'posebus up'"
        )
    follows = follow and followed.can_change
    if follows:
        # Before the stage is imported, which takes seconds.
        on_hangup(followed.request_reload, sys.exit)
    set_up_logging(settings, ROLES.get(name.split()[-1], "posebus"))
    enable_stack_traces()
    # A supervised process is announced by its supervisor, and only what it becomes is of interest.
    announce = log.info if PARENT_ENV not in os.environ else log.debug
    announce("%s starts; the broker is %s", name, redact_url(settings.redis))
    # Before the stage is imported: compiled kernels find their folder by the environment.
    os.environ[CACHE_DIR_ENV] = str(cache_folder(settings))
    try:
        run(settings, followed if follows else None)
    except RetryableError as error:
        complain(error)
        raise SystemExit(EXIT_AGAIN) from error
    finally:
        announce("%s has left", name)
