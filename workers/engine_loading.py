"""Choosing, building and loading the inference engine of a worker. Nothing heavy is imported before it is used."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from posebus.config.settings import WorkerSettings
from posebus.errors import ConfigError, EngineError, PoseBusError, WeightsError
from posebus.installed.plugins import describe, load_plugins
from posebus.machine.cpus import available_cpus
from workers.engines.base import Engine
from workers.engines.built_in import BUILT_IN, automatic_choice
from workers.engines.spec import Builder, EngineRequest, EngineSpec
from workers.weights.weights import Weights, resolve_weights

PLUGIN_GROUP = "posebus.engines"
"""The entry point group in which other packages name their `EngineSpec`."""

_PARTS = ("name", "precision", "device", "head", "batch", "in_flight", "prepare", "submit", "close")
"""What an engine has to have; see `workers.engines.base.Engine`."""


@dataclass(frozen=True, slots=True)
class EngineChoice:
    """The engine that runs, its arithmetic and its device; `reason` tells people why it was chosen."""

    name: str
    precision: str
    device: str
    reason: str


@cache
def known_engines() -> Mapping[str, EngineSpec]:
    """Return the specs of all engines by name: the built-in ones and those that installed packages add.

    The list is made once for a process.
    """
    return load_plugins(PLUGIN_GROUP, BUILT_IN, EngineSpec)


def choose_engine(settings: WorkerSettings) -> EngineChoice:
    """Return the engine for these settings on this machine; raises EngineError where it cannot run here.

    torch is imported only where the machine shows an NVIDIA device, OpenVINO only to ask whether the CPU has bf16.
    """
    return _chosen(settings)[1]


def load_engine(settings: WorkerSettings, cache_dir: Path) -> Engine:
    """Choose an engine, find the weights, export them if needed, and load; new weights take seconds the first time.

    Raises WeightsError and EngineError with sentences for people.
    """
    spec, choice = _chosen(settings)
    # Before any work: exporting the first network for a minute is in vain where the weights of the second are missing.
    weights = _weights(settings.model, settings, cache_dir)
    outlining = None if settings.masks is None else _weights(settings.masks, settings, cache_dir)
    engine = _built(spec.build, weights, choice, settings, cache_dir)
    try:
        if outlining is not None and spec.build_masks is not None:
            from workers.engines.masking import MaskingEngine

            engine = MaskingEngine(engine, _built(spec.build_masks, outlining, choice, settings, cache_dir))
        return _with_crop_keypoints(engine, settings)
    except (EngineError, WeightsError):
        engine.close()
        raise


def _chosen(settings: WorkerSettings) -> tuple[EngineSpec, EngineChoice]:
    if settings.engine == "auto":
        spec, reason = automatic_choice(settings.precision)
    else:
        spec, reason = _named(settings.engine), "the settings ask for it"
    if not spec.is_installed:
        raise EngineError(
            f"the engine {spec.name} needs the package {spec.module}, which is not installed: "
            f"pip install {spec.install}"
        )
    with _errors_named(spec):
        device = spec.device()
        precisions = spec.precisions(device)
    if settings.precision not in ("auto", *precisions):
        raise EngineError(
            f"the engine {spec.name} does not compute in {settings.precision} on this machine's {device}: "
            f"set precision to {' or '.join(precisions)}, or leave it at auto"
        )
    if settings.masks is not None and spec.build_masks is None:
        able = [one.name for one in BUILT_IN.values() if one.build_masks is not None]
        raise EngineError(
            f"the engine {spec.name} computes no masks: set worker.engine to {' or '.join(able)}, "
            "or leave worker.masks out"
        )
    if not spec.batches and (settings.batch or 1) > 1:
        raise EngineError(f"the engine {spec.name} computes one frame per request: leave batch out")
    precision = precisions[0] if settings.precision == "auto" else settings.precision
    return spec, EngineChoice(name=spec.name, precision=precision, device=device, reason=reason)


def _named(name: str) -> EngineSpec:
    known = known_engines()
    if name not in known:
        raise EngineError(f"there is no engine {name!r}: set worker.engine to auto, {', '.join(sorted(known))}")
    try:
        return known[name]
    except ConfigError as error:
        raise EngineError(str(error)) from error


def _weights(model: str, settings: WorkerSettings, cache_dir: Path) -> Weights:
    return resolve_weights(model, allow_unknown=settings.allow_unknown_weights, cache_dir=cache_dir)


def _built(build: Builder, weights: Weights, choice: EngineChoice, settings: WorkerSettings, cache_dir: Path) -> Engine:
    request = EngineRequest(
        weights=weights, precision=choice.precision, device=choice.device, settings=settings, cache_dir=cache_dir
    )
    with _errors_named(known_engines()[choice.name]):
        engine = build(request)
    missing = [name for name in _PARTS if not hasattr(engine, name)]
    if missing:
        plugin = describe(PLUGIN_GROUP, choice.name)
        raise EngineError(f"{plugin} builds an engine without {', '.join(missing)} ({type(engine).__name__})")
    return engine


@contextmanager
def _errors_named(spec: EngineSpec) -> Iterator[None]:
    """Say which package is at fault where the engine of another one fails in a way that it does not explain itself."""
    try:
        yield
    except PoseBusError:
        raise
    except Exception as error:
        if spec.name in BUILT_IN:
            raise
        reason = f"{type(error).__name__}: {' '.join(str(error).split())}"
        raise EngineError(f"{describe(PLUGIN_GROUP, spec.name)} does not work here: {reason}") from error


def _with_crop_keypoints(engine: Engine, settings: WorkerSettings) -> Engine:
    """Return the engine, wrapped in one that computes keypoints on crops of people where the settings ask for it."""
    if settings.keypoint_model is None and settings.refine_below_px is None:
        return engine
    from workers.keypoints.crop_engine import CropKeypointEngine, LockedEngine

    inner = LockedEngine(engine)
    if settings.keypoint_model is None:
        from workers.keypoints.refining import Refiner

        assert settings.refine_below_px is not None
        return CropKeypointEngine(inner, Refiner(inner, settings.refine_below_px, mirrored=settings.refine_mirrored))
    if settings.refine_below_px is not None:
        raise EngineError(
            "keypoint_model computes the keypoints of all people on crops already: set it, or refine_below_px, "
            "but not both"
        )
    if find_spec("onnxruntime") is None:
        raise EngineError(
            "keypoint_model needs the package onnxruntime, which is not installed: "
            "pip install '.[worker]' in the checkout of posebus"
        )
    from workers.keypoints.model import KeypointModel
    from workers.keypoints.top_down import TopDown

    model = KeypointModel(Path(settings.keypoint_model).expanduser(), settings.threads or available_cpus())
    return CropKeypointEngine(inner, TopDown(model))
