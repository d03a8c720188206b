"""The table of the engines that posebus brings along, and which of them `engine: auto` stands for.

Each builder imports its engine when it is called, so that no runtime is loaded that is not used.
"""

from __future__ import annotations

from pathlib import Path

from posebus.errors import EngineError
from workers.engines.base import Engine
from workers.engines.spec import CPU, EngineRequest, EngineSpec

CUDA = "cuda:0"


def _torch_device() -> str:
    if not _has_nvidia_device():
        return CPU
    from workers.engines.torch import cuda_available

    return CUDA if cuda_available() else CPU


def _has_nvidia_device() -> bool:
    """Whether the system shows an NVIDIA device (or WSL's): importing torch to find out would take seconds.

    The driver is not asked either: CUDA cannot be used in processes that are forked after that.
    """
    return any(Path("/dev").glob("nvidia[0-9]*")) or Path("/dev/dxg").exists()


def _torch_precisions(device: str) -> tuple[str, ...]:
    if not device.startswith("cuda"):
        return ("fp32",)
    from workers.engines.torch import cuda_has_bf16

    return ("fp16", "bf16", "fp32") if cuda_has_bf16() else ("fp16", "fp32")


def _openvino_precisions(device: str) -> tuple[str, ...]:
    """int8 is never the automatic choice: it has to be built, and the user decides how much accuracy it may cost."""
    from workers.engines.openvino import cpu_has_bf16

    return ("bf16", "fp32", "int8") if cpu_has_bf16() else ("fp32", "int8")


def _build_torch(request: EngineRequest) -> Engine:
    from workers.engines.torch import TorchEngine

    return TorchEngine(request)


def _build_openvino(request: EngineRequest) -> Engine:
    from workers.engines.openvino import OpenVINOEngine
    from workers.weights.export import export_onnx, read_head

    path = export_onnx(request.weights, request.cache_dir)
    graph = _int8_graph(request) if request.precision == "int8" else path
    return OpenVINOEngine(graph, read_head(path), request.limits, request.precision, request.threads)


def _build_openvino_masks(request: EngineRequest) -> Engine:
    from workers.engines.openvino import OpenVINOEngine
    from workers.weights.export import export_onnx, read_head

    path = export_onnx(request.weights, request.cache_dir, "segment")
    # Only pose networks are built as 8-bit engines.
    precision = _openvino_precisions(CPU)[0] if request.precision == "int8" else request.precision
    return OpenVINOEngine(path, read_head(path, "segment"), request.limits, precision, request.threads)


def _int8_graph(request: EngineRequest) -> Path:
    """The graph of the 8-bit engine that was built for these weights; raises EngineError where there is none."""
    from workers.weights.int8_cache import build_command, find_built

    built = find_built(request.weights, request.cache_dir)
    if built is None:
        raise EngineError(
            f"no 8-bit engine of {request.weights.name} was built on this machine: "
            f"run '{build_command(request.settings)}' with recordings of your cameras"
        )
    return built.graph


def _build_onnx(request: EngineRequest) -> Engine:
    return _onnx_engine(request, "pose")


def _build_onnx_masks(request: EngineRequest) -> Engine:
    return _onnx_engine(request, "segment")


def _onnx_engine(request: EngineRequest, task: str) -> Engine:
    from workers.engines.onnx import OnnxEngine
    from workers.weights.export import export_onnx, read_head

    path = export_onnx(request.weights, request.cache_dir, task)
    return OnnxEngine(path, read_head(path, task), request.limits, request.threads)


TORCH = EngineSpec(
    name="torch",
    module="torch",
    build=_build_torch,
    precisions=_torch_precisions,
    device=_torch_device,
    batches=True,
)
OPENVINO = EngineSpec(
    name="openvino",
    module="openvino",
    build=_build_openvino,
    precisions=_openvino_precisions,
    build_masks=_build_openvino_masks,
)
ONNX = EngineSpec(
    name="onnx",
    module="onnxruntime",
    build=_build_onnx,
    precisions=lambda device: ("fp32",),
    build_masks=_build_onnx_masks,
)

BUILT_IN = {spec.name: spec for spec in (TORCH, OPENVINO, ONNX)}
"""The engines of posebus by name."""


def automatic_choice(precision: str) -> tuple[EngineSpec, str]:
    """Return the engine that `engine: auto` stands for on this machine, and why; `precision` is that of the settings.

    torch is imported only where the machine shows an NVIDIA device.
    """
    if precision == "int8":
        return OPENVINO, "8-bit engines run in OpenVINO"
    if TORCH.is_installed and TORCH.device() != CPU:
        return TORCH, "there is a CUDA device"
    if OPENVINO.is_installed:
        return OPENVINO, "there is no CUDA device, and OpenVINO is the fastest on a CPU"
    if ONNX.is_installed:
        return ONNX, "there is no CUDA device, and OpenVINO is not installed"
    return TORCH, "there is no CUDA device, and neither OpenVINO nor ONNX Runtime is installed"
