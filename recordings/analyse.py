"""Recordings through a fleet that is ready: start the ingest of each, collect its tracks, write its files."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from posebus.bus.redis.connection import Broker
from posebus.bus.registry import Registry
from posebus.config.rules.reading import rules_to_json
from posebus.config.settings import Settings
from posebus.errors import BrokerUnavailable, OutputError
from posebus.runtime.failures import in_one_sentence
from posebus.runtime.fleet import Fleet, camera_process
from posebus.runtime.processes import EXIT_DONE, EXIT_FATAL
from posebus.subscribing.subscriber import Subscription, subscribe
from recordings.fleet_watch import Workers
from recordings.inputs import Recording
from recordings.interrupts import uninterrupted
from recordings.progress import Progress
from recordings.recording_analysis import RecordingAnalysis, RecordingResult
from recordings.results.formats.table import STANDARD
from recordings.results.tally import Tally, rate
from recordings.results.tracks_writer import TracksWriter
from recordings.stages import STAGES

AT_ONCE = 4
"""Recordings analysed at the same time: enough to keep the workers busy, few enough for the broker's memory."""
POLL_S = 0.2
PAUSE_S = 0.2
OUTAGE_LIMIT_S = 30.0
"""Longer than a broker takes to restart. A longer outage, as when the embedded broker died, ends the run."""
MAX_RESTARTS = 3
OFFLINE_LIMIT_S = 60.0
"""The ingest asks a source that is away again and again; a recording that is away for so long has failed."""
FORGET_AGAIN_S = 1.5
"""Workers and trackers read the list of cameras more often than this."""


@dataclass(frozen=True, slots=True)
class Output:
    """Where the tracks are written, in which formats, and the settings that formats keep in their files (JSON)."""

    folder: Path
    formats: Sequence[str] = STANDARD
    chosen: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RunContext:
    """Where recordings are analysed: a broker with a fleet that is ready, and what is written.

    `settings.redis` is the broker's address. `watch(now_s)` is called several times a second and raises the error that
    ends the whole run. `workers` is what the fleet's workers reported once they were ready.
    """

    settings: Settings
    broker: Broker
    output: Output
    watch: Callable[[float], None]
    workers: Workers


def analyse(recordings: Sequence[Recording], context: RunContext, progress: Progress) -> Generator[RecordingResult]:
    """Analyse `recordings`, a few at a time; yields the result of each as soon as it is over.

    Starts and stops their ingest and no other process. What goes wrong with one recording is the error in its result,
    and the others go on; raises the errors of `context.watch`. A caller that stops early closes the generator: the
    files then keep their partial names.
    """
    settings = _with_cameras(context.settings, recordings, context.workers)
    cameras = list(settings.cameras)
    with ExitStack() as stack:
        # Subscribed before any of the cameras exists, "now" covers their whole streams, and only new events.
        messages = stack.enter_context(
            subscribe(
                settings.redis,
                cameras=cameras,
                kinds=("tracks", "events"),
                shards=settings.shards,
                outage_limit_s=OUTAGE_LIMIT_S,
            )
        )
        fleet = stack.enter_context(Fleet(settings, context.broker, STAGES))
        waiting = deque(recordings)
        running: dict[str, RecordingAnalysis] = {}
        while waiting or running:
            while waiting and len(running) < AT_ONCE:
                recording = waiting.popleft()
                try:
                    writer = stack.enter_context(_writer(recording, context.output))
                except OutputError as error:
                    yield RecordingResult(recording, Tally(), error=str(error))
                    continue
                running[recording.camera] = RecordingAnalysis(recording, writer)
                fleet.start_camera(recording.camera)
            _poll(messages, running, progress)
            # Reading many messages at once leaves the processors to inference.
            time.sleep(PAUSE_S)
            fleet.check()
            context.watch(time.monotonic())
            for camera, result in _finished(running, fleet, time.monotonic()):
                del running[camera]
                fleet.processes.stop([camera_process(camera)], settings.fleet.stop_timeout_s)
                with suppress(BrokerUnavailable):
                    # Done at once, for its tracks may be thousands of entries; during an outage `forget` does it later.
                    Registry(context.broker).remove_camera(camera)
                progress.finish(result.recording.name)
                yield result


def forget(broker: Broker, cameras: Sequence[str]) -> None:
    """Remove everything that belongs to `cameras` from the broker.

    A worker or tracker that was still busy with one of them may create a stream of it anew; so while there are such
    processes, this is done a second time.
    """
    registry = Registry(broker)
    for camera in cameras:
        registry.remove_camera(camera)
    if registry.processes():
        time.sleep(FORGET_AGAIN_S)
        for camera in cameras:
            registry.remove_camera(camera)


def _writer(recording: Recording, output: Output) -> TracksWriter:
    rules = recording.settings.rules
    return TracksWriter(output.folder, recording.name, output.formats, output.chosen, rules_to_json(rules))


def _with_cameras(settings: Settings, recordings: Sequence[Recording], workers: Workers) -> Settings:
    """Return `settings` for the ingest of `recordings` alone, each reduced to the size at which the workers infer."""
    from ingest.sources import reduced_size_px

    max_size_px = workers.largest_imgsz
    cameras = {
        recording.camera: recording.settings.model_copy(
            update={
                "max_size_px": "auto",
                "max_backlog_bytes": workers.backlog_bytes(
                    reduced_size_px(recording.size_px, max_size_px), shared=settings.shared_frames is not None
                ),
            }
        )
        for recording in recordings
    }
    # Warnings of the ingest come as events, too, and are printed once, with the name of the recording.
    return settings.model_copy(update={"cameras": cameras, "log_level": "error"})


def _poll(messages: Subscription, running: dict[str, RecordingAnalysis], progress: Progress) -> None:
    received = messages.poll(POLL_S)
    # Files that an interrupt leaves behind hold all frames up to some frame, not half of one or a gap.
    with uninterrupted():
        for message in received:
            analysis = running.get(message.camera)
            if analysis is not None and analysis.broken is None:
                try:
                    analysis.add(message)
                except Exception as error:  # noqa: BLE001 - the other recordings go on
                    analysis.broken = in_one_sentence(error, about=analysis.recording.name)
    for analysis in running.values():
        tally = analysis.tally
        recording = analysis.recording
        progress.update(recording.name, tally.frames, recording.frames_expected, rate(tally.frames, tally.processing_s))


def _finished(running: dict[str, RecordingAnalysis], fleet: Fleet, now_s: float) -> list[tuple[str, RecordingResult]]:
    """Return the cameras whose analysis is over, with the result of each."""
    found = []
    for camera, analysis in running.items():
        if analysis.broken is None and analysis.is_over():
            found.append((camera, _complete(analysis)))
        elif (error := analysis.broken or _ingest_error(analysis, fleet, now_s)) is not None:
            found.append((camera, analysis.fail(error)))
    return found


def _complete(analysis: RecordingAnalysis) -> RecordingResult:
    try:
        with uninterrupted():
            return analysis.complete()
    except Exception as error:  # noqa: BLE001 - the other recordings go on
        return analysis.fail(in_one_sentence(error, about=analysis.recording.name))


def _ingest_error(analysis: RecordingAnalysis, fleet: Fleet, now_s: float) -> str | None:
    """Return why the end of this recording will never come, if its ingest process has given up or gets nowhere."""
    source = analysis.recording.source
    child = fleet.processes.children[camera_process(analysis.recording.camera)]
    # Not `child.restarts`: a process that lives for a while before it crashes would be started again for ever.
    if analysis.processes(child.process.pid) > MAX_RESTARTS:
        return f"the process that reads {source} crashed or hung {MAX_RESTARTS} times; is the file damaged?"
    if analysis.offline_s(now_s) > OFFLINE_LIMIT_S or analysis.beginnings > MAX_RESTARTS + 1:
        return f"{source} was not read to its end: {analysis.last_trouble}"
    if child.exit_code == EXIT_FATAL:
        return analysis.trouble or f"{source} could not be read to its end; the reason is above"
    if child.exit_code == EXIT_DONE and analysis.trouble:
        return f"{source} was not read to its end: {analysis.trouble}"
    return None
