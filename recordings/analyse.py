"""Recordings through a running fleet: start their ingest, collect what comes out, write it down."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Generator, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from posebus.bus.redis.connection import Broker
from posebus.bus.registry import Registry
from posebus.config.settings import Settings
from posebus.errors import BrokerUnavailable
from posebus.runtime.fleet import Fleet
from posebus.runtime.processes import EXIT_DONE, EXIT_FATAL
from posebus.subscribing.subscriber import Subscription, subscribe
from recordings.analysis import Analysis, Outcome
from recordings.fleet_watch import Workers, workers
from recordings.inputs import Recording, camera_settings
from recordings.progress import Progress
from recordings.results.files import TracksWriter
from recordings.results.tally import rate
from recordings.stages import STAGES

AT_ONCE = 4
"""Recordings under way at the same time: enough to keep workers busy, few enough for the broker's memory."""
POLL_S = 0.2
PAUSE_S = 0.2
OUTAGE_LIMIT_S = 30.0
"""Longer than a broker takes to restart; one that stays away, such as an embedded one that died, ends the run."""
MAX_RESTARTS = 3
FORGET_AGAIN_S = 1.5
"""Workers and trackers look at the list of cameras more often than this."""


@dataclass(frozen=True, slots=True)
class RunContext:
    """Where recordings are analysed: a broker with a fleet that is ready, and the folder for the files.

    `settings.redis` is the broker's address; `watch(now_s)` is called all the time and raises what must end everything.
    """

    settings: Settings
    broker: Broker
    folder: Path
    watch: Callable[[float], None]


def analyse(recordings: Sequence[Recording], place: RunContext, progress: Progress) -> Generator[Outcome]:
    """Analyse `recordings`, a few at a time; yields the outcome of each when it is over.

    Starts and stops their ingest, nothing else. Raises OutputError and what the watch raises. Whoever stops early
    closes the generator: the files then stay under their partial names.
    """
    settings = _with_cameras(place.settings, recordings, workers(Registry(place.broker)))
    cameras = list(settings.cameras)
    with ExitStack() as stack:
        # "now", before any of the cameras exists: all of their streams, and of the events only what is new.
        messages = stack.enter_context(
            subscribe(
                settings.redis,
                cameras=cameras,
                kinds=("tracks", "events"),
                shards=settings.shards,
                outage_limit_s=OUTAGE_LIMIT_S,
            )
        )
        fleet = stack.enter_context(Fleet(settings, place.broker, STAGES))
        waiting = deque(recordings)
        running: dict[str, Analysis] = {}
        while waiting or running:
            while waiting and len(running) < AT_ONCE:
                recording = waiting.popleft()
                writer = stack.enter_context(TracksWriter(place.folder, recording.name))
                running[recording.camera] = Analysis(recording, writer)
                fleet.start_camera(recording.camera)
            _poll(messages, running, progress)
            # Looking at many messages together leaves the processors to the network.
            time.sleep(PAUSE_S)
            fleet.check()
            place.watch(time.monotonic())
            for camera, outcome in _over(running, fleet):
                del running[camera]
                fleet.processes.stop([_child(camera)], settings.fleet.stop_timeout_s)
                with suppress(BrokerUnavailable):
                    # Now, for its tracks may be thousands of entries; else when everything is cleared away.
                    Registry(place.broker).remove_camera(camera)
                progress.finish(outcome.recording.name)
                yield outcome


def forget(broker: Broker, recordings: Sequence[Recording]) -> None:
    """Remove every trace of `recordings` from the broker.

    A worker or tracker that was busy with one of them may bring a stream of it back, so this looks twice if some live.
    """
    registry = Registry(broker)
    for recording in recordings:
        registry.remove_camera(recording.camera)
    if registry.processes():
        time.sleep(FORGET_AGAIN_S)
        for recording in recordings:
            registry.remove_camera(recording.camera)


def _with_cameras(settings: Settings, recordings: Sequence[Recording], fleet: Workers) -> Settings:
    """`settings` for ingest of `recordings` alone, each in the size that the fleet infers at."""
    from ingest.sources import reduced_size_px

    max_size_px = fleet.largest_imgsz
    # What each frame needs is said by its camera's plan then.
    limit: int | Literal["auto"] | None = "auto" if settings.worker.imgsz == "auto" else max_size_px
    cameras = {
        recording.camera: camera_settings(recording.source).model_copy(
            update={
                "max_size_px": limit,
                "max_backlog_bytes": fleet.backlog_bytes(
                    reduced_size_px(recording.size_px, max_size_px), shared=settings.shared_frames is not None
                ),
            }
        )
        for recording in recordings
    }
    # What ingest would warn of comes as events too, and is said once, with the recording's name.
    return settings.model_copy(update={"cameras": cameras, "log_level": "error"})


def _poll(messages: Subscription, running: dict[str, Analysis], progress: Progress) -> None:
    for message in messages.poll(POLL_S):
        analysis = running.get(message.camera)
        if analysis is not None:
            analysis.take(message)
    for analysis in running.values():
        tally = analysis.tally
        recording = analysis.recording
        progress.update(recording.name, tally.frames, recording.frames_expected, rate(tally.frames, tally.processing_s))


def _over(running: dict[str, Analysis], fleet: Fleet) -> list[tuple[str, Outcome]]:
    """The analyses that came to an end, with what became of them."""
    found = []
    for camera, analysis in running.items():
        if analysis.over():
            found.append((camera, analysis.complete()))
        elif (error := _ingest_error(analysis, fleet)) is not None:
            found.append((camera, analysis.fail(error)))
    return found


def _ingest_error(analysis: Analysis, fleet: Fleet) -> str | None:
    """Why this recording will never end, if its ingest process has given up."""
    source = analysis.recording.source
    child = fleet.processes.children[_child(analysis.recording.camera)]
    if child.restarts >= MAX_RESTARTS:
        return f"{source} crashes the process that reads it, again and again; is the file damaged?"
    if child.exit_code == EXIT_FATAL:
        return analysis.trouble or f"{source} could not be read to its end; see above why"
    if child.exit_code == EXIT_DONE and analysis.trouble:
        return f"{source} was not read to its end: {analysis.trouble}"
    return None


def _child(camera: str) -> str:
    """What `Fleet.start_camera` calls the process."""
    return f"ingest-{camera}"
