"""`posebus ingest`, `work` and `track`: one stage of a deployment that spans several machines."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from posebus.runtime.stage_main import run_stage_process
from posebus_cli.options.grouping import Offer, grouped
from posebus_cli.options.groups import ConfigFirst, LogOptions, NetworkOptions
from posebus_cli.options.settings import need_cameras, settings_at_broker

if TYPE_CHECKING:
    from posebus.config.settings import Settings


@grouped
def work(
    deployment: ConfigFirst,
    network: Annotated[NetworkOptions, Offer(first=("model",), without=("infer_fps", "motion_gate", "enhance"))],
    logs: LogOptions,
) -> None:
    """Run one worker, which detects people and estimates their keypoints for all cameras of the deployment.

    Any number of workers can run, on all machines that reach the broker at --redis; they share the frames of the
    cameras.
    """
    run_stage_process("posebus work", settings_at_broker(deployment, network, logs), _worker)


@grouped
def track(deployment: ConfigFirst, logs: LogOptions) -> None:
    """Run one tracker, which links the poses of its share of the cameras into tracks with stable identities.

    Several trackers share the cameras; when one stops, the others continue its tracks with the same identities.
    """
    run_stage_process("posebus track", settings_at_broker(deployment, logs), _tracker)


@grouped
def ingest(
    deployment: ConfigFirst,
    logs: LogOptions,
    camera: Annotated[
        str | None, typer.Option("--camera", metavar="NAME", help="Read only this camera, in this process.")
    ] = None,
) -> None:
    """Read the cameras of the configuration file and publish their frames, with one process for each camera.

    The frames go to the broker at --redis. A second 'posebus ingest' with the same cameras stands by for the first.
    """
    settings = settings_at_broker(deployment, logs)
    need_cameras(settings)
    run_stage_process("posebus ingest", settings, lambda settings: _ingest(settings, camera))


def _worker(settings: Settings) -> None:
    from workers.process import run_worker

    run_worker(settings)


def _tracker(settings: Settings) -> None:
    from tracking.process import run_tracker

    run_tracker(settings)


def _ingest(settings: Settings, camera: str | None) -> None:
    from ingest.process import run_ingest

    run_ingest(settings, camera)
