"""Inference engines by name, the choice among them, and loading one. Nothing heavy is imported before it is used."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from posebus.config.settings import WorkerSettings
from posebus.errors import EngineError
from posebus.runtime.cpus import available_cpus
from workers.detections import Limits
from workers.engines.base import Engine
from workers.weights.weights import Weights, resolve_weights

MODULES = {"torch": "torch", "openvino": "openvino", "onnx": "onnxruntime"}
"""What has to be importable for each engine."""


@dataclass(frozen=True, slots=True)
class EngineChoice:
    """Which engine runs, in which arithmetic and on which device, and why, in words for a person."""

    name: str
    precision: str
    device: str
    reason: str


Builder = Callable[[Weights, EngineChoice, WorkerSettings, Path], Engine]


def choose_engine(settings: WorkerSettings) -> EngineChoice:
    """The engine for these settings on this machine; raises EngineError where it cannot run here.

    torch is imported only where the machine shows an NVIDIA device, OpenVINO only to ask for bf16.
    """
    name, reason = _choose_name(settings.engine, settings.precision)
    if find_spec(MODULES[name]) is None:
        raise EngineError(f"the engine {name} needs the package {MODULES[name]}: install posebus[worker]")
    device = "cuda:0" if name == "torch" and _torch_has_cuda() else "cpu"
    possible = _precisions(name, device)
    if settings.precision not in ("auto", *possible):
        raise EngineError(
            f"the engine {name} does not compute in {settings.precision} on this machine's {device}: "
            f"set precision to {' or '.join(possible)}, or leave it at auto"
        )
    if name == "torch" and settings.masks is not None:
        raise EngineError(
            "masks are computed by the engines openvino and onnx, on the processor: "
            "set worker.engine to one of them, or leave worker.masks out"
        )
    if name != "torch" and (settings.batch or 1) > 1:
        raise EngineError(f"the engine {name} infers frames as parallel requests of one: leave batch out")
    precision = possible[0] if settings.precision == "auto" else settings.precision
    return EngineChoice(name=name, precision=precision, device=device, reason=reason)


def load_engine(settings: WorkerSettings, cache_dir: Path) -> Engine:
    """Choose, find the weights, export them where needed and load; the first call with new weights takes seconds.

    Raises WeightsError and EngineError with sentences for people.
    """
    choice = choose_engine(settings)
    weights = resolve_weights(settings.model, allow_unknown=settings.allow_unknown_weights, cache_dir=cache_dir)
    engine = _with_masks(ENGINES[choice.name](weights, choice, settings, cache_dir), choice, settings, cache_dir)
    try:
        return _with_second_look(engine, settings)
    except EngineError:
        engine.close()
        raise


def _with_masks(engine: Engine, choice: EngineChoice, settings: WorkerSettings, cache_dir: Path) -> Engine:
    """The engine, or around it one that outlines people, where the settings say so."""
    if settings.masks is None:
        return engine
    from workers.engines.masking import MaskingEngine

    outlines = resolve_weights(settings.masks, allow_unknown=settings.allow_unknown_weights, cache_dir=cache_dir)
    return MaskingEngine(engine, MASK_ENGINES[choice.name](outlines, choice, settings, cache_dir))


def _with_second_look(engine: Engine, settings: WorkerSettings) -> Engine:
    """The engine, or around it one that computes keypoints on crops of people as the settings say."""
    if settings.keypoint_model is None and settings.refine_below_px is None:
        return engine
    from workers.keypoints.second_look import SecondLookEngine, Serialised

    inner = Serialised(engine)
    if settings.keypoint_model is None:
        from workers.keypoints.refining import Refiner

        assert settings.refine_below_px is not None
        return SecondLookEngine(inner, Refiner(inner, settings.refine_below_px, mirrored=settings.refine_mirrored))
    if settings.refine_below_px is not None:
        raise EngineError(
            "keypoint_model looks at everybody on a crop already: set it, or refine_below_px, but not both"
        )
    if find_spec("onnxruntime") is None:
        raise EngineError("keypoint_model needs the package onnxruntime: install posebus[worker]")
    from workers.keypoints.model import KeypointModel
    from workers.keypoints.top_down import TopDown

    model = KeypointModel(Path(settings.keypoint_model).expanduser(), settings.threads or available_cpus())
    return SecondLookEngine(inner, TopDown(model))


def _choose_name(wanted: str, precision: str) -> tuple[str, str]:
    if wanted != "auto":
        return wanted, "asked for by the settings"
    if precision == "int8":
        return "openvino", "8-bit engines run in OpenVINO"
    if find_spec("torch") is not None and _torch_has_cuda():
        return "torch", "there is a CUDA device"
    if find_spec("openvino") is not None:
        return "openvino", "no CUDA device, and OpenVINO is the fastest on a CPU"
    if find_spec("onnxruntime") is not None:
        return "onnx", "no CUDA device, and OpenVINO is not installed"
    return "torch", "no CUDA device, and neither OpenVINO nor ONNX Runtime is installed"


def _precisions(name: str, device: str) -> tuple[str, ...]:
    """What the engine computes natively on the device, first what `auto` takes: the fastest that loses nothing.

    int8 is left to the user: it has to be built, and how much accuracy it may cost is for them to say.
    """
    if name == "openvino":
        from workers.engines.openvino import cpu_has_bf16

        return ("bf16", "fp32", "int8") if cpu_has_bf16() else ("fp32", "int8")
    if not device.startswith("cuda"):
        return ("fp32",)
    return ("fp16", "bf16", "fp32") if _cuda_has_bf16() else ("fp16", "fp32")


def _torch_has_cuda() -> bool:
    if not _has_device_files():
        return False
    from workers.engines.torch import cuda_available

    return cuda_available()


def _cuda_has_bf16() -> bool:
    from workers.engines.torch import cuda_has_bf16

    return cuda_has_bf16()


def _has_device_files() -> bool:
    """Whether the system shows an NVIDIA device (or WSL's), without the seconds that importing torch takes.

    Asking the driver itself would do too, but CUDA cannot be used in processes forked after that.
    """
    return any(Path("/dev").glob("nvidia[0-9]*")) or Path("/dev/dxg").exists()


def _build_torch(weights: Weights, choice: EngineChoice, settings: WorkerSettings, cache_dir: Path) -> Engine:
    from workers.engines.torch import TorchEngine

    return TorchEngine(
        weights,
        limits=_limits(settings),
        device=choice.device,
        precision=choice.precision,
        threads=settings.threads or available_cpus(),
        batch=settings.batch,
        fixed_batch=settings.fixed_batch,
        folder=cache_dir,
    )


def _build_openvino(weights: Weights, choice: EngineChoice, settings: WorkerSettings, cache_dir: Path) -> Engine:
    from workers.engines.openvino import OpenVINOEngine
    from workers.weights.export import export_onnx, read_head

    path = export_onnx(weights, cache_dir)
    graph = _built_graph(weights, settings, cache_dir) if choice.precision == "int8" else path
    threads = settings.threads or available_cpus()
    return OpenVINOEngine(graph, read_head(path), _limits(settings), choice.precision, threads)


def _built_graph(weights: Weights, settings: WorkerSettings, cache_dir: Path) -> Path:
    """The graph of the 8-bit engine that was built for these weights; raises EngineError where there is none."""
    from workers.weights.int8_cache import build_command, find_built

    built = find_built(weights, cache_dir)
    if built is None:
        raise EngineError(
            f"no 8-bit engine of {weights.name} was built on this machine: run '{build_command(settings)}' with "
            "recordings of your cameras"
        )
    return built.graph


def _build_openvino_masks(weights: Weights, choice: EngineChoice, settings: WorkerSettings, cache_dir: Path) -> Engine:
    from workers.engines.openvino import OpenVINOEngine
    from workers.weights.export import export_onnx, read_head

    path = export_onnx(weights, cache_dir, "segment")
    threads = settings.threads or available_cpus()
    # 8-bit engines are built of pose networks only.
    precision = _precisions("openvino", "cpu")[0] if choice.precision == "int8" else choice.precision
    return OpenVINOEngine(path, read_head(path, "segment"), _limits(settings), precision, threads)


def _build_onnx(weights: Weights, choice: EngineChoice, settings: WorkerSettings, cache_dir: Path) -> Engine:
    from workers.engines.onnx import OnnxEngine
    from workers.weights.export import export_onnx, read_head

    path = export_onnx(weights, cache_dir)
    return OnnxEngine(path, read_head(path), _limits(settings), settings.threads or available_cpus())


def _build_onnx_masks(weights: Weights, choice: EngineChoice, settings: WorkerSettings, cache_dir: Path) -> Engine:
    from workers.engines.onnx import OnnxEngine
    from workers.weights.export import export_onnx, read_head

    path = export_onnx(weights, cache_dir, "segment")
    return OnnxEngine(path, read_head(path, "segment"), _limits(settings), settings.threads or available_cpus())


def _limits(settings: WorkerSettings) -> Limits:
    return Limits(conf=settings.conf, iou=settings.iou, max_people=settings.max_people)


ENGINES: dict[str, Builder] = {"torch": _build_torch, "openvino": _build_openvino, "onnx": _build_onnx}
MASK_ENGINES: dict[str, Builder] = {"openvino": _build_openvino_masks, "onnx": _build_onnx_masks}
"""Of segmentation networks, by the engine of the pose network that they run beside."""
