"""`posebus ingest`, `work` and `track`: one stage of a deployment that spans several machines."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from posebus.runtime.stage_main import run_stage_process
from posebus_cli.options.grouping import Offer, grouped
from posebus_cli.options.groups import ConfigFirst, NetworkOptions, NoReloadOption
from posebus_cli.options.settings import followed_at_broker, need_cameras

if TYPE_CHECKING:
    from posebus.config.settings import Settings
    from posebus.reloading.followed import FollowedSettings


@grouped
def work(
    deployment: ConfigFirst,
    network: Annotated[NetworkOptions, Offer(first=("model",), without=("infer_fps", "motion_gate", "enhance"))],
    no_reload: NoReloadOption = False,
) -> None:
    """Run one worker, which detects people and estimates their keypoints for all cameras of the deployment.

    Any number of workers can run, on all machines that reach the broker at --redis; they share the frames of the
    cameras.
    """
    run_stage_process("posebus work", followed_at_broker(deployment, network), _worker, follow=not no_reload)


@grouped
def track(deployment: ConfigFirst, no_reload: NoReloadOption = False) -> None:
    """Run one tracker, which links the poses of its share of the cameras into tracks with stable identities.

    Several trackers share the cameras; when one stops, the others continue its tracks with the same identities.
    """
    run_stage_process("posebus track", followed_at_broker(deployment), _tracker, follow=not no_reload)


@grouped
def ingest(
    deployment: ConfigFirst,
    camera: Annotated[str | None, typer.Option("--camera", metavar="NAME", help="Read only this camera.")] = None,
    no_reload: NoReloadOption = False,
) -> None:
    """Read the cameras of the configuration file and publish their frames, with one process for each camera.

    The frames go to the broker at --redis. A second 'posebus ingest' with the same cameras stands by for the first.
    """
    followed = followed_at_broker(deployment)
    need_cameras(followed.settings)
    run_stage_process("posebus ingest", followed, partial(_ingest, camera), follow=not no_reload)


def _worker(settings: Settings, followed: FollowedSettings | None) -> None:
    from workers.process import run_worker

    run_worker(settings, followed)


def _tracker(settings: Settings, followed: FollowedSettings | None) -> None:
    from tracking.process import run_tracker

    run_tracker(settings, followed)


def _ingest(camera: str | None, settings: Settings, followed: FollowedSettings | None) -> None:
    from ingest.process import run_ingest

    run_ingest(settings, camera, followed)
