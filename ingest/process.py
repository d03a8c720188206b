"""The processes of ingest: one for each camera (`posebus ingest --camera NAME`), and their supervisor."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Iterable
from pathlib import Path

from ingest.capture import CaptureStage
from ingest.keeping import FrameKeeper, KeepingProducer
from ingest.sources import is_live, open_source, source_kind
from posebus.bus.frame_producer import FrameProducer
from posebus.bus.lease import Lease
from posebus.bus.redis.connection import Broker, open_broker
from posebus.bus.registry import CameraRecord, Registry, process_id
from posebus.config.loading import dump_settings
from posebus.config.policies import DEFAULT, Policies, policies_of
from posebus.config.settings import CameraSettings, Settings
from posebus.errors import ConfigError, SourceRejected
from posebus.machine.scratch import ScratchFolder
from posebus.messages import Delivery
from posebus.runtime.fleet import stage_process
from posebus.runtime.health import INGEST_SUPERVISOR, HealthFile
from posebus.runtime.liveness import give_life_signs
from posebus.runtime.processes import (
    CAMERA_STATES_ENV,
    EXIT_DONE,
    EXIT_FATAL,
    RUN_ENV,
    Child,
    ChildProcesses,
    ChildSpec,
)
from posebus.runtime.shared_frames import SharedFrames
from posebus.runtime.stage import Heartbeat, StopFlag, run_stage, stop_limit_s
from posebus.runtime.watchdog import Watchdog
from posebus.telemetry.reports import largest_imgsz, process_reports
from posebus.wording import counted

SUPERVISE_EVERY_S = 0.1

log = logging.getLogger("posebus.ingest")


class IngestSupervisor:
    """Restarts the ingest processes of one machine when they crash, and kills them when they hang."""

    def __init__(self, processes: ChildProcesses, watchdog: Watchdog) -> None:
        self._processes = processes
        self._watchdog = watchdog

    def start(self, specs: Iterable[ChildSpec]) -> None:
        """Start one process per spec."""
        for spec in specs:
            self._processes.start(self._watchdog.watched(spec))

    def restart_crashed(self, now_s: float) -> list[Child]:
        """Kill hanging children and restart crashed ones; return those that ended for good (done or rejected)."""
        self._watchdog.check(self._processes.children, now_s)
        return self._processes.restart_crashed(now_s)


def build_capture(
    camera: str,
    settings: CameraSettings,
    broker: Broker,
    events_kept: int,
    *,
    shared: SharedFrames | None = None,
    run: str = "",
    policies: Policies | None = None,
    keeper: FrameKeeper | None = None,
) -> CaptureStage:
    """Return the stage of `camera` on `broker`, and register the camera there.

    `events_kept` is `RetentionSettings.events_kept`; `policies` is what the tracker decides about the camera (None:
    nothing); `run` names this start of the deployment; `keeper` keeps the published pictures. Under the watchdog of a
    supervisor, the stage reports that it is alive while it is healthy.
    """
    delivery = Delivery.LIVE if is_live(settings) else Delivery.LOSSLESS
    record = CameraRecord(camera, delivery, source=source_kind(settings), policies=policies or DEFAULT)
    lease = Lease(broker, camera, CaptureStage.role, process_id(CaptureStage.role), settings.lease_s)
    writer = (
        FrameProducer(broker, record, lease, events_kept)
        if keeper is None
        else KeepingProducer(broker, record, lease, events_kept, keeper)
    )
    writer.announce()
    registry = Registry(broker)
    stage = CaptureStage(
        camera,
        settings,
        writer,
        opener=open_source if keeper is None else keeper.open_source,
        largest_imgsz=lambda: largest_imgsz(process_reports(registry).values()),
        shared=shared,
        run=run,
    )
    give_life_signs(os.environ, stage.healthy)
    return stage


def run_ingest(settings: Settings, camera: str | None, keep: Path | None = None) -> None:
    """Capture all cameras of `settings`, or `camera` alone. Raises ConfigError where it is not configured.

    The published pictures of one camera are kept in the file `keep` (`posebus.machine.kept_pictures`), if it is given.
    """
    if os.environ.get(CAMERA_STATES_ENV):
        log.setLevel(logging.ERROR)
    if not settings.cameras:
        raise ConfigError("no camera is configured: name some under 'cameras:' in a file and give it with -c FILE")
    if camera is None:
        run_cameras(settings)
    elif camera in settings.cameras:
        run_camera(settings, camera, keep)
    else:
        raise ConfigError(f"no camera {camera!r} is configured; there are: {', '.join(sorted(settings.cameras))}")


def run_camera(settings: Settings, camera: str, keep: Path | None = None) -> None:
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
            policies=policies_of(settings.cameras[camera], settings.worker, live=is_live(settings.cameras[camera])),
            keeper=None if keep is None else FrameKeeper(camera, settings.cameras[camera], keep),
        )
    run_stage(stage, Heartbeat(Registry(broker), stage.role), stop)


def run_cameras(settings: Settings) -> None:
    """Capture all cameras, each in a process, until all sources have ended, SIGTERM or SIGINT.

    Raises SourceRejected at the end if a source could not be used; the other cameras are not affected by it.
    """
    stop = StopFlag()
    stop.install()
    fleet = settings.fleet
    rejected: list[str] = []
    with ScratchFolder() as folder:
        config = folder / "settings.yaml"
        dump_settings(settings, config)
        processes = ChildProcesses(fleet.restart_min_s, fleet.restart_max_s)
        supervisor = IngestSupervisor(processes, Watchdog(folder))
        health = HealthFile(INGEST_SUPERVISOR)
        try:
            log.info("reads %s: %s", counted(len(settings.cameras), "camera"), ", ".join(settings.cameras))
            supervisor.start(
                stage_process(camera, settings, config, "ingest", "--camera", camera) for camera in settings.cameras
            )
            while not stop.check() and processes.children:
                for child in supervisor.restart_crashed(time.monotonic()):
                    if child.exit_code != EXIT_DONE:
                        rejected.append(child.spec.name)
                        log.error("camera %s is given up, for the reason above", child.spec.name)
                    del processes.children[child.spec.name]
                health.beat(time.monotonic())
                time.sleep(SUPERVISE_EVERY_S)
        finally:
            left = list(processes.children.values())
            processes.stop(timeout_s=fleet.stop_timeout_s)
        rejected += [child.spec.name for child in left if child.exit_code == EXIT_FATAL]
    if rejected:
        raise SourceRejected(f"these cameras could not be used, for the reasons above: {', '.join(sorted(rejected))}")
