"""How the process of a stage starts: its command line, settings, log and stack traces, and how it ends.

`python -m workers --config FILE` and `posebus work -c FILE` both come through `run_stage_process`. Nothing here needs
more than the extra `stage`.
"""

from __future__ import annotations

import argparse
import logging
import os
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NoReturn

from posebus.config.harmless import HIDDEN
from posebus.config.loading import CACHE_DIR_ENV, cache_folder
from posebus.config.redaction import redact_text, redact_url, secret_parts
from posebus.config.settings import EMBEDDED, Settings
from posebus.errors import ConfigError, RetryableError
from posebus.machine.stack_traces import enable_stack_traces
from posebus.plain_text import plain
from posebus.reloading.followed import FollowedSettings
from posebus.reloading.hangup import on_hangup
from posebus.runtime.failures import complain, run_and_report
from posebus.runtime.processes import EXIT_AGAIN
from posebus.runtime.stage import PARENT_ENV

log = logging.getLogger("posebus")


class LineFormatter(logging.Formatter):
    """Removes credentials and control characters from every line: libraries log addresses, and tracebacks quote them.

    A record stays one line; those of a traceback are indented, so that a message cannot forge a line of the log.
    """

    def __init__(self, addresses: Iterable[str] = ()) -> None:
        """Hide also the parts of `addresses` that are hidden when one is shown, wherever they appear."""
        super().__init__("%(asctime)s %(levelname)s %(name)s: %(message)s")
        self._secrets = secret_parts(addresses, LEAST_SECRET)

    def format(self, record: logging.LogRecord) -> str:
        text = redact_text(super().format(record)[:MAX_RECORD])
        if self._secrets is not None:
            text = self._secrets.sub(HIDDEN, text)
        first, *others = text.split("\n")
        if not (record.exc_info or record.exc_text or record.stack_info):
            return plain("\n".join([first, *others]))
        return "\n".join([plain(first), *(f"  {plain(line)}" for line in others)])


LEAST_SECRET = 4
"""Shorter parts of an address are words or numbers that a log needs."""
MAX_RECORD = 20_000
"""Characters of one record, with its traceback."""


def set_up_logging(settings: Settings) -> None:
    """Log to standard error, one line a message, from `settings.log_level` on."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(LineFormatter([settings.redis, *(camera.source for camera in settings.cameras.values())]))
    logging.basicConfig(handlers=[handler], level=settings.log_level.upper(), force=True)


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
    set_up_logging(settings)
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
