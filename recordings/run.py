"""`posebus run`: recordings through a whole deployment that lives as long as the run."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, closing, nullcontext
from dataclasses import dataclass, field
from pathlib import Path

from posebus.bus.redis.connection import Broker, open_broker
from posebus.bus.registry import Registry
from posebus.config.settings import EMBEDDED, Settings
from posebus.errors import ConfigError, PoseBusError
from posebus.runtime.embedded import broker_for
from posebus.runtime.fleet import Fleet
from posebus.runtime.shared_frames import BYTES_PER_PIXEL, shared_folder
from recordings.analyse import AT_ONCE, RunContext, analyse, forget
from recordings.analysis import Outcome
from recordings.fleet_watch import FRAMES_WANTED, FleetWatch, Workers, watch_own, workers
from recordings.inputs import Recording, camera_settings, look_at_all
from recordings.progress import Progress
from recordings.results.files import make_folder, writing
from recordings.results.summary import FILE_NAME, Summary, summarise, write_partial_summary, write_summary
from recordings.results.video import annotate
from recordings.stages import STAGES

FLEET_PATIENCE_S = 30.0
MAX_WARM_UPS = 8
"""Picture sizes for which the engine is set up in advance; with more, loading would take longer than it saves."""

Complain = Callable[[object], None]


@dataclass(frozen=True, slots=True)
class Order:
    """What is wanted of a run. `sources` are files or folders of pictures; everything is written into `folder`."""

    sources: Sequence[str]
    folder: Path
    video: bool = True


@dataclass(slots=True)
class Findings:
    """What a run knows so far."""

    recordings: list[Recording] = field(default_factory=list)
    refused: dict[str, str] = field(default_factory=dict)
    outcomes: list[Outcome] = field(default_factory=list)
    workers: Workers = field(default_factory=Workers)
    began_at_s: float = field(default_factory=time.monotonic)

    def summary(self) -> Summary:
        """What stands in summary.json, inputs in the order in which they were given."""
        order = {recording.name: position for position, recording in enumerate(self.recordings)}
        outcomes = sorted(self.outcomes, key=lambda outcome: order[outcome.recording.name])
        return summarise(outcomes, self.workers, time.monotonic() - self.began_at_s, self.refused)


def run_recordings(settings: Settings, order: Order, progress: Progress, complain: Complain) -> Summary:
    """Analyse the recordings of `order` and write their files; returns what stands in summary.json.

    A recording that cannot be used is told to `complain`, stands under "failed", and does not stop the others.
    Raises OutputError, ConfigError, and what a broker or a fleet that cannot work raises. On KeyboardInterrupt the
    children are stopped in order, and what is not complete stays under names that end in ".partial".
    """
    shared = settings.redis != EMBEDDED
    if settings.fleet.workers == 0 and not shared:
        raise ConfigError("without workers of its own a run needs those of a broker: give its address with --redis URL")
    make_folder(order.folder)
    with writing(order.folder / FILE_NAME):
        # An older summary would tell of other files than those that come to lie beside it.
        (order.folder / FILE_NAME).unlink(missing_ok=True)
    progress.say("looking at the recordings")
    found = Findings()
    try:
        # In a broker that others use too, no name may be taken already.
        found.recordings, found.refused = look_at_all(order.sources, f"-{uuid.uuid4().hex[:8]}" if shared else "")
        for error in found.refused.values():
            complain(error)
        if found.recordings:
            with broker_for(settings.redis) as url, _memory_for(settings, found.recordings) as folder:
                fleet_settings = _settings_of(settings, url, found.recordings, folder)
                _analyse(found, fleet_settings, order, progress, complain)
        if order.video:
            _draw(found, order.folder, progress, complain)
    except KeyboardInterrupt:
        write_partial_summary(order.folder, found.summary())
        complain(f"stopped; what was done so far is in {order.folder}, files that end in .partial are incomplete")
        raise
    summary = found.summary()
    write_summary(order.folder, summary)
    return summary


def _memory_for(settings: Settings, recordings: Sequence[Recording]) -> AbstractContextManager[Path | None]:
    """A folder through which pictures go uncompressed, if everybody who needs them is on this machine."""
    from ingest.sources import reduced_size_px

    if settings.redis != EMBEDDED or settings.shared_frames is not None:
        return nullcontext(settings.shared_frames)
    sizes_px = [reduced_size_px(recording.size_px, settings.worker.largest_imgsz) for recording in recordings]
    largest_bytes = max(width * height * BYTES_PER_PIXEL for width, height in sizes_px)
    frames = max(FRAMES_WANTED.values()) * settings.fleet.workers
    return shared_folder(largest_bytes * frames * min(AT_ONCE, len(recordings)))


def _settings_of(settings: Settings, url: str, recordings: Sequence[Recording], shared: Path | None) -> Settings:
    """`settings` for workers and trackers on the broker at `url`, with an engine that is warm for the recordings."""
    sizes_px = tuple(dict.fromkeys(recording.size_px for recording in recordings))[:MAX_WARM_UPS]
    return settings.model_copy(
        update={
            "redis": url,
            "cameras": {},
            "shared_frames": shared,
            # News of the stages would tear the progress apart; their warnings must be seen.
            "log_level": "warning",
            # Full batches, so that no frame's answer depends on which others happened to be there.
            "worker": settings.worker.model_copy(update={"warm_up_px": sizes_px, "fixed_batch": True}),
        }
    )


def _analyse(found: Findings, settings: Settings, order: Order, progress: Progress, complain: Complain) -> None:
    broker = open_broker(settings.redis, settings.shards)
    try:
        with Fleet(settings, broker, STAGES) as fleet:
            watch = _make_ready(fleet, settings, broker, progress)
            found.workers = workers(Registry(broker))
            place = RunContext(settings, broker, order.folder, watch)
            with closing(analyse(found.recordings, place, progress)) as outcomes:
                for outcome in outcomes:
                    found.outcomes.append(outcome)
                    for text in filter(None, (outcome.error, outcome.warning)):
                        complain(text)
    finally:
        _forget(broker, found.recordings, complain)


def _make_ready(fleet: Fleet, settings: Settings, broker: Broker, progress: Progress) -> Callable[[float], None]:
    """Workers and trackers up to the first frame, our own or those of the broker; returns the watch over them."""
    if settings.fleet.workers:
        tend = watch_own(fleet)
        progress.say("loading the network (the first time it is exported, which takes longer)")
        fleet.start_trackers()
        fleet.start_workers()
        fleet.wait_until_ready(lambda ready, wanted: tend(time.monotonic()))
        return tend
    progress.say(f"waiting for workers and trackers at {broker.where}")
    others = FleetWatch(Registry(broker), broker.where, FLEET_PATIENCE_S)
    others.wait()
    return others


def _forget(broker: Broker, recordings: Sequence[Recording], complain: Complain) -> None:
    try:
        forget(broker, recordings)
    except PoseBusError as error:
        complain(f"the streams of this run could not be removed from the broker: {error}")


def _draw(found: Findings, folder: Path, progress: Progress, complain: Complain) -> None:
    """One video after the other, now that the processors have nothing else to do."""
    for outcome in [outcome for outcome in found.outcomes if outcome.error is None]:
        name, source = outcome.recording.name, outcome.recording.source
        try:
            annotate(camera_settings(source), folder / f"{name}.tracks.jsonl", name, progress)
        except PoseBusError as error:
            complain(error)
            found.refused[name] = str(error)
