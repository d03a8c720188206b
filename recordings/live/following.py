"""Following the cameras of a live run on their public streams, until its time is over or none of them goes on."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from posebus.config.cameras.privacy import HEADS, Privacy
from posebus.runtime.fleet import Fleet, camera_process
from posebus.runtime.processes import EXIT_FATAL
from posebus.subscribing.subscriber import Subscription
from recordings.fleet_watch import Workers
from recordings.live.recorded_camera import RecordedCamera
from recordings.progress import Complain, Progress
from recordings.results.formats.table import STANDARD

POLL_S = 0.1
QUIET_S = 1.0
"""After the sources have stopped, tracks of their last frames come until there were none for so long."""
LONGEST_DRAIN_S = 15.0
FIRST_FRAMES_S = 15.0
"""The time of the run begins when all sources have given tracks, or so long after the first ones."""
GIVE_UP_S = 60.0
"""A run without any track for so long is given up."""
KEPT = ".pictures.partial"


@dataclass(frozen=True, slots=True)
class LiveRequest:
    """What a run is to do; without `seconds` it goes on until Ctrl-C, or until all sources end."""

    sources: Sequence[str]
    folder: Path
    seconds: float | None = None
    video: bool = True
    formats: Sequence[str] = STANDARD
    privacy: Privacy = HEADS


@dataclass(slots=True)
class LiveRun:
    """What a run knows so far. `refused` are sources by name that gave no picture, with the reason."""

    request: LiveRequest
    progress: Progress
    complain: Complain
    facts: dict[str, Any]
    cameras: list[RecordedCamera] = field(default_factory=list)
    refused: dict[str, str] = field(default_factory=dict)
    workers: Workers = field(default_factory=Workers)
    ended_by: str = "end"

    def kept(self, camera: RecordedCamera) -> Path:
        """The file with the camera's pictures, until the video is drawn."""
        return self.request.folder / f"{camera.source.name}{KEPT}"


class LiveReader:
    """Reads the messages of all cameras until the run ends."""

    def __init__(self, run: LiveRun, messages: Subscription, readers: Fleet, watch: Callable[[float], None]) -> None:
        self._run = run
        self._messages = messages
        self._readers = readers
        self._watch = watch
        self._by_name = {camera.source.camera: camera for camera in run.cameras}
        self._stopping = False

    def follow(self, interrupted: Callable[[], bool]) -> None:
        """Return when the seconds are over, or no source goes on, or `interrupted`; the run then knows which."""
        began_s = time.monotonic()
        first_s: float | None = None
        end_s: float | None = None
        seconds = self._run.request.seconds
        while not all(camera.is_over or camera.error for camera in self._run.cameras):
            self._poll(POLL_S)
            if interrupted():
                self._run.ended_by = "interrupt"
                self._run.complain("stopping; the files are completed (Ctrl-C again leaves out the videos)")
                return
            now_s = time.monotonic()
            self._readers.check()
            self._watch(now_s)
            self._find_failed()
            waiting = [one for one in self._run.cameras if not (one.counts.frames or one.is_over or one.error)]
            if first_s is None and len(waiting) < len(self._run.cameras):
                first_s = now_s
            if first_s is None and now_s - began_s > GIVE_UP_S:
                return
            if seconds is not None and end_s is None and first_s is not None:
                ready = not waiting or now_s - first_s > FIRST_FRAMES_S
                end_s = now_s + seconds if ready else None
            if end_s is not None and now_s >= end_s:
                self._run.ended_by = "seconds"
                return

    def drain(self) -> None:
        """Read the tracks of the last frames, then note which cameras gave nothing."""
        self._stopping = True
        end_s = time.monotonic() + LONGEST_DRAIN_S
        while self._poll(QUIET_S) and time.monotonic() < end_s:
            pass
        for camera in self._run.cameras:
            if not camera.counts.frames and camera.error is None:
                why = camera.problem or "no picture of it was inferred; is the machine overloaded?"
                camera.error = f"{camera.source.name} gave no tracks: {why}"
                self._run.complain(camera.error)

    def _poll(self, timeout_s: float) -> bool:
        received = False
        for message in self._messages.poll(timeout_s):
            received = True
            camera = self._by_name.get(message.camera)
            if camera is None or (self._stopping and message.kind == "events"):
                continue
            sentence = camera.add(message)
            if sentence is not None:
                self._run.complain(sentence)
        for camera in self._run.cameras:
            fps, seconds = camera.source.fps, self._run.request.seconds
            expected = None if fps is None or seconds is None else round(fps * seconds)
            if camera.counts.frames:
                counts = camera.counts
                self._run.progress.update(camera.source.name, counts.frames, expected, counts.fps_out or 0.0)
        return received

    def _find_failed(self) -> None:
        for camera in self._run.cameras:
            child = self._readers.processes.children.get(camera_process(camera.source.camera))
            if child is None or child.exit_code != EXIT_FATAL or camera.error is not None or camera.is_over:
                continue
            camera.error = f"{camera.source.name} cannot be read further: {camera.problem or 'the reason is above'}"
            self._run.complain(camera.error)
