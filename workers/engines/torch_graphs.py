"""A network as CUDA graphs: one graph per input shape, replayed without kernel launches from Python.

Launching the kernels of a small network takes longer than computing them; a graph is launched once. Batches are padded
to the next recorded size: powers of two up to the largest batch, or only the largest. A network that cannot be recorded
is launched kernel by kernel.
"""

from __future__ import annotations

import logging
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

MAX_GRAPHS = 16
"""Graphs kept, one per batch size and frame shape; each has its own buffers."""
WARM_UPS = 3
"""Runs before recording, in which libraries load kernels and choose algorithms."""

log = logging.getLogger("posebus.worker")


@dataclass(frozen=True, slots=True)
class RecordedGraph:
    """A CUDA graph (None where recording failed), its input and output, and tensors that only its kernels refer to."""

    graph: Any | None
    given: Any
    output: Any
    kept: tuple[Any, ...]


class GraphedNetwork:
    """`network` on a CUDA device, called with (B, 3, H, W) channels last; not thread-safe."""

    def __init__(self, network: Any, batch: int, fixed_batch: bool, exact: bool) -> None:
        """Wrap `network` for batches of at most `batch` frames.

        With `fixed_batch` every call computes `batch` frames, so that a frame's result does not depend on how many
        others are in the batch. With `exact`, fp32 convolutions do not use TF32, which is no more exact than fp16.
        """
        self._network = network
        self._batch = batch
        self._fixed = fixed_batch
        self._exact = exact
        self._graphs: OrderedDict[tuple[int, ...], RecordedGraph] = OrderedDict()

    def __call__(self, planes: Any) -> Any:
        """Return the network's output (B, …) in a tensor of its own, queued on the current stream."""
        frames = len(planes)
        padded = self._batch if self._fixed else padded_batch(frames, self._batch)
        key = (padded, *planes.shape[2:])
        if key not in self._graphs:
            if len(self._graphs) >= MAX_GRAPHS:
                self._graphs.popitem(last=False)
            self._graphs[key] = self._record(planes, padded)
        self._graphs.move_to_end(key)
        recorded = self._graphs[key]
        # The rows after `frames` still hold older pictures: no row of a network's output depends on another row.
        recorded.given[:frames].copy_(planes)
        if recorded.graph is None:
            output: Any = self._compute(recorded.given)
            return output[:frames]
        recorded.graph.replay()
        # A copy, because the next replay overwrites the buffer while this output is still being read.
        return recorded.output[:frames].clone()

    def clear(self) -> None:
        """Drop all graphs, before CUDA itself is shut down."""
        self._graphs.clear()

    def _compute(self, given: Any) -> Any:
        import torch

        cudnn = torch.backends.cudnn
        tf32 = cudnn.allow_tf32 and not self._exact
        with cudnn.flags(cudnn.enabled, cudnn.benchmark, deterministic=cudnn.deterministic, allow_tf32=tf32):
            return self._network(given)[0]

    def _record(self, planes: Any, padded: int) -> RecordedGraph:
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
            # A failed recording leaves its stream behind as the current one.
            torch.cuda.set_stream(own)
            log.warning("batches of %d cannot be recorded as a CUDA graph and will be slower: %s", padded, error)
            return RecordedGraph(None, given, None, ())
        return RecordedGraph(graph, given, output, shape_tensors(self._network))


def capture(graph: Any, compute: Callable[[], Any]) -> Any:
    """Record the kernels that `compute` queues into `graph`; returns its result, whose tensors each replay rewrites.

    Other threads allocate memory, pin it and wait for events meanwhile. The default mode forbids that and would fail
    both their call and the recording.
    """
    import torch

    with torch.cuda.graph(graph, capture_error_mode="thread_local"):
        return compute()


def shape_tensors(network: Any) -> tuple[Any, ...]:
    """Return the anchors that the head of `network` made for the shape it computed last.

    The head drops them at the next other shape (or batch size). A graph refers to them by address only: unless they are
    kept, it would read other data there, and all boxes would be wrong.
    """
    head = network.model[-1]
    return tuple(getattr(head, name) for name in ("anchors", "strides") if hasattr(head, name))


def padded_batch(frames: int, batch: int) -> int:
    """Return the recorded size to which `frames` are padded: the next power of two, at most `batch`."""
    return min(batch, 1 << (frames - 1).bit_length())
