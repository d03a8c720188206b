"""`posebus demo`: two synthetic live cameras through a whole deployment, then annotated pictures and videos."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import tee
from pathlib import Path
from typing import Any, Protocol

import cv2

from ingest.sources.synthetic import SyntheticScene, SyntheticSpec, parse_spec
from posebus.bus.redis.connection import open_broker
from posebus.bus.registry import Registry
from posebus.config.cameras.privacy import HEADS, Privacy
from posebus.config.settings import CameraSettings, Settings, WorkerSettings
from posebus.errors import FatalError, OutputError
from posebus.messages import TrackFrame, TrackState
from posebus.runtime.embedded import EmbeddedBroker
from posebus.runtime.fleet import Fleet
from posebus.subscribing.subscriber import Subscription, subscribe
from posebus.telemetry.reports import process_reports, worker_reports
from recordings.fleet_watch import Workers, watch_own, workers
from recordings.live.camera import LiveCamera
from recordings.privacy.timeline import HeadTimeline
from recordings.results.draw import draw_tracks
from recordings.results.files import make_folder
from recordings.results.tally import percentiles_ms
from recordings.results.tracks_writer import TracksWriter
from recordings.results.video import Mp4Writer, read_tracks
from recordings.stages import STAGES

CAMERAS = ("bus", "zidane")
MAX_FPS, MIN_FPS = 12, 1
ENGINE_SHARE = 0.6
"""Share of the engine's speed that the cameras take; decoding, tracking and the cameras themselves need the rest."""
POLL_S = 0.1
DRAIN_S = 0.5
WIDTH_PX, HEIGHT_PX = SyntheticSpec("").width, SyntheticSpec("").height
FIRST_FRAME_S = 30.0
"""A camera without tracks after this time will not have any."""


class DemoView(Protocol):
    """Shows what the demo does."""

    def status(self, text: str) -> None:
        """Show what is being done while there are no cameras to show."""

    def show(self, cameras: Sequence[LiveCamera], left_s: float) -> None:
        """Show the cameras as they are now, `left_s` before the end; may be called many times a second."""


@dataclass(frozen=True, slots=True)
class DemoResult:
    """Counts and files of a demo; `files` are its videos and pictures, `fps` the rate of its cameras.

    carried: frames a second that the engine here carries, of all cameras together, by inference size in pixels.
    """

    cameras: list[LiveCamera]
    workers: Workers
    files: list[Path]
    fps: int
    carried: dict[int, float]

    def as_dict(self) -> dict[str, Any]:
        """Return the result as plain data, for `--json`."""
        return {
            "cameras": [
                {
                    "name": camera.name,
                    "frames": camera.frames,
                    "tracks": len(camera.identities),
                    "skipped": camera.skipped,
                    "age_ms": percentiles_ms([camera.ages_ms]),
                    **({"views": dict(camera.views.most_common())} if camera.views else {}),
                }
                for camera in self.cameras
            ],
            "engine": self.workers.engine,
            "precision": self.workers.precision,
            "imgsz": self.workers.imgsz,
            "fps": self.fps,
            "carried_fps": {str(imgsz): round(fps, 1) for imgsz, fps in self.carried.items()},
            "files": [str(path) for path in self.files],
        }


def demo(
    settings: Settings,
    seconds: float,
    folder: Path,
    view: DemoView,
    *,
    privacy: Privacy = HEADS,
    beside: Callable[[Fleet], None] | None = None,
) -> DemoResult:
    """Run the cameras for `seconds` from the first frame on, and write the files of each into `folder`.

    `beside` may start more processes in the fleet of the cameras. Raises OutputError, and the errors of a deployment
    that cannot work.
    """
    make_folder(folder)
    cameras = [LiveCamera(name) for name in CAMERAS]
    worker = settings.worker
    with ExitStack() as stack:
        url = stack.enter_context(EmbeddedBroker())
        settings = _settings_of(settings, url)
        broker = open_broker(url, settings.shards)
        writers = {name: stack.enter_context(TracksWriter(folder, name)) for name in CAMERAS}
        messages = stack.enter_context(subscribe(url, cameras=list(CAMERAS), kinds=("tracks",), shards=settings.shards))
        fleet = stack.enter_context(Fleet(settings, broker, STAGES))
        watch = watch_own(fleet)
        view.status("loading the network (the first time it is exported, which takes longer)")
        for start in (fleet.start_trackers, fleet.start_workers):
            # One after the other: a worker measures its engine, and a tracker that compiles would halve its speed.
            start()
            fleet.wait_until_ready(lambda ready, wanted: watch(time.monotonic()))
        registry = Registry(broker)
        found = workers(registry)
        carried = carried_fps(engine_speed(registry), worker)
        fps = camera_fps(carried[worker.plain_imgsz])
        specs = {name: parse_spec(f"synthetic:{name}?fps={fps}") for name in CAMERAS}
        view.status(f"starting {len(CAMERAS)} cameras of {fps} frames a second, which the engine carries here")
        sources = stack.enter_context(Fleet(_with_cameras(settings, fps), broker, STAGES))
        sources.start_ingest()
        if beside is not None:
            beside(sources)
        follower = _Follower(messages, cameras, writers)
        _follow(follower, seconds, (watch, watch_own(sources)), view)
        sources.stop()
        follower.drain(DRAIN_S)
        for writer in writers.values():
            writer.complete()
    files: list[Path] = []
    for name, spec in specs.items():
        view.status(f"drawing the tracks of {name}")
        files += draw(SyntheticScene(spec), writers[name].jsonl_path, folder / name, spec.fps, privacy)
    return DemoResult(cameras=cameras, workers=found, files=files, fps=fps, carried=carried)


def engine_speed(registry: Registry) -> float:
    """Return how many pixels of the network's input the workers compute in a second, as they measured it."""
    reports = [one.worker for one in worker_reports(process_reports(registry)) if one.worker is not None]
    return sum(one.pixels_per_s or 0.0 for one in reports)


def carried_fps(pixels_per_s: float, worker: WorkerSettings) -> dict[int, float]:
    """Return the frames a second of demo cameras that the engine carries, by inference size in pixels."""
    sizes = dict.fromkeys((worker.plain_imgsz, worker.largest_imgsz))
    return {imgsz: ENGINE_SHARE * pixels_per_s / (imgsz * imgsz * HEIGHT_PX / WIDTH_PX) for imgsz in sizes}


def camera_fps(carried: float) -> int:
    """Return the rate of each of the demo's cameras, if the engine carries so many frames a second in all."""
    return max(MIN_FPS, min(MAX_FPS, int(carried / len(CAMERAS))))


class _Follower:
    """Reads the tracks of all cameras, counts them and writes them into the files."""

    def __init__(self, messages: Subscription, cameras: Sequence[LiveCamera], writers: dict[str, TracksWriter]) -> None:
        self.cameras = cameras
        self._messages = messages
        self._by_name = {camera.name: camera for camera in cameras}
        self._writers = writers

    def poll(self, timeout_s: float) -> bool:
        """Read the messages that arrive within `timeout_s`; returns whether tracks were among them."""
        received = False
        for message in self._messages.poll(timeout_s):
            if isinstance(message.body, TrackFrame) and message.provenance is not None:
                self._by_name[message.camera].add(message.body, message.provenance)
                self._writers[message.camera].write(message.body, message.provenance)
                received = True
        return received

    def drain(self, quiet_s: float) -> None:
        """Read on until no tracks have arrived for `quiet_s`."""
        while self.poll(quiet_s):
            pass


def _follow(follower: _Follower, seconds: float, watches: Sequence[Callable[[float], None]], view: DemoView) -> None:
    give_up_at_s = time.monotonic() + FIRST_FRAME_S
    end_s: float | None = None
    while True:
        follower.poll(POLL_S)
        now_s = time.monotonic()
        for watch in watches:
            watch(now_s)
        if end_s is None and all(camera.frames for camera in follower.cameras):
            end_s = now_s + seconds
        if end_s is None and now_s > give_up_at_s:
            raise FatalError(f"there were no tracks within {FIRST_FRAME_S:g} s; see above why, or run `posebus doctor`")
        if end_s is not None:
            view.show(follower.cameras, max(0.0, end_s - now_s))
            if now_s >= end_s:
                return


def draw(scene: SyntheticScene, jsonl: Path, stem: Path, fps: float, privacy: Privacy = HEADS) -> list[Path]:
    """Write STEM.annotated.mp4, and STEM.annotated.png of the first frame with the most people; returns their paths.

    A synthetic picture depends on its capture time alone, so each frame can be rendered a second time.
    """
    video_path, picture_path = (stem.with_name(f"{stem.name}.annotated.{kind}") for kind in ("mp4", "png"))
    best = max((_people(frame) for frame in read_tracks(jsonl)), default=0)
    picture_bgr = None
    with Mp4Writer(video_path, fps) as video:
        frames, ahead = tee(read_tracks(jsonl))
        heads = HeadTimeline(ahead) if privacy == HEADS else None
        for frame in frames:
            image_bgr = scene.render(frame.captured_at_ns)
            if heads is not None:
                heads.hide(image_bgr, frame.captured_at_ns)
            draw_tracks(image_bgr, frame)
            video.add(image_bgr, frame.captured_at_ns)
            if picture_bgr is None and _people(frame) == best:
                picture_bgr = image_bgr
        video.complete()
    if picture_bgr is None:
        return []
    if not cv2.imwrite(str(picture_path), picture_bgr):
        raise OutputError(f"{picture_path} cannot be written; is the disk full?")
    return [video_path, picture_path]


def _people(frame: TrackFrame) -> int:
    return sum(track.state == TrackState.CONFIRMED for track in frame.tracks)


def _settings_of(settings: Settings, url: str) -> Settings:
    return settings.model_copy(
        update={
            "redis": url,
            "log_level": "warning",
            "worker": settings.worker.model_copy(update={"warm_up_px": ((WIDTH_PX, HEIGHT_PX),)}),
            "fleet": settings.fleet.model_copy(update={"workers": 1, "trackers": 1}),
        }
    )


def _with_cameras(settings: Settings, fps: int) -> Settings:
    cameras = {name: CameraSettings(source=f"synthetic:{name}?fps={fps}") for name in CAMERAS}
    return settings.model_copy(update={"cameras": cameras})
