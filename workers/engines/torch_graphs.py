"""A network as CUDA graphs: one recording per input shape, replayed without a kernel launch from Python.

A small network is launched slower than it is computed; a graph is launched once. Batches are padded to the next
recorded size: powers of two up to the largest batch, or that alone.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

MAX_GRAPHS = 16
"""Recordings kept, one per batch size and frame shape: each holds its own buffers."""
WARM_UPS = 3
"""Runs before recording, in which cuDNN chooses its algorithms."""


class GraphedNetwork:
    """`network` on a CUDA device, called with (B, 3, H, W) channels last; not thread-safe."""

    def __init__(self, network: Any, batch: int, fixed_batch: bool) -> None:
        """With `fixed_batch` every call computes `batch` frames, so that a frame's answer depends on nothing else."""
        self._network = network
        self._batch = batch
        self._fixed = fixed_batch
        self._graphs: OrderedDict[tuple[int, ...], tuple[Any, Any, Any]] = OrderedDict()

    def __call__(self, planes: Any) -> Any:
        """The network's output (B, …), a tensor of its own; queued on the current stream, not waited for."""
        frames = len(planes)
        padded = self._batch if self._fixed else padded_batch(frames, self._batch)
        key = (padded, *planes.shape[2:])
        if key not in self._graphs:
            if len(self._graphs) >= MAX_GRAPHS:
                self._graphs.popitem(last=False)
            self._graphs[key] = self._record(planes, padded)
        self._graphs.move_to_end(key)
        graph, given, output = self._graphs[key]
        given[:frames].copy_(planes)
        graph.replay()
        # A copy: the next replay overwrites the buffer while this output is still being read.
        return output[:frames].clone()

    def _record(self, planes: Any, padded: int) -> tuple[Any, Any, Any]:
        import torch

        given = torch.zeros((padded, *planes.shape[1:]), dtype=planes.dtype, device=planes.device)
        given = given.contiguous(memory_format=torch.channels_last)
        side = torch.cuda.Stream()
        side.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(side):
            for _ in range(WARM_UPS):
                self._network(given)
        torch.cuda.current_stream().wait_stream(side)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            output = self._network(given)[0]
        return graph, given, output


def padded_batch(frames: int, batch: int) -> int:
    """The recorded size that `frames` are padded to: the next power of two, at most `batch`."""
    return min(batch, 1 << (frames - 1).bit_length())
