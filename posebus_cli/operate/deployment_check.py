"""What of a valid configuration cannot work on this machine: sources, sinks, weights, engine. Nothing stays open."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from posebus.errors import PoseBusError, SourceMissing, SourceUnavailable
from posebus.installed.extras import has_runtime, has_sources
from posebus.wording import did_you_mean

if TYPE_CHECKING:
    from posebus.config.problems import FieldPath
    from posebus.config.settings import CameraSettings, Settings, WorkerSettings


@dataclass(frozen=True, slots=True)
class Obstacle:
    """Why the value of the field `path` cannot work here. `lasting`: waiting does not help."""

    path: FieldPath
    problem: str
    lasting: bool = True


def obstacles(settings: Settings) -> Iterator[Obstacle]:
    """Yield everything that stands against running these cameras and workers on this machine.

    Cameras are left out where the extra `ingest` is not installed, workers where nothing runs a network.
    """
    from posebus.config.loading import cache_folder

    yield from _broker_obstacles(settings.redis)
    frames = settings.shared_frames
    if frames is not None and not (frames.is_dir() and os.access(frames, os.W_OK)):
        yield Obstacle(("shared_frames",), f"there is no folder {frames} that this user can write to")
    yield from _sink_obstacles(settings)
    if has_sources():
        yield from _source_obstacles(settings)
    if settings.fleet.workers > 0 and has_runtime():
        yield from _cache_obstacles(cache_folder(settings))
        yield from _weights_obstacles(settings)
        yield from _engine_obstacles(settings.worker)


def same_sources(settings: Settings) -> Iterator[tuple[FieldPath, str]]:
    """Yield the cameras with the same source as an earlier one: allowed, but often a slip of copying."""
    first: dict[str, str] = {}
    for name, camera in settings.cameras.items():
        if camera.source in first:
            yield ("cameras", name, "source"), f"the camera {first[camera.source]!r} has the same source"
        first.setdefault(camera.source, name)


def idle_filters(settings: Settings) -> Iterator[tuple[FieldPath, str]]:
    """Yield what sinks filter by and this file does not have: allowed, as other files may, but often a slip."""
    from posebus.event_types import EventType

    rules = {rule for camera in settings.cameras.values() for rule in camera.rules}
    for name, sink in settings.sinks.items() if settings.cameras else ():
        for field, noun, known in (("cameras", "camera", {*settings.cameras}), ("rules", "rule", rules)):
            for given in getattr(sink, field) or ():
                if given not in known:
                    yield ("sinks", name, field), _not_here(f"there is no {noun} {given!r} in this file", given, known)
        types = {one.value for one in EventType}
        for given in sink.types or ():
            found = any(one.startswith(given[:-1]) if given.endswith("*") else one == given for one in types)
            if given.startswith("posebus.") and not found:  # rules of packages may have types of their own
                yield (
                    ("sinks", name, "types"),
                    _not_here(f"no event is of the type {given!r}", given.rstrip(".*"), types),
                )


def _not_here(sentence: str, given: str, known: Iterable[str]) -> str:
    hint = did_you_mean(given, sorted(known))
    return f"{sentence}; {hint}" if hint else sentence


def _broker_obstacles(redis: str) -> Iterator[Obstacle]:
    """Addresses that no server could answer; a broker that is down may be started later."""
    from posebus.bus.redis.connection import addresses, connect
    from posebus.config.settings import EMBEDDED

    if redis == EMBEDDED:
        return
    try:
        for address in addresses(redis):
            connect(address).close()
    except PoseBusError as error:
        yield Obstacle(("redis",), str(error))


def _cache_obstacles(wanted: Path) -> Iterator[Obstacle]:
    """Workers store exported networks there; trackers do without if they have to."""
    folder = next((one for one in (wanted, *wanted.parents) if one.exists()), wanted)
    if not (folder.is_dir() and os.access(folder, os.W_OK)):
        yield Obstacle(("cache_dir",), f"{wanted} cannot be written to: name another folder")


def _source_obstacles(settings: Settings) -> Iterator[Obstacle]:
    devices: dict[str, str] = {}
    for name, camera in settings.cameras.items():
        path = ("cameras", name, "source")
        try:
            device = _device(camera)
        except (SourceMissing, SourceUnavailable) as error:
            yield Obstacle(path, str(error), lasting=False)
        except PoseBusError as error:
            yield Obstacle(path, str(error))
        else:
            if device is not None and device in devices:
                problem = f"the camera {devices[device]!r} has the same device, which only one of them can read"
                yield Obstacle(path, problem)
            elif device is not None:
                devices[device] = name


def _sink_obstacles(settings: Settings) -> Iterator[Obstacle]:
    from posebus.sinks.checking import check_sink

    for name, sink in settings.sinks.items():
        try:
            check_sink(name, sink)
        except PoseBusError as error:
            yield Obstacle(("sinks", name), str(error))


def _device(camera: CameraSettings) -> str | None:
    from ingest.sources import check_source

    return check_source(camera)


def _weights_obstacles(settings: Settings) -> Iterator[Obstacle]:
    from posebus.config.loading import cache_folder
    from workers.weights.weights import find_weights

    worker, folder = settings.worker, cache_folder(settings)
    for field, model in (("model", worker.model), ("masks", worker.masks)):
        if model is None:
            continue
        try:
            find_weights(model, allow_unknown=worker.allow_unknown_weights, cache_dir=folder)
        except PoseBusError as error:
            yield Obstacle(("worker", field), str(error))


def _engine_obstacles(worker: WorkerSettings) -> Iterator[Obstacle]:
    from workers.engine_loading import choose_engine

    # Asking what an engine can do loads it, which takes a second; what is all automatic is always possible.
    if (worker.engine, worker.precision, worker.masks, worker.batch) != ("auto", "auto", None, None):
        try:
            choose_engine(worker)
        except PoseBusError as error:
            yield Obstacle(("worker", "engine" if worker.engine != "auto" else "precision"), str(error))
    if worker.keypoint_model is not None:
        path = Path(worker.keypoint_model).expanduser()
        if not path.is_file():
            yield Obstacle(("worker", "keypoint_model"), f"there is no file {path}: check the path")
        if worker.refine_below_px is not None:
            yield Obstacle(("worker", "refine_below_px"), "has no effect with keypoint_model: leave one of them out")
