"""Top-down networks small enough to be written by hand: each keypoint is a dot of its own colour.

They are real ONNX files of each kind of output. A convolution of one pixel computes the share of each of 17
colours in a pixel, another finds the middle of the dot, and the end is a heatmap, its stages, or SimCC's vectors.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from posebus.arrays import Float32Array
from workers.detections import ImageArray
from workers.keypoints.model import DEVIATION_RGB, KEYPOINTS, MEAN_RGB

INPUT_PX = (192, 256)
GREY = 128
RADIUS = 100.0
ALIKE = 0.9
"""From this cosine on a pixel counts as being of a keypoint's colour; the 17 colours are further apart."""


def colours() -> Float32Array:
    """(17, 3) RGB, spread evenly over a sphere around grey (Fibonacci's spiral)."""
    number = np.arange(KEYPOINTS) + 0.5
    height = 1 - 2 * number / KEYPOINTS
    angle = np.pi * (1 + 5**0.5) * number
    flat = np.sqrt(1 - height**2)
    sphere = np.stack((flat * np.cos(angle), flat * np.sin(angle), height), axis=1)
    return (GREY + RADIUS * sphere).astype(np.float32)


def dotted(size_px: tuple[int, int], places_px: Float32Array, radius_px: int = 3) -> ImageArray:
    """A grey picture u8 (H, W, 3) with a dot of the colour of each keypoint at the places (17, 2)."""
    import cv2

    picture = np.full((size_px[1], size_px[0], 3), GREY, np.uint8)
    for (x, y), colour in zip(places_px, colours(), strict=True):
        at = round(float(x) * 16), round(float(y) * 16)
        cv2.circle(picture, at, radius_px * 16, [float(part) for part in colour], -1, cv2.LINE_AA, shift=4)
    return picture


def heatmap_network(path: Path, *, background: bool = False, stages: int = 1, batch: int | str = "people") -> Path:
    """Heatmaps of a quarter of the input's size. `background` adds one more, as in Convolutional Pose Machines;
    with more `stages`, as in Hourglasses, all but the last one are wrong."""
    kernel = _kernel(9)
    nodes = [
        *_alike(),
        helper.make_node("Conv", ["alike", "blur"], ["maps"], group=KEYPOINTS, pads=[4, 4, 4, 4], strides=[4, 4]),
    ]
    constants = {"blur": np.broadcast_to(kernel, (KEYPOINTS, 1, 9, 9))}
    if background:
        nodes += [
            helper.make_node("ReduceMax", ["maps"], ["best"], axes=[1], keepdims=1),
            helper.make_node("Sub", ["two", "best"], ["ground"]),
            helper.make_node("Concat", ["maps", "ground"], ["with_ground"], axis=1),
        ]
        constants["two"] = np.array(2, np.float32)
    last = "with_ground" if background else "maps"
    nodes += [helper.make_node("Neg", [last], [f"stage{number}"]) for number in range(stages - 1)]
    return _save(path, nodes, constants, [*(f"stage{number}" for number in range(stages - 1)), last], batch)


def stacked_network(path: Path) -> Path:
    """Two stages of heatmaps in one output [people, stages, 17, H, W]; the first is wrong."""
    heatmap_network(path, stages=2)
    model = onnx.load(path)
    model.graph.initializer.append(numpy_helper.from_array(np.array([1], np.int64), "axis"))
    model.graph.node.extend(
        [
            helper.make_node("Unsqueeze", ["stage0", "axis"], ["first"]),
            helper.make_node("Unsqueeze", ["maps", "axis"], ["second"]),
            helper.make_node("Concat", ["first", "second"], ["stack"], axis=1),
        ]
    )
    del model.graph.output[:]
    model.graph.output.append(helper.make_tensor_value_info("stack", TensorProto.FLOAT, None))
    onnx.save(model, path)
    return path


def simcc_network(path: Path, *, rows_first: bool = False, bins_a_pixel: int = 2) -> Path:
    """Two vectors for each keypoint, over columns and rows, two bins a pixel."""
    nodes = [*_alike()]
    constants = {}
    for name, axis, side_px in (("across", 2, INPUT_PX[0]), ("down", 3, INPUT_PX[1])):
        nodes += [
            helper.make_node("ReduceMean", ["alike"], [f"{name}_sum"], axes=[axis], keepdims=0),
            helper.make_node("MatMul", [f"{name}_sum", f"{name}_bins"], [name]),
        ]
        pixel, place = np.arange(side_px)[:, None], np.arange(side_px * bins_a_pixel)[None] / bins_a_pixel
        constants[f"{name}_bins"] = 4 * np.exp(-((pixel - place) ** 2) / (2 * 3.0**2))
    outputs = ["down", "across"] if rows_first else ["across", "down"]
    return _save(path, nodes, constants, outputs, "people")


def _alike() -> list[onnx.NodeProto]:
    """The share of each colour in each pixel, 0 to 1: [people, 17, H, W]."""
    return [
        helper.make_node("Conv", ["crops", "colours", "colours_bias"], ["cosine"]),
        helper.make_node("Relu", ["cosine"], ["alike"]),
    ]


def _kernel(side: int) -> Float32Array:
    """A Gaussian whose sum is 1."""
    one = np.exp(-((np.arange(side) - side // 2) ** 2) / (2 * 2.0**2))
    kernel: Float32Array = np.outer(one, one) / one.sum() ** 2
    return kernel


def _save(
    path: Path,
    nodes: list[onnx.NodeProto],
    constants: dict[str, Float32Array],
    outputs: list[str],
    batch: int | str,
) -> Path:
    # The input is normalised; the weights include the inverse.
    axes = (colours() - GREY) / RADIUS**2 / (1 - ALIKE)
    constants["colours"] = (axes * DEVIATION_RGB)[:, :, None, None]
    constants["colours_bias"] = axes @ (MEAN_RGB - GREY) - ALIKE / (1 - ALIKE)
    graph = helper.make_graph(
        nodes,
        "dots",
        [helper.make_tensor_value_info("crops", TensorProto.FLOAT, [batch, 3, INPUT_PX[1], INPUT_PX[0]])],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in outputs],
        [numpy_helper.from_array(np.ascontiguousarray(value, np.float32), name) for name, value in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    onnx.save(model, path)
    return path
