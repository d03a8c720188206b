"""The inputs of calibration, and the layers that stay in floating point. Nothing is quantised here."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from posebus.errors import EngineError
from workers.int8 import quantisation
from workers.int8.quantisation import first_layers, last_layers, quantised, with_mosaics


def test_every_second_picture_becomes_a_mosaic() -> None:
    inputs = [np.full((64, 96, 3), 20 * n, np.uint8) for n in range(8)]
    mixed = with_mosaics(inputs)
    assert [image.shape for image in mixed] == [image.shape for image in inputs]
    for index in (0, 2, 4, 6):
        assert mixed[index] is inputs[index]
    assert {int(value) for value in np.unique(mixed[1])} == {20, 60, 100, 140}
    # Of nine tiles in a row of eight pictures two are the same; 64 rows leave one of padding.
    assert len({int(value) for value in np.unique(mixed[3])} - {114}) == 8
    assert (mixed[3][63] == 114).all()
    assert (inputs[1] == 20).all()


def test_recordings_of_different_shapes_are_mixed() -> None:
    inputs = [np.zeros((64, 96, 3), np.uint8), np.ones((96, 64, 3), np.uint8)]
    assert with_mosaics(inputs)[1].shape == (96, 64, 3)


@pytest.fixture
def network() -> Any:
    """Return a network of two branches behind a common convolution; one ends like a head that decodes boxes."""
    import openvino
    from openvino import opset13 as ops

    def layer(source: Any, name: str, inputs: int, outputs: int) -> Any:
        weights = ops.constant(np.ones((outputs, inputs, 1, 1), np.float32))
        result = ops.convolution(source, weights, [1, 1], [0, 0], [0, 0], [1, 1])
        result.set_friendly_name(name)
        return result

    start = ops.parameter([-1, 3, -1, -1], np.float32, name="images")
    common = layer(start, "common", 3, 4)
    boxes = layer(ops.relu(layer(common, "boxes.0", 4, 4)), "boxes.1", 4, 4)
    sides = layer(ops.softmax(boxes, 1), "expectation", 4, 1)
    scores = layer(common, "scores", 4, 1)
    height = ops.convert(ops.gather(ops.shape_of(common), ops.constant(2), ops.constant(0)), "f32")
    end = ops.concat([ops.multiply(sides, height), ops.sigmoid(scores)], 1)
    return openvino.Model([end], [start], "two branches")


@pytest.mark.parametrize(
    ("layers", "convolutions"),
    [
        (0, {"expectation"}),
        (1, {"expectation", "boxes.1", "scores"}),
        (2, {"expectation", "boxes.1", "scores", "boxes.0", "common"}),
    ],
)
def test_last_layers_of_every_branch_are_found(network: Any, layers: int, convolutions: set[str]) -> None:
    kept = set(last_layers(network, layers))
    names = {node.get_friendly_name() for node in network.get_ordered_ops() if node.get_type_name() == "Convolution"}
    assert kept & names == convolutions


def test_layers_that_read_the_picture_are_found(network: Any) -> None:
    assert first_layers(network) == ["common"]


def test_missing_nncf_is_reported_with_what_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    monkeypatch.setattr(quantisation, "find_spec", lambda name: None)
    with pytest.raises(EngineError, match=r"pip install '\.\[int8\]'"):
        quantised(tmp_path / "mine.onnx", [])
