"""torch computes the .pt file itself, on CUDA where there is a device, else on the CPU.

It runs the forward pass of ultralytics' model class (fused), without their predictor: the next batch is transferred
while one is computed.
"""

from __future__ import annotations

import os
import pickle
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from posebus.errors import EngineError, WeightsError
from workers.detections import Detections, Head
from workers.engines.spec import EngineRequest
from workers.engines.torch_device import decode_in_fp32, detections, letterbox, people_rows
from workers.engines.torch_graphs import GraphedNetwork
from workers.images.picture import Picture
from workers.images.preprocess import Letterbox
from workers.outputs.postprocess import detections_from_output
from workers.weights.ultralytics_process import quiet_environment
from workers.weights.weights import Weights

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
"""Errors of torch and ultralytics for a file that is no checkpoint, or one of another library."""


class TorchEngine:
    """An `Engine` for a .pt file. `precision` is fp32, or fp16 or bf16 on CUDA; `device` is named as in torch.

    On CUDA everything but decoding happens on the device: the letterbox, the network as CUDA graphs, and suppression;
    only the detections are copied back. Pictures are decoded on the host, because the colours of people are read from
    the rows anyway, a damaged picture is found before it spoils a batch, and torchvision's nvJPEG decoder writes into
    memory that queued kernels still read (pytorch/vision#9606).
    """

    name = "torch"
    in_flight = 3

    def __init__(self, request: EngineRequest) -> None:
        # Importing ultralytics would look up hosts and write into the home folder. Variables of the user are kept.
        for key, value in quiet_environment(request.cache_dir, online=False).items():
            os.environ.setdefault(key, value)
        import torch

        self._torch = torch
        self._dtype = {"fp16": torch.float16, "bf16": torch.bfloat16}.get(request.precision, torch.float32)
        self._network, self.head = _load(request.weights)
        self._network.to(device=request.device, dtype=self._dtype, memory_format=torch.channels_last)
        if self._dtype != torch.float32:
            decode_in_fp32(self._network.model[-1])
        settings = request.settings
        self._limits = request.limits
        self._cuda = request.device.startswith("cuda")
        self.device = request.device
        self.precision = request.precision
        self.batch = settings.batch or (CUDA_BATCH if self._cuda else 1)
        self._graphs: GraphedNetwork | None = None
        self._reading: Any = None
        if self._cuda:
            exact = request.precision == "fp32"
            self._graphs = GraphedNetwork(self._network, self.batch, fixed_batch=settings.fixed_batch, exact=exact)
            self._reading = torch.cuda.Stream(device=request.device)
        self._lost: str | None = None
        # On CUDA the first thread only queues kernels and the second waits for results, so that the device never idles.
        self._launcher = ThreadPoolExecutor(
            max_workers=1,
            thread_name_prefix="torch-launch",
            initializer=torch.set_num_threads,
            initargs=(request.threads,),
        )
        self._collector = ThreadPoolExecutor(max_workers=1, thread_name_prefix="torch-collect")

    def prepare(self, picture: Picture, fit: Letterbox) -> tuple[Any, Letterbox]:
        """See `Engine.prepare`. The tensor is u8 (3, h, w) RGB."""
        rows = picture.rgb(fit.resized_px)
        if not self._cuda:
            rows = fit.apply(rows)
        image = self._torch.from_numpy(rows).permute(2, 0, 1)
        return image.pin_memory() if self._cuda else image, fit

    def submit(
        self, prepared: Sequence[tuple[Any, Letterbox]], *, low_latency: bool = False
    ) -> Future[list[Detections]]:
        """See `Engine.submit`.

        Raises EngineError after the device was lost: no batch can succeed then, and every frame would be dead-lettered.
        """
        if self._lost is not None:
            raise EngineError(
                f"{self.device} has failed ({self._lost}): restart the worker, and if it happens again, "
                "check nvidia-smi and the system's log"
            )
        images = [image for image, _ in prepared]
        fits = [fit for _, fit in prepared]
        return self._collector.submit(self._collect, self._launcher.submit(self._launch, images, fits))

    def close(self) -> None:
        """See `Engine.close`."""
        self._launcher.shutdown()
        self._collector.shutdown()
        if self._graphs is not None:
            self._graphs.clear()

    def _launch(self, images: list[Any], fits: list[Letterbox]) -> tuple[Any, Any]:
        """Queue a batch on the device; returns the output in computation and the event that marks its completion."""
        torch = self._torch
        with torch.inference_mode():
            if self._graphs is None:
                planes = torch.stack(images).to(self._dtype).div_(255)
                return self._network(planes.contiguous(memory_format=torch.channels_last))[0], None
            # Pinned pictures are copied in the background; torch keeps their memory until the copy is complete.
            placed = [image.to(self.device, non_blocking=True) for image in images]
            output = self._graphs(letterbox(placed, fits, self._dtype))
            finished = torch.cuda.Event()
            finished.record()
            return output, finished

    def _collect(self, launched: Future[tuple[Any, Any]]) -> list[Detections]:
        try:
            return self._people(*launched.result())
        except RuntimeError:
            self._check_device()
            raise

    def _people(self, output: Any, finished: Any) -> list[Detections]:
        torch = self._torch
        with torch.inference_mode():
            if finished is None:
                return [detections_from_output(one, self.head, self._limits) for one in output.float().numpy()]
            # A stream of its own, because the launcher's is already computing the next batch.
            with torch.cuda.stream(self._reading):
                torch.cuda.current_stream().wait_event(finished)
                rows, pictures = people_rows(output, self.head, self._limits)
                # This waits for the stream, so that the output's memory may be reused afterwards.
                return detections(rows, pictures, len(output), self.head)

    def _check_device(self) -> None:
        """Check the device after a failed batch.

        A lack of memory is temporary; after a fault of a kernel or the driver, every CUDA call of this process fails.
        """
        if self._cuda:
            try:
                self._torch.cuda.synchronize(self.device)
            except RuntimeError as error:
                self._lost = str(error).partition("\n")[0]


def _load(weights: Weights) -> tuple[Any, Head]:
    """Return the fused network in evaluation mode, and its head; `weights` have passed the hash check."""
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
        raise EngineError("torch is not installed: pip install '.[worker]' in the checkout of posebus") from error
    return bool(torch.cuda.is_available())


def cuda_has_bf16() -> bool:
    """Whether the CUDA device computes bf16 natively (Ampere and later)."""
    import torch

    return bool(torch.cuda.is_bf16_supported(including_emulation=False))
