"""The network in 8-bit integers: post-training quantisation by NNCF, first and last layers left in floating point.

Scales are found by watching what the layers put out for real pictures (https://docs.openvino.ai, "Post-training
quantization"). Weights are symmetric per channel, activations may be asymmetric (NNCF's MIXED preset): the network's
SiLU goes below zero only a little, and symmetric scales would waste half of their steps on that.
"""

from __future__ import annotations

import io
import logging
import os
from collections.abc import Callable, Sequence
from contextlib import redirect_stdout
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from posebus.arrays import Float32Array
from posebus.errors import EngineError
from workers.detections import ImageArray
from workers.engines.openvino_import import import_openvino
from workers.images.preprocess import PADDING

LAYERS_KEPT = 1
"""Layers with learned weights, counted from the output in every branch of the head, that stay in floating point.

Boxes, scores and joints leave the network there, and their errors go straight into pixels. With 1 joints err by a third
less than with 0 at the same speed; with the whole head (3) by another fifth, and a quarter of the speed is lost.
"""

MOSAIC_SIDES = (2, 3)
"""Pictures on a side of the mosaics, in turns."""

_CONVOLUTIONS = frozenset({"Convolution", "GroupConvolution"})
_NOT_COMPUTED = frozenset({"Constant", "Parameter", "Result", "ShapeOf"})


def quantised(path: Path, inputs: Sequence[ImageArray], seen: Callable[[int], None] | None = None) -> Any:
    """The exported network at `path` as an `openvino.Model` with 8-bit layers and free batch, height and width.

    inputs: letterboxed pictures, u8 RGB (H, W, 3), of any shapes that the network takes. `seen` is told how many of
    them the network has been shown. Raises EngineError where NNCF is missing or cannot work with the network.
    """
    if find_spec("nncf") is None:
        raise EngineError("8-bit engines need the package nncf, which is not installed: pip install 'posebus[int8]'")
    # NNCF looks for a GPU compiler through torch, and complains about what it does not find.
    logging.getLogger("torch.utils.cpp_extension").setLevel(logging.ERROR)
    os.environ.setdefault("TORCH_CPP_LOG_LEVEL", "ERROR")
    openvino = import_openvino()
    import nncf

    nncf.set_log_level(logging.ERROR)
    shown = 0

    def planes(image_rgb: ImageArray) -> Float32Array:
        nonlocal shown
        shown += 1
        if seen is not None:
            seen(min(shown, len(inputs)))
        floats: Float32Array = image_rgb.transpose(2, 0, 1)[None].astype(np.float32, order="C")
        floats /= np.float32(255)
        return floats

    try:
        network = openvino.Core().read_model(str(path))
        names = [*first_layers(network), *last_layers(network, LAYERS_KEPT)]
        kept = nncf.IgnoredScope(names=names, validate=False)
        # NNCF draws its own bars on standard output, where a program may read our answer.
        with redirect_stdout(io.StringIO()):
            return nncf.quantize(
                network,
                nncf.Dataset(with_mosaics(inputs), planes),
                preset=nncf.QuantizationPreset.MIXED,
                subset_size=len(inputs),
                ignored_scope=kept,
            )
    except (RuntimeError, nncf.InternalError, nncf.ValidationError, nncf.UnsupportedModelError) as error:
        last = str(error).strip().splitlines()[-1]
        raise EngineError(f"{path.name} cannot be quantised: use another precision ({last})") from error


def with_mosaics(inputs: Sequence[ImageArray]) -> list[ImageArray]:
    """Every second picture replaced by a mosaic of reduced ones from all over the recordings; shapes stay.

    Networks are trained on such mosaics (Bochkovskiy et al. 2020, YOLOv4). Here they show smaller people, and more of
    them at once: scales that were found with one person in sight clip the layers that a crowd excites.
    """
    return [
        image if index % 2 == 0 else _mosaic(index, MOSAIC_SIDES[index // 2 % len(MOSAIC_SIDES)], inputs)
        for index, image in enumerate(inputs)
    ]


def _mosaic(index: int, side: int, inputs: Sequence[ImageArray]) -> ImageArray:
    whole = np.full_like(inputs[index], PADDING)
    height_px, width_px = whole.shape[0] // side, whole.shape[1] // side
    for tile in range(side**2):
        image = inputs[(index + tile * len(inputs) // side**2) % len(inputs)]
        left_px, top_px = tile % side * width_px, tile // side * height_px
        whole[top_px : top_px + height_px, left_px : left_px + width_px] = cv2.resize(
            image, (width_px, height_px), interpolation=cv2.INTER_AREA
        )
    return whole


def first_layers(network: Any) -> list[str]:
    """Names of the layers that see the picture itself.

    They cost next to nothing, and NNCF would give their weights 7 bit, against overflows on CPUs without VNNI: of small
    people in the recording that an engine was fitted to, fp32's 16, 15 instead of 13 are found with them as they were.
    """
    found: set[str] = set()
    waiting = list(network.get_parameters())
    while waiting:
        for target in waiting.pop().output(0).get_target_inputs():
            node = target.get_node()
            if node.get_type_name() in _CONVOLUTIONS:
                found.add(node.get_friendly_name())
            elif node.get_type_name() not in _NOT_COMPUTED:
                waiting.append(node)
    return sorted(found)


def last_layers(network: Any, layers: int) -> list[str]:
    """Names of the operations between the outputs and the `layers`-th last layer of every branch, it included.

    Found by walking from the outputs against the data, so that they need no names of one family of networks.
    """
    fewest: dict[str, int] = {}
    waiting = [(result.input_value(0).get_node(), 0) for result in network.get_results()]
    while waiting:
        node, passed = waiting.pop()
        name = node.get_friendly_name()
        # Past ShapeOf only sizes are computed, and that way leads to layers anywhere in the network.
        if node.get_type_name() in _NOT_COMPUTED:
            continue
        passed += _is_layer(node)
        if passed > layers or fewest.get(name, layers + 1) <= passed:
            continue
        fewest[name] = passed
        waiting += [(value.get_node(), passed) for value in node.input_values()]
    return sorted(fewest)


def _is_layer(node: Any) -> bool:
    """Whether `node` is a convolution with learned weights.

    The head also takes a box's sides from their distribution by one, with the weights 0, 1, 2, …, behind a softmax.
    """
    if node.get_type_name() not in _CONVOLUTIONS:
        return False
    before = node.input_value(0).get_node()
    while before.get_type_name() in ("Reshape", "Transpose"):
        before = before.input_value(0).get_node()
    return bool(before.get_type_name() != "Softmax")
