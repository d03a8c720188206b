"""The processes of ingest: one for each camera (`posebus ingest --camera NAME`), and their supervisor."""

from __future__ import annotations

import logging
import os
import signal
import time
from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path

from ingest.announcing import RecordChanges, camera_record
from ingest.capture import CaptureStage
from ingest.keeping import FrameKeeper, KeepingProducer
from ingest.leaving import reason_from
from ingest.off_cameras import OffCameras
from ingest.publishing.picture_ring import PictureRing
from ingest.sources import is_live, open_source
from ingest.supervision import CameraFiles, CameraProcesses, IngestSupervisor
from posebus.bus.evidence.ring import RingWriter
from posebus.bus.frame_producer import FrameProducer
from posebus.bus.lease import Lease
from posebus.bus.redis.connection import Broker, open_broker
from posebus.bus.registry import Registry, process_id
from posebus.config.cameras.evidence import EvidenceSettings
from posebus.config.cameras.wanted import wanted_cameras
from posebus.config.policies import Policies, policies_of
from posebus.config.settings import CameraSettings, Settings
from posebus.control.attached import control_socket
from posebus.errors import ConfigError, SourceRejected
from posebus.logs.set_up import name_process
from posebus.machine.scratch import ScratchFolder
from posebus.reloading.difference import difference
from posebus.reloading.followed import FollowedSettings
from posebus.reloading.sentences import camera_lines
from posebus.runtime.following import Follower
from posebus.runtime.health import INGEST_SUPERVISOR, HealthFile
from posebus.runtime.liveness import give_life_signs
from posebus.runtime.processes import CAMERA_STATES_ENV, EXIT_FATAL, RUN_ENV, ChildProcesses
from posebus.runtime.shared_frames import SharedFrames
from posebus.runtime.stage import PARENT_ENV, Heartbeat, StopFlag, run_stage, stop_limit_s
from posebus.runtime.watchdog import Watchdog
from posebus.telemetry.reports import largest_imgsz, process_reports
from posebus.wording import counted

SUPERVISE_EVERY_S = 0.1

log = logging.getLogger("posebus.ingest")


@dataclass(frozen=True, slots=True)
class CaptureOptions:
    """How the process of one camera was started.

    config: the settings file of a supervised process, which says at the end why the camera ends. must_exist: the camera
    is given up if its file is missing; else ingest waits for the file. pictures: a file in which the published pictures
    are kept (`posebus.machine.kept_pictures`).
    """

    config: Path | None = None
    must_exist: bool = False
    pictures: Path | None = None


DEFAULT_OPTIONS = CaptureOptions()


def build_capture(
    camera: str,
    settings: CameraSettings,
    broker: Broker,
    events_kept: int,
    *,
    shared: SharedFrames | None = None,
    policies: Policies | None = None,
    options: CaptureOptions = DEFAULT_OPTIONS,
) -> CaptureStage:
    """Return the stage of `camera` on `broker`, and register the camera there.

    `events_kept` is `RetentionSettings.events_kept`; `policies` is what the tracker decides about the camera (None:
    nothing). Under the watchdog of a supervisor, the stage reports that it is alive while it is healthy.
    """
    config = options.config
    keeper = None if options.pictures is None else FrameKeeper(camera, settings, options.pictures)
    record = camera_record(camera, settings, policies)
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
        run=os.environ.get(RUN_ENV, ""),
    )
    stage.must_exist = options.must_exist
    ring = PictureRing(camera, settings, partial(_open_ring, broker, camera), stage.metrics, live=is_live(settings))
    stage.admission.ring = ring
    if config is not None:
        stage.stop_reason = partial(reason_from, config, camera, settings)
        changes = RecordChanges(config, camera, settings, writer.announce_change)
        changes.apply = ring.follow
        stage.before_step = changes.poll
    give_life_signs(os.environ, stage.healthy)
    return stage


def _open_ring(broker: Broker, camera: str, wanted: EvidenceSettings) -> RingWriter:
    return RingWriter(broker, camera, wanted.seconds, wanted.bytes)


def run_ingest(
    settings: Settings,
    camera: str | None,
    followed: FollowedSettings | None = None,
    options: CaptureOptions = DEFAULT_OPTIONS,
) -> None:
    """Capture all cameras of `settings`, or `camera` alone. Raises ConfigError where it is not configured.

    followed: the settings follow their file. options: for `camera` alone.
    """
    if os.environ.get(CAMERA_STATES_ENV):
        log.setLevel(logging.ERROR)
    if not settings.cameras:
        raise ConfigError("no camera is configured: name some under 'cameras:' in a file and give it with -c FILE")
    if camera is None:
        run_cameras(settings, followed)
    elif camera in settings.cameras and followed is not None:
        run_cameras(settings, followed, only=camera)
    elif camera in settings.cameras:
        run_camera(settings, camera, options)
    else:
        raise ConfigError(f"no camera {camera!r} is configured; there are: {', '.join(sorted(settings.cameras))}")


def run_camera(settings: Settings, camera: str, options: CaptureOptions = DEFAULT_OPTIONS) -> None:
    """Capture one camera until its source ends, SIGTERM or SIGINT. Raises SourceRejected and BrokerRefused."""
    stop = StopFlag(stop_limit_s(settings.fleet.stop_timeout_s))
    stop.install()
    name_process(camera=camera)
    with stop.starting():
        broker = open_broker(settings.redis, settings.shards)
        shared = SharedFrames(settings.shared_frames) if settings.shared_frames else None
        stage = build_capture(
            camera,
            settings.cameras[camera],
            broker,
            settings.retention.events_kept,
            shared=shared,
            policies=policies_of(settings.cameras[camera], settings.worker, live=is_live(settings.cameras[camera])),
            options=options,
        )
    if options.config is not None:
        # Its supervisor follows the settings; a reload of all processes by SIGHUP must not end it.
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
    run_stage(stage, Heartbeat(Registry(broker), stage.role), stop)


def run_cameras(settings: Settings, followed: FollowedSettings | None = None, only: str | None = None) -> None:
    """Capture all cameras, or `only` one, each in a process, until all sources have ended, SIGTERM or SIGINT.

    Raises SourceRejected at the end if a source could not be used; the other cameras are not affected by it.
    """
    stop = StopFlag()
    stop.install()
    follower = None if followed is None else Follower(followed, stop)
    settings, fleet = _only(settings, only), settings.fleet
    with ScratchFolder() as folder:
        processes = ChildProcesses(fleet.restart_min_s, fleet.restart_max_s)
        files = CameraFiles(folder)
        spare = None if follower is None else files.spare(settings)
        children = IngestSupervisor(processes, Watchdog(folder), fleet.stop_timeout_s, spare)
        cameras = CameraProcesses(children, files, _wanted_now)
        off = OffCameras(settings.redis, settings.shards)
        health = HealthFile(INGEST_SUPERVISOR)
        try:
            with _commands(follower):
                log.info("reads %s: %s", counted(len(settings.cameras), "camera"), ", ".join(settings.cameras))
                cameras.use(settings)
                updated = False
                # A changed file that no camera can be read by does not end a process that follows it.
                while not stop.check() and (not cameras.finished or (updated and cameras.rejected)):
                    now_s = time.monotonic()
                    update = None if follower is None else follower.poll(now_s)
                    if update is not None and follower is not None:
                        before, settings = _only(update.before, only), _only(update.settings, only)
                        follower.announce(log, camera_lines(difference(before, settings)))
                        cameras.use(settings)
                        updated = True
                    cameras.step(now_s)
                    off.show(cameras.off, cameras.over, settings)
                    health.beat(now_s)
                    time.sleep(SUPERVISE_EVERY_S)
        finally:
            off.close()
            left = list(processes.children.values())
            processes.stop(timeout_s=fleet.stop_timeout_s)
        rejected = cameras.rejected | {child.spec.name for child in left if child.exit_code == EXIT_FATAL}
    if rejected and only is not None:
        raise SystemExit(EXIT_FATAL)  # the camera's own process has said why
    if rejected:
        raise SourceRejected(f"these cameras could not be used, for the reasons above: {', '.join(sorted(rejected))}")


def _commands(follower: Follower | None) -> AbstractContextManager[None]:
    """Answer `posebus camera` while the context lasts; below `posebus up`, that process answers."""
    if follower is None or PARENT_ENV in os.environ:
        return nullcontext()
    return control_socket("ingest", follower)


def _only(settings: Settings, camera: str | None) -> Settings:
    """Return `settings` with all cameras, or with this one if it is still there."""
    if camera is None:
        return settings
    kept = {name: one for name, one in settings.cameras.items() if name == camera}
    return settings.model_copy(update={"cameras": kept})


def _wanted_now(settings: Settings) -> tuple[Iterable[str], Mapping[str, str]]:
    return wanted_cameras(settings, datetime.now().astimezone())
