"""`posebus run` of cameras and addresses: a deployment that lives as long as the run, and files as for recordings."""

from __future__ import annotations

import time
import uuid
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass

from posebus.bus.redis.connection import open_broker
from posebus.bus.registry import Registry
from posebus.config.local_files import same_for_children
from posebus.config.settings import EMBEDDED, CameraSettings, Settings
from posebus.runtime.embedded import broker_for
from posebus.runtime.failures import in_one_sentence
from posebus.runtime.fleet import Fleet
from posebus.subscribing.subscriber import subscribe
from recordings.fleet_watch import need_workers, wait_for_fleet, workers
from recordings.inputs import UniqueNames, camera_names
from recordings.interrupts import noticed
from recordings.live.drawing import draw_kept
from recordings.live.following import LiveReader, LiveRun
from recordings.live.following import LiveRequest as LiveRequest
from recordings.live.naming import source_name
from recordings.live.recorded_camera import LiveSource, RecordedCamera
from recordings.live.sources import look_at
from recordings.live.summary import summarise_live
from recordings.own_fleet import fleet_settings, forget_all
from recordings.progress import Complain, Progress
from recordings.results.claims import claimed
from recordings.results.files import make_folder
from recordings.results.run_facts import run_facts
from recordings.results.video import Style
from recordings.stages import STAGES
from recordings.summary import Summary, summary_name, write_summary

OUTAGE_LIMIT_S = 30.0
VIDEO_SIZE_PX = 1920
"""Pictures are published at up to this size where a video is drawn from them."""


@dataclass(slots=True)
class LiveResult:
    """The content of summary.json, and whether Ctrl-C or SIGTERM ended the run."""

    summary: Summary
    interrupted: bool


def run_live(settings: Settings, request: LiveRequest, progress: Progress, complain: Complain) -> LiveResult:
    """Record the tracks of live sources and write their files.

    A source that cannot be used is passed to `complain` and stands under "failed"; the others go on. The first Ctrl-C
    or SIGTERM (a KeyboardInterrupt, as by `interruptible`) completes the files; while the network loads it ends the
    run. Raises OutputError, ConfigError, and the errors of a broker or fleet that cannot work.
    """
    need_workers(settings)
    began_s = time.monotonic()
    make_folder(request.folder)
    with claimed(request.folder, lambda used: _names(request, used)) as (chosen_name, *names):
        run = LiveRun(request, progress, complain, run_facts(settings))
        sources = _open(run, names, suffix="" if settings.redis == EMBEDDED else f"-{uuid.uuid4().hex[:8]}")
        if sources:
            try:
                with broker_for(settings.redis) as url:
                    _record(run, _fleet_settings(settings, url, sources), sources)
                _draw(run)
            finally:
                for camera in run.cameras:
                    run.kept(camera).unlink(missing_ok=True)
        summary = summarise_live(run.cameras, run.workers, time.monotonic() - began_s, run.refused, run.ended_by)
        summary |= run.facts
        write_summary(request.folder / chosen_name, summary)
    return LiveResult(summary, interrupted=run.ended_by == "interrupt")


def _names(request: LiveRequest, used: frozenset[str]) -> list[str]:
    """Return the name of the summary and those of the sources: none that another run uses or that has files already.

    What a camera showed cannot be recorded again, so nothing is overwritten.
    """
    there = {path.name for path in request.folder.iterdir()}
    taken = {name.split(".tracks.jsonl")[0] for name in there if ".tracks.jsonl" in name}
    names = UniqueNames({*used, *taken})
    return [
        summary_name(used | there),
        *(names.take(source_name(source).replace("/", "_")) for source in request.sources),
    ]


def _open(run: LiveRun, names: Sequence[str], suffix: str) -> list[LiveSource]:
    """Return the sources that give a picture; the others become `refused`."""
    found = []
    for source, name, camera in zip(run.request.sources, names, camera_names(names, suffix), strict=True):
        run.progress.status(f"opening {name}")
        size = {"max_size_px": VIDEO_SIZE_PX} if run.request.video else {}
        settings = CameraSettings.model_validate({"source": same_for_children(source), **size})
        try:
            look = look_at(settings)
        except Exception as error:  # noqa: BLE001 - the other sources go on
            run.refused[name] = in_one_sentence(error, about=name)
            run.complain(run.refused[name])
            continue
        found.append(LiveSource(source, name, camera, settings, look.size_px, look.fps))
    return found


def _fleet_settings(settings: Settings, url: str, sources: Sequence[LiveSource]) -> Settings:
    sizes_px = [source.size_px for source in sources]
    shared, fixed_batch = settings.shared_frames, settings.worker.fixed_batch
    return fleet_settings(settings, url, sizes_px, shared_frames=shared, fixed_batch=fixed_batch)


def _record(run: LiveRun, settings: Settings, sources: Sequence[LiveSource]) -> None:
    broker = open_broker(settings.redis, settings.shards)
    with ExitStack() as stack:
        fleet = stack.enter_context(Fleet(settings, broker, STAGES))
        watch = wait_for_fleet(fleet, settings, broker, run.progress)
        # From here on a signal ends the recording in order; another one is for the videos.
        interrupted = stack.enter_context(noticed())
        run.workers = workers(Registry(broker))
        cameras = {source.camera: source.settings for source in sources}
        messages = stack.enter_context(
            subscribe(
                settings.redis,
                cameras=list(cameras),
                kinds=("tracks", "events"),
                shards=settings.shards,
                outage_limit_s=OUTAGE_LIMIT_S,
            )
        )
        stack.callback(forget_all, broker, list(cameras), run.complain)
        # What the ingest processes warn of comes as events, too.
        with_cameras = settings.model_copy(update={"cameras": cameras, "log_level": "error"})
        readers = stack.enter_context(Fleet(with_cameras, broker, STAGES))
        run.cameras = [RecordedCamera(source, run.request.folder, run.request.formats) for source in sources]
        for camera in run.cameras:
            stack.callback(camera.close)
            keep = ("--keep-pictures", str(run.kept(camera).absolute())) if run.request.video else ()
            readers.start_camera(camera.source.camera, *keep)
        follower = LiveReader(run, messages, readers, watch)
        follower.follow(interrupted)
        run.progress.status("waiting for the last tracks")
        readers.stop()
        follower.drain()
        for camera in run.cameras:
            camera.complete()


def _draw(run: LiveRun) -> None:
    """Draw one video after the other, now that inference no longer needs the processors. Ctrl-C leaves out the rest."""
    if not run.request.video:
        return
    try:
        for camera in run.cameras:
            _draw_one(run, camera)
    except KeyboardInterrupt:
        run.ended_by = "interrupt"
        run.complain("the videos that are not drawn yet were left out; all other files are complete")


def _draw_one(run: LiveRun, camera: RecordedCamera) -> None:
    name, jsonl = camera.source.name, camera.tracks_path
    if jsonl is None:
        return
    target = run.request.folder / f"{name}.annotated.mp4"
    try:
        style = Style(privacy=run.request.privacy)
        missing = draw_kept(run.kept(camera), jsonl, target, camera.source.fps, run.progress, style=style)
    except Exception as error:  # noqa: BLE001 - the other videos are drawn all the same
        run.refused[name] = in_one_sentence(error, about=name)
        run.complain(run.refused[name])
        return
    if missing:
        text = f"{missing} of {camera.counts.frames} frames are not in the video, because their pictures were not kept"
        camera.interruptions.append(text)
        run.complain(f"{name}: {text}")
