"""The fleet of a run: its own workers and trackers, or those of a running deployment."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from contextlib import AbstractContextManager, closing, nullcontext
from pathlib import Path

from posebus.bus.redis.connection import Broker, open_broker
from posebus.bus.registry import Registry
from posebus.config.settings import EMBEDDED, Settings
from posebus.errors import PoseBusError
from posebus.runtime.embedded import broker_for
from posebus.runtime.fleet import Fleet
from posebus.runtime.shared_frames import BYTES_PER_PIXEL, shared_folder
from recordings.analyse import AT_ONCE, Output, RunContext, analyse, forget
from recordings.fleet_watch import FRAMES_WANTED, Workers, wait_for_fleet, workers
from recordings.inputs import Recording
from recordings.progress import Complain, Progress
from recordings.recording_analysis import RecordingResult
from recordings.stages import STAGES

MAX_WARM_UPS = 8
"""Picture sizes for which the engine is warmed up; with more, loading would take longer than that saves."""


def analyse_with_fleet(
    settings: Settings,
    recordings: Sequence[Recording],
    output: Output,
    progress: Progress,
    on_ready: Callable[[Workers], None],
    complain: Complain,
) -> Generator[RecordingResult]:
    """Yield the result of each of `recordings`, whose files are written as `output` says.

    Broker, workers and trackers live as long as this runs. `on_ready` gets how the workers are set up, before any
    recording is analysed. Raises the errors of a broker or fleet that cannot work; close it to stop early.
    """
    with broker_for(settings.redis) as url, _shared_memory(settings, recordings) as shared:
        # Full batches, so that the result of a frame does not depend on the frames beside it.
        sizes_px = [recording.size_px for recording in recordings]
        settings = fleet_settings(settings, url, sizes_px, shared_frames=shared, fixed_batch=True)
        broker = open_broker(url, settings.shards)
        try:
            with Fleet(settings, broker, STAGES) as fleet:
                watch = wait_for_fleet(fleet, settings, broker, progress)
                found = workers(Registry(broker))
                on_ready(found)
                context = RunContext(settings, broker, output, watch, found)
                with closing(analyse(recordings, context, progress)) as results:
                    yield from results
        finally:
            forget_all(broker, [recording.camera for recording in recordings], complain)


def _shared_memory(settings: Settings, recordings: Sequence[Recording]) -> AbstractContextManager[Path | None]:
    """Return a folder for uncompressed pictures if all processes that need them run on this machine."""
    from ingest.sources import reduced_size_px

    if settings.redis != EMBEDDED or settings.shared_frames is not None:
        return nullcontext(settings.shared_frames)
    sizes_px = [reduced_size_px(recording.size_px, settings.worker.largest_imgsz) for recording in recordings]
    largest_bytes = max(width * height * BYTES_PER_PIXEL for width, height in sizes_px)
    frames = max(FRAMES_WANTED.values()) * settings.fleet.workers
    return shared_folder(largest_bytes * frames * min(AT_ONCE, len(recordings)))


def fleet_settings(
    settings: Settings,
    url: str,
    sizes_px: Sequence[tuple[int, int]],
    *,
    shared_frames: Path | None,
    fixed_batch: bool,
) -> Settings:
    """Return the settings of a run's workers and trackers at `url`: their engine is warmed up for these sizes.

    shared_frames, fixed_batch: as the fields of these names.
    """
    warm_up_px = tuple(dict.fromkeys(sizes_px))[:MAX_WARM_UPS]
    return settings.model_copy(
        update={
            "redis": url,
            "cameras": {},
            "shared_frames": shared_frames,
            # Information from the stages would break up the progress bars; warnings must be shown.
            "log_level": "warning",
            "worker": settings.worker.model_copy(update={"warm_up_px": warm_up_px, "fixed_batch": fixed_batch}),
        }
    )


def forget_all(broker: Broker, cameras: Sequence[str], complain: Complain) -> None:
    """Remove the cameras of a run from the broker; `complain` gets the reason where that fails."""
    try:
        forget(broker, cameras)
    except PoseBusError as error:
        complain(f"the streams of this run could not be removed from the broker: {error}")
