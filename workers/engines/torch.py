"""torch: the .pt file itself, on CUDA where there is a device, else on the CPU.

Our own forward pass over ultralytics' model class (fused), not their predictor: u8 frames go to the device and become
floats there, and while one batch is computed the next one is already on its way.
"""

from __future__ import annotations

import os
import pickle
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

from posebus.errors import EngineError, WeightsError
from workers.engines.base import FloatArray, Head, ImageArray
from workers.ultralytics_process import quiet_environment
from workers.weights import Weights

CUDA_BATCH = 16

_UNREADABLE = (
    pickle.UnpicklingError,
    RuntimeError,
    TypeError,
    ValueError,
    KeyError,
    AttributeError,
    ImportError,
    EOFError,
    OSError,
)
"""What a file that is no checkpoint, or one of another library, makes torch and ultralytics raise."""


class TorchEngine:
    """`Engine` over a .pt file. `precision` is fp32, or fp16 on CUDA; `device` as torch names it."""

    name = "torch"
    in_flight = 3

    def __init__(
        self, weights: Weights, *, device: str, precision: str, threads: int, batch: int | None, folder: Path
    ) -> None:
        # Only what the user has not set: importing ultralytics would look up hosts and write into the home folder.
        for key, value in quiet_environment(folder, online=False).items():
            os.environ.setdefault(key, value)
        import torch

        self._torch = torch
        self._dtype = torch.float16 if precision == "fp16" else torch.float32
        self._network, self.head = _load(weights)
        self._network.to(device=device, dtype=self._dtype, memory_format=torch.channels_last)
        self._cuda = device.startswith("cuda")
        self.device = device
        self.precision = precision
        self.batch = batch or (CUDA_BATCH if self._cuda else 1)
        # On CUDA the first thread only queues kernels, the second waits for their results: the device never idles.
        self._launcher = ThreadPoolExecutor(
            max_workers=1, thread_name_prefix="torch-launch", initializer=torch.set_num_threads, initargs=(threads,)
        )
        self._collector = ThreadPoolExecutor(max_workers=1, thread_name_prefix="torch-collect")

    def submit(self, images_rgb: ImageArray) -> Future[FloatArray]:
        """See `Engine.submit`."""
        staged = self._torch.from_numpy(images_rgb)
        staged = staged.pin_memory() if self._cuda else staged.clone()
        return self._collector.submit(self._collect, self._launcher.submit(self._launch, staged))

    def close(self) -> None:
        """See `Engine.close`."""
        self._launcher.shutdown()
        self._collector.shutdown()

    def _launch(self, staged: Any) -> tuple[Any, Any]:
        """Queue a batch on the device; returns the host tensor that is being filled and the event that says when."""
        torch = self._torch
        with torch.inference_mode():
            planes = staged.to(self.device, non_blocking=True).permute(0, 3, 1, 2).to(self._dtype).div_(255)
            output = self._network(planes.contiguous(memory_format=torch.channels_last))[0]
            if not self._cuda:
                return output.float(), None
            host = torch.empty(output.shape, dtype=torch.float32, pin_memory=True)
            host.copy_(output.float(), non_blocking=True)
            finished = torch.cuda.Event()
            finished.record()
            return host, finished

    @staticmethod
    def _collect(launched: Future[tuple[Any, Any]]) -> FloatArray:
        host, finished = launched.result()
        if finished is not None:
            finished.synchronize()
        # Copied on CUDA: pinned memory is scarce and goes back to torch's pool with `host`.
        output: FloatArray = np.ascontiguousarray(host.numpy()) if finished is None else host.numpy().copy()
        return output


def _load(weights: Weights) -> tuple[Any, Head]:
    """The fused network in evaluation mode, and its head; `weights` have passed the hash check."""
    from ultralytics import YOLO

    try:
        model = YOLO(str(weights.path))
    except _UNREADABLE as error:
        raise WeightsError(
            f"{weights.path} cannot be loaded as ultralytics weights: check the file ({error})"
        ) from error
    if model.task != "pose":
        raise WeightsError(
            f"{weights.path.name} is a model for {model.task}, not for poses: choose weights whose name ends in -pose"
        )
    network = model.model.fuse(verbose=False).eval()
    keypoints, dims = network.model[-1].kpt_shape
    head = Head(
        classes=len(network.names),
        keypoints=int(keypoints),
        keypoint_dims=int(dims),
        end_to_end=bool(getattr(network, "end2end", False)),
        stride=int(max(network.stride)),
    )
    return network, head


def cuda_available() -> bool:
    """Whether torch can compute on a CUDA device; raises EngineError where torch is not installed."""
    try:
        import torch
    except ImportError as error:
        raise EngineError("torch is not installed: install posebus[worker]") from error
    return bool(torch.cuda.is_available())
