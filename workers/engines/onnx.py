"""ONNX Runtime on the CPU in fp32, for machines on which OpenVINO does not run."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import numpy as np

from posebus.arrays import Float32Array
from posebus.errors import EngineError
from workers.detections import Detections, Head, ImageArray, Limits
from workers.images.picture import Picture
from workers.images.preprocess import Letterbox
from workers.outputs.mask_output import people_in


class OnnxEngine:
    """An `Engine` for an exported ONNX file; one session serves every frame shape."""

    name = "onnx"
    precision = "fp32"
    device = "cpu"
    batch = 1
    in_flight = 2

    def __init__(self, path: Path, head: Head, limits: Limits, threads: int) -> None:
        import onnxruntime
        from onnxruntime.capi import onnxruntime_pybind11_state as state

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        # Threads that spin while they wait would take cores from decoding the next frames.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        try:
            self._session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        except (
            state.Fail,
            state.InvalidGraph,
            state.InvalidProtobuf,
            state.NoSuchFile,
            state.RuntimeException,
        ) as error:
            raise EngineError(
                f"ONNX Runtime cannot load {path.name}: delete it so that it is exported again ({error})"
            ) from error
        self._input = self._session.get_inputs()[0].name
        self._executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix="onnx")
        self._limits = limits
        self.head = head

    def prepare(self, picture: Picture, fit: Letterbox) -> ImageArray:
        """See `Engine.prepare`."""
        return fit.apply(picture.rgb(fit.resized_px))

    def submit(self, prepared: Sequence[ImageArray], *, low_latency: bool = False) -> Future[list[Detections]]:
        """See `Engine.submit`."""
        return self._executor.submit(self._infer, np.stack(prepared))

    def close(self) -> None:
        """See `Engine.close`."""
        self._executor.shutdown()

    def _infer(self, images_rgb: ImageArray) -> list[Detections]:
        outputs = self._session.run(None, {self._input: to_float_planes(images_rgb)})
        return [people_in(of_one, self.head, self._limits) for of_one in zip(*outputs, strict=True)]


def to_float_planes(images_rgb: ImageArray) -> Float32Array:
    """Convert u8 (B, H, W, 3) to float32 (B, 3, H, W) in 0..1, C-contiguous."""
    planes = images_rgb.transpose(0, 3, 1, 2).astype(np.float32, order="C")
    planes /= np.float32(255)
    return planes
