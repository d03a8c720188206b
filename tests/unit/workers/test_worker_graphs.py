"""CUDA graphs of a network, simulated by graphs that compute on the CPU."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from workers.engines import torch_graphs
from workers.engines.torch_graphs import GraphedNetwork, capture, padded_batch, shape_tensors


class Graph:
    """A stand-in for `torch.cuda.CUDAGraph`: each replay rewrites the same output."""

    replay: Callable[[], Any]


class Network:
    """A network that adds its head's anchors for the shape to the mean of each picture, like ultralytics' heads."""

    def __init__(self) -> None:
        import torch

        self.model = [SimpleNamespace(anchors=torch.empty(0), strides=torch.empty(0), shape=None)]
        self.calls = 0

    def __call__(self, planes: Any) -> tuple[Any, None]:
        import torch

        head = self.model[-1]
        self.calls += 1
        if head.shape != planes.shape:
            head.shape, head.anchors, head.strides = planes.shape, torch.ones(1), torch.ones(1)
        return planes.mean(dim=(1, 2, 3)) + 0 * head.anchors, None


@pytest.fixture
def no_device(monkeypatch: pytest.MonkeyPatch) -> None:
    """Replace CUDA's streams by ones that do nothing, and its graphs by ones that compute again."""

    import torch

    stream = SimpleNamespace(wait_stream=lambda other: None)
    monkeypatch.setattr(torch.cuda, "Stream", lambda: stream)
    monkeypatch.setattr(torch.cuda, "current_stream", lambda: stream)
    monkeypatch.setattr(torch.cuda, "stream", lambda chosen: contextlib.nullcontext())
    monkeypatch.setattr(torch.cuda, "set_stream", lambda chosen: None)
    monkeypatch.setattr(torch.cuda, "CUDAGraph", Graph)

    def recorded(graph: Graph, compute: Callable[[], Any]) -> Any:
        output = compute()
        graph.replay = lambda: output.copy_(compute())
        return output

    monkeypatch.setattr(torch_graphs, "capture", recorded)


def planes(*greys: float) -> Any:
    import torch

    return torch.stack([torch.full((3, 4, 4), float(grey)) for grey in greys])


@pytest.mark.usefixtures("no_device")
def test_next_batch_does_not_overwrite_an_output() -> None:
    graphed = GraphedNetwork(Network(), batch=4, fixed_batch=False, exact=False)
    first = graphed(planes(1, 2, 3))
    second = graphed(planes(7, 8, 9, 10))
    assert first.tolist() == [1, 2, 3]
    assert second.tolist() == [7, 8, 9, 10]
    assert graphed(planes(5)).tolist() == [5]


@pytest.mark.usefixtures("no_device")
def test_graph_keeps_the_anchors_that_the_head_drops_at_the_next_shape() -> None:
    network = Network()
    graphed = GraphedNetwork(network, batch=4, fixed_batch=False, exact=False)
    graphed(planes(1, 2))
    held = shape_tensors(network)
    graphed(planes(1, 2, 3, 4))
    assert shape_tensors(network)[0] is not held[0]
    kept = [recording.kept for recording in graphed._graphs.values()]
    assert kept[0][0] is held[0]
    assert kept[0][1] is held[1]
    assert kept[1][0] is not held[0]


@pytest.mark.usefixtures("no_device")
def test_network_that_cannot_be_recorded_is_still_computed(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(graph: Graph, compute: Callable[[], Any]) -> Any:
        raise RuntimeError("operation not permitted when stream is capturing")

    monkeypatch.setattr(torch_graphs, "capture", refuse)
    graphed = GraphedNetwork(Network(), batch=4, fixed_batch=True, exact=False)
    assert graphed(planes(1, 2)).tolist() == [1, 2]
    assert graphed(planes(3)).tolist() == [3]
    assert [record.levelname for record in caplog.records] == ["WARNING"]


@pytest.mark.usefixtures("no_device")
def test_out_of_memory_does_not_disable_recording(monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    def full(graph: Graph, compute: Callable[[], Any]) -> Any:
        raise torch.OutOfMemoryError("CUDA out of memory")

    graphed = GraphedNetwork(Network(), batch=4, fixed_batch=False, exact=False)
    with monkeypatch.context() as patched:
        patched.setattr(torch_graphs, "capture", full)
        with pytest.raises(torch.OutOfMemoryError):
            graphed(planes(1))
    graphed(planes(1))
    calls = graphed._network.calls
    graphed(planes(1))
    assert graphed._network.calls == calls + 1  # the replay


def test_other_threads_may_use_the_device_while_a_graph_is_recorded(monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    modes = []

    @contextlib.contextmanager
    def graph(recorded: Any, capture_error_mode: str = "global") -> Iterator[None]:
        modes.append(capture_error_mode)
        yield

    monkeypatch.setattr(torch.cuda, "graph", graph)
    assert capture(object(), lambda: 7) == 7
    assert modes == ["thread_local"]


@pytest.mark.parametrize("exact", [True, False])
@pytest.mark.usefixtures("no_device")
def test_exact_fp32_does_not_use_tf32(exact: bool) -> None:
    import torch

    seen = []

    class Looking(Network):
        def __call__(self, planes: Any) -> tuple[Any, None]:
            seen.append(torch.backends.cudnn.allow_tf32)
            return super().__call__(planes)

    before = torch.backends.cudnn.allow_tf32
    GraphedNetwork(Looking(), batch=1, fixed_batch=False, exact=exact)(planes(1))
    assert set(seen) == {before and not exact}
    assert torch.backends.cudnn.allow_tf32 == before


@pytest.mark.parametrize(("frames", "padded"), [(1, 1), (2, 2), (3, 4), (5, 8), (9, 12), (12, 12)])
def test_batches_are_padded_to_a_few_sizes(frames: int, padded: int) -> None:
    assert padded_batch(frames, 12) == padded
