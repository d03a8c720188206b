"""`posebus ingest`, `work` and `track`: one stage of a deployment that spans several machines."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from posebus.runtime.stage_main import run_stage_process
from posebus_cli.options import (
    ConfigOption,
    ConfOption,
    EngineOption,
    ImgszOption,
    KeypointModelOption,
    ModelOption,
    PrecisionOption,
    RedisOption,
    RefineOption,
    TrustOption,
    need_cameras,
    settings_from,
)

if TYPE_CHECKING:
    from posebus.config.settings import Settings


def work(
    config: ConfigOption = None,
    redis: RedisOption = None,
    model: ModelOption = None,
    imgsz: ImgszOption = None,
    engine: EngineOption = None,
    precision: PrecisionOption = None,
    refine_below: RefineOption = None,
    keypoint_model: KeypointModelOption = None,
    conf: ConfOption = None,
    allow_unknown_weights: TrustOption = None,
) -> None:
    """Run one worker: detection and keypoints for any camera of the deployment.

    Start as many as you like, on any machine that reaches the broker; they share the cameras' frames.
    """
    settings = settings_from(
        config,
        redis=redis,
        worker__model=model,
        worker__imgsz=imgsz,
        worker__engine=engine,
        worker__precision=precision,
        worker__refine_below_px=refine_below,
        worker__keypoint_model=keypoint_model,
        worker__conf=conf,
        worker__allow_unknown_weights=allow_unknown_weights,
    )
    run_stage_process("posebus work", settings, _worker)


def track(config: ConfigOption = None, redis: RedisOption = None) -> None:
    """Run one tracker: it links poses into identities for its share of the cameras.

    Start a second one and they share; stop one and the others go on with its identities.
    """
    run_stage_process("posebus track", settings_from(config, redis=redis), _tracker)


def ingest(
    config: ConfigOption = None,
    redis: RedisOption = None,
    camera: Annotated[
        str | None, typer.Option("--camera", metavar="NAME", help="Only this camera, in this process.")
    ] = None,
) -> None:
    """Read the cameras of the configuration file and publish their frames, one process for each camera."""
    settings = settings_from(config, redis=redis)
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
