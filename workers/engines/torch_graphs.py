"""A network as CUDA graphs: one recording per input shape, replayed without a kernel launch from Python.

A small network is launched slower than it is computed; a graph is launched once. Batches are padded to the next
recorded size: powers of two up to the largest batch, or that alone. What cannot be recorded is launched as it is.
"""

from __future__ import annotations

import logging
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

MAX_GRAPHS = 16
"""Recordings kept, one per batch size and frame shape: each holds its own buffers."""
WARM_UPS = 3
"""Runs before recording, in which libraries load their kernels and choose their algorithms."""

log = logging.getLogger("posebus.worker")


@dataclass(frozen=True, slots=True)
class Recording:
    """A graph, or None where recording failed; its input and output; and tensors that only its kernels still know."""

    graph: Any | None
    given: Any
    output: Any
    kept: tuple[Any, ...]


class GraphedNetwork:
    """`network` on a CUDA device, called with (B, 3, H, W) channels last; not thread-safe."""

    def __init__(self, network: Any, batch: int, fixed_batch: bool, exact: bool) -> None:
        """With `fixed_batch` every call computes `batch` frames, so that a frame's answer depends on nothing else.
        With `exact`, convolutions in fp32 are not computed in TF32, which is no more exact than fp16."""
        self._network = network
        self._batch = batch
        self._fixed = fixed_batch
        self._exact = exact
        self._recordings: OrderedDict[tuple[int, ...], Recording] = OrderedDict()

    def __call__(self, planes: Any) -> Any:
        """The network's output (B, …), a tensor of its own; queued on the current stream, not waited for."""
        frames = len(planes)
        padded = self._batch if self._fixed else padded_batch(frames, self._batch)
        key = (padded, *planes.shape[2:])
        if key not in self._recordings:
            if len(self._recordings) >= MAX_GRAPHS:
                self._recordings.popitem(last=False)
            self._recordings[key] = self._record(planes, padded)
        self._recordings.move_to_end(key)
        recording = self._recordings[key]
        # The rows after `frames` still hold older pictures: no row of a network's output depends on another row.
        recording.given[:frames].copy_(planes)
        if recording.graph is None:
            output: Any = self._compute(recording.given)
            return output[:frames]
        recording.graph.replay()
        # A copy: the next replay overwrites the buffer while this output is still being read.
        return recording.output[:frames].clone()

    def clear(self) -> None:
        """Forget all recordings, before CUDA itself is taken down."""
        self._recordings.clear()

    def _compute(self, given: Any) -> Any:
        import torch

        cudnn = torch.backends.cudnn
        tf32 = cudnn.allow_tf32 and not self._exact
        with cudnn.flags(cudnn.enabled, cudnn.benchmark, deterministic=cudnn.deterministic, allow_tf32=tf32):
            return self._network(given)[0]

    def _record(self, planes: Any, padded: int) -> Recording:
        import torch

        given = torch.zeros((padded, *planes.shape[1:]), dtype=planes.dtype, device=planes.device)
        given = given.contiguous(memory_format=torch.channels_last)
        own = torch.cuda.current_stream()
        side = torch.cuda.Stream()
        side.wait_stream(own)
        with torch.cuda.stream(side):
            for _ in range(WARM_UPS):
                self._compute(given)
        own.wait_stream(side)
        graph = torch.cuda.CUDAGraph()
        try:
            output = capture(graph, lambda: self._compute(given))
        except torch.OutOfMemoryError:
            raise
        except RuntimeError as error:
            # The stream of a recording that failed is left behind as the current one.
            torch.cuda.set_stream(own)
            log.warning("batches of %d are not recorded as a CUDA graph, which is slower: %s", padded, error)
            return Recording(None, given, None, ())
        return Recording(graph, given, output, shape_tensors(self._network))


def capture(graph: Any, compute: Callable[[], Any]) -> Any:
    """Record what `compute` queues into `graph`; returns what it returned, whose tensors each replay writes anew.

    The other threads go on meanwhile: they allocate memory, pin it and wait for events, which the default mode would
    forbid them, and the recording would fail together with their call.
    """
    import torch

    with torch.cuda.graph(graph, capture_error_mode="thread_local"):
        return compute()


def shape_tensors(network: Any) -> tuple[Any, ...]:
    """The anchors that the head of `network` made for the shape that it computed last.

    It drops them as soon as another shape comes, the number of frames included. A graph knows but their address: unless
    somebody keeps them, it would read whatever lies there next, and all boxes would be wrong.
    """
    head = network.model[-1]
    return tuple(getattr(head, name) for name in ("anchors", "strides") if hasattr(head, name))


def padded_batch(frames: int, batch: int) -> int:
    """The recorded size that `frames` are padded to: the next power of two, at most `batch`."""
    return min(batch, 1 << (frames - 1).bit_length())
