"""`posebus ingest`, `work` and `track`: one stage of a deployment that spans several machines."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable
from typing import Annotated

import typer

from posebus.config.redaction import redact_text
from posebus.config.settings import EMBEDDED, Settings
from posebus.errors import ConfigError, RetryableError
from posebus.runtime.processes import EXIT_AGAIN
from posebus_cli.failures import complain
from posebus_cli.options.grouping import Offer, grouped
from posebus_cli.options.groups import ConfigFirst, NetworkOptions
from posebus_cli.options.settings import need_cameras, settings_from


class _Redacted(logging.Formatter):
    """Libraries log, too, and quote addresses, and so do tracebacks: nothing is written as it comes."""

    def format(self, record: logging.LogRecord) -> str:
        return redact_text(super().format(record))


def set_up_logging(settings: Settings) -> None:
    """What a stage has to say, a line each, on standard error."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Redacted("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    logging.basicConfig(handlers=[handler], level=settings.log_level.upper(), force=True)


@grouped
def work(
    deployment: ConfigFirst,
    network: Annotated[NetworkOptions, Offer(first=("model",), without=("infer_fps", "motion_gate", "enhance"))],
) -> None:
    """Run one worker, which detects people and estimates their keypoints for all cameras of the deployment.

    Any number of workers can run, on all machines that reach the broker; they share the frames of the cameras.
    """
    _run("work", settings_from(deployment, network), _worker)


@grouped
def track(deployment: ConfigFirst) -> None:
    """Run one tracker, which links the poses of its share of the cameras into tracks with stable identities.

    Several trackers share the cameras; when one stops, the others continue its tracks with the same identities.
    """
    _run("track", settings_from(deployment), _tracker)


@grouped
def ingest(
    deployment: ConfigFirst,
    camera: Annotated[
        str | None, typer.Option("--camera", metavar="NAME", help="Read only this camera, in this process.")
    ] = None,
) -> None:
    """Read the cameras of the configuration file and publish their frames, with one process for each camera."""
    settings = settings_from(deployment)
    need_cameras(settings)
    if camera is not None and camera not in settings.cameras:
        raise ConfigError(f"no camera {camera!r} is configured; the cameras are: {', '.join(sorted(settings.cameras))}")
    _run("ingest", settings, lambda ready: _ingest(ready, camera))


def _run(command: str, settings: Settings, stage: Callable[[Settings], None]) -> None:
    if settings.redis == EMBEDDED:
        raise ConfigError(
            f"'posebus {command}' is one stage and needs the deployment's broker: give its address with --redis URL, "
            "or run everything on this machine with 'posebus up'"
        )
    set_up_logging(settings)
    try:
        stage(settings)
    except RetryableError as error:
        complain(error)
        raise typer.Exit(EXIT_AGAIN) from error


def _worker(settings: Settings) -> None:
    from workers.process import run_worker

    run_worker(settings)


def _tracker(settings: Settings) -> None:
    from tracking.process import run_tracker

    run_tracker(settings)


def _ingest(settings: Settings, camera: str | None) -> None:
    from ingest.process import run_camera, run_cameras

    if camera is None:
        run_cameras(settings)
    else:
        run_camera(settings, camera)
