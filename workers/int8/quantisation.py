"""Post-training quantisation to 8-bit integers by NNCF; the first and last layers stay in floating point.

Scales are calibrated from the layers' outputs for real pictures (https://docs.openvino.ai, "Post-training
quantization"). Weights are symmetric per channel, activations may be asymmetric (NNCF's MIXED preset): the network's
SiLU reaches only a little below zero, and symmetric scales would waste half of their steps there.
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

These layers output boxes, scores and joints, so that their rounding errors are errors in pixels. With 1, joints err
by a third less than with 0 at the same speed; with the whole head (3) by another fifth less, at 3/4 of the speed.
"""

MOSAIC_SIDES = (2, 3)
"""Pictures per side of the mosaics, alternating."""

_CONVOLUTIONS = frozenset({"Convolution", "GroupConvolution"})
_NOT_COMPUTED = frozenset({"Constant", "Parameter", "Result", "ShapeOf"})


def quantised(path: Path, inputs: Sequence[ImageArray], on_input: Callable[[int], None] | None = None) -> Any:
    """Return the exported network at `path` as an `openvino.Model` with 8-bit layers and free batch, height and width.

    inputs: letterboxed pictures, u8 RGB (H, W, 3), of any shapes that the network takes. on_input: called with the
    number of inputs used so far. Raises EngineError where NNCF is missing or cannot quantise the network.
    """
    if find_spec("nncf") is None:
        raise EngineError(
            "8-bit engines need the package nncf, which is not installed: "
            "pip install '.[int8]' in the checkout of posebus"
        )
    # NNCF looks for a GPU compiler through torch, and logs a warning where there is none.
    logging.getLogger("torch.utils.cpp_extension").setLevel(logging.ERROR)
    os.environ.setdefault("TORCH_CPP_LOG_LEVEL", "ERROR")
    openvino = import_openvino()
    import nncf

    nncf.set_log_level(logging.ERROR)
    used = 0

    def planes(image_rgb: ImageArray) -> Float32Array:
        nonlocal used
        used += 1
        if on_input is not None:
            on_input(min(used, len(inputs)))
        floats: Float32Array = image_rgb.transpose(2, 0, 1)[None].astype(np.float32, order="C")
        floats /= np.float32(255)
        return floats

    try:
        network = openvino.Core().read_model(str(path))
        names = [*first_layers(network), *last_layers(network, LAYERS_KEPT)]
        kept = nncf.IgnoredScope(names=names, validate=False)
        # NNCF draws progress bars on standard output, which a program may read as our answer.
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
    """Return the inputs with every second one replaced by a mosaic of reduced ones from all recordings; shapes stay.

    Networks are trained on such mosaics (Bochkovskiy et al. 2020, YOLOv4). Here they add smaller people and more of
    them at once: scales calibrated with a single person in view would clip the activations that a crowd causes.
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
    """Return the names of the layers that read the picture itself.

    They cost next to nothing, and NNCF would quantise their weights to 7 bits, against overflows on CPUs without VNNI.
    Measured on a recording that an engine was calibrated with: of 16 small people that fp32 detects, 15 are detected
    with these layers in floating point, and 13 without.
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
    """Return the names of the operations from the `layers`-th last layer of every branch, inclusive, to the outputs.

    They are found by walking back from the outputs, so that no layer names of one family of networks are needed.
    """
    fewest: dict[str, int] = {}
    waiting = [(result.input_value(0).get_node(), 0) for result in network.get_results()]
    while waiting:
        node, passed = waiting.pop()
        name = node.get_friendly_name()
        # Behind ShapeOf only sizes are computed, and that path leads to layers anywhere in the network.
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

    The head has another one behind a softmax, with the weights 0, 1, 2, …: it computes a box's sides from their
    distribution.
    """
    if node.get_type_name() not in _CONVOLUTIONS:
        return False
    before = node.input_value(0).get_node()
    while before.get_type_name() in ("Reshape", "Transpose"):
        before = before.input_value(0).get_node()
    return bool(before.get_type_name() != "Softmax")
