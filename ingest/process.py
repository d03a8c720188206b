"""The processes of ingest: one camera (`posebus ingest --camera NAME`), and the supervisor of all of them."""

from __future__ import annotations

import logging
import os
import tempfile
import time
from pathlib import Path

from ingest.capture import CaptureStage
from ingest.sources import is_live, source_kind
from ingest.supervisor import IngestSupervisor
from posebus.bus.frame_producer import FrameProducer
from posebus.bus.lease import Lease
from posebus.bus.redis.connection import Broker, open_broker
from posebus.bus.registry import CameraRecord, Registry, process_id
from posebus.config.loading import dump_settings
from posebus.config.policies import DEFAULT, Policies, policies_of
from posebus.config.settings import CameraSettings, Settings
from posebus.errors import ConfigError, SourceRejected
from posebus.messages import Delivery
from posebus.runtime.fleet import stage_process
from posebus.runtime.liveness import give_life_signs
from posebus.runtime.processes import EXIT_DONE, RUN_ENV, ChildProcesses
from posebus.runtime.shared_frames import SharedFrames
from posebus.runtime.stage import Heartbeat, StopFlag, run_stage, stop_limit_s
from posebus.runtime.watchdog import Watchdog
from posebus.telemetry.reports import largest_imgsz, process_reports

TEND_S = 0.1

log = logging.getLogger("posebus.ingest")


def build_capture(
    camera: str,
    settings: CameraSettings,
    broker: Broker,
    events_kept: int,
    *,
    shared: SharedFrames | None = None,
    run: str = "",
    policies: Policies | None = None,
) -> CaptureStage:
    """The stage of `camera` on `broker`, announced there; `events_kept` is `RetentionSettings.events_kept`, `policies`
    what is found out about the camera (None: nothing).

    Under a supervisor's watchdog it gives signs of life for as long as it is healthy.
    """
    delivery = Delivery.LIVE if is_live(settings) else Delivery.LOSSLESS
    record = CameraRecord(camera, delivery, source_kind(settings), policies or DEFAULT)
    lease = Lease(broker, camera, CaptureStage.role, process_id(CaptureStage.role), settings.lease_s)
    writer = FrameProducer(broker, record, lease, events_kept)
    writer.announce()
    registry = Registry(broker)
    stage = CaptureStage(
        camera,
        settings,
        writer,
        largest_imgsz=lambda: largest_imgsz(process_reports(registry).values()),
        shared=shared,
        run=run,
    )
    give_life_signs(os.environ, stage.healthy)
    return stage


def run_ingest(settings: Settings, camera: str | None) -> None:
    """Capture all cameras of `settings`, or `camera` alone. Raises ConfigError where it is not configured."""
    if not settings.cameras:
        raise ConfigError("no camera is configured: name some under 'cameras:' in a file and give it with -c FILE")
    if camera is None:
        run_cameras(settings)
    elif camera in settings.cameras:
        run_camera(settings, camera)
    else:
        raise ConfigError(f"no camera {camera!r} is configured; there are: {', '.join(sorted(settings.cameras))}")


def run_camera(settings: Settings, camera: str) -> None:
    """Capture one camera until its source ends, SIGTERM or SIGINT. Raises SourceRejected, BrokerRefused."""
    stop = StopFlag(stop_limit_s(settings.fleet.stop_timeout_s))
    stop.install()
    with stop.starting():
        broker = open_broker(settings.redis, settings.shards)
        shared = SharedFrames(settings.shared_frames) if settings.shared_frames else None
        stage = build_capture(
            camera,
            settings.cameras[camera],
            broker,
            settings.retention.events_kept,
            shared=shared,
            run=os.environ.get(RUN_ENV, ""),
            policies=policies_of(settings.cameras[camera], settings.worker),
        )
    run_stage(stage, Heartbeat(Registry(broker), stage.role), stop)


def run_cameras(settings: Settings) -> None:
    """Capture all cameras, a process each, until all sources have ended, SIGTERM or SIGINT.

    Raises SourceRejected at the end if a source could not be used; the others were not held up by it.
    """
    stop = StopFlag()
    stop.install()
    fleet = settings.fleet
    rejected: list[str] = []
    with tempfile.TemporaryDirectory(prefix="posebus-") as name:
        folder = Path(name)
        config = folder / "settings.yaml"
        dump_settings(settings, config)
        processes = ChildProcesses(fleet.restart_min_s, fleet.restart_max_s)
        supervisor = IngestSupervisor(processes, Watchdog(folder))
        try:
            supervisor.start(
                stage_process(camera, settings, config, "ingest", "--camera", camera) for camera in settings.cameras
            )
            while not stop.check() and processes.children:
                for child in supervisor.restart_crashed(time.monotonic()):
                    if child.exit_code != EXIT_DONE:
                        rejected.append(child.spec.name)
                    del processes.children[child.spec.name]
                time.sleep(TEND_S)
        finally:
            processes.stop(timeout_s=fleet.stop_timeout_s)
    if rejected:
        raise SourceRejected(f"these cameras could not be used, see above why: {', '.join(sorted(rejected))}")
