"""A top-down keypoint network in an ONNX file: it computes keypoints from crops of one person each.

ONNX files hold a graph and numbers and are never unpickled: the worst that a foreign graph can do is compute nonsense.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from posebus.arrays import Float32Array
from posebus.errors import EngineError
from workers.detections import ImageArray
from workers.keypoints.heatmap import decode_heatmaps
from workers.keypoints.simcc import decode_simcc

KEYPOINTS = 17
MAX_BATCH = 16
"""Crops per inference where the file leaves the batch size open."""

MEAN_RGB = np.array((123.675, 116.28, 103.53), np.float32)
DEVIATION_RGB = np.array((58.395, 57.12, 57.375), np.float32)
"""Statistics of ImageNet (0-255), by which HRNet, Simple Baselines and all of MMPose (RTMPose, too) normalise."""

Decoder = Callable[[Sequence[Float32Array]], Float32Array]


class KeypointModel:
    """A session of ONNX Runtime on the CPU, in fp32. Many threads may call `keypoints`."""

    def __init__(self, path: Path, threads: int) -> None:
        """Load the file and run it once on zeros. Raises EngineError for any other kind of network."""
        self._path = path
        self._session = _open(path, threads)
        given = self._session.get_inputs()
        shape = given[0].shape
        fits = len(given) == 1 and len(shape) == 4 and given[0].type == "tensor(float)" and shape[1] == 3
        if not fits or not all(isinstance(side, int) and side > 0 for side in shape[2:]):
            found = ", ".join(f"{one.name} {one.type} {one.shape}" for one in given)
            raise EngineError(
                f"{path.name} takes {found}: a keypoint network takes one float input of [people, 3, height, width] "
                "with fixed height and width"
            )
        self._input = given[0].name
        self._batch = shape[0] if isinstance(shape[0], int) else None
        self.input_px: tuple[int, int] = (shape[3], shape[2])
        self._decode = self._decoder()

    def keypoints(self, crops_rgb: Sequence[ImageArray]) -> Float32Array:
        """Return keypoints (N, 17, 3) in pixels of the crops, u8 (H, W, 3) of `input_px` (width, height) each."""
        size = self._batch or MAX_BATCH
        found = [self._run(crops_rgb[start : start + size]) for start in range(0, len(crops_rgb), size)]
        return np.concatenate(found) if found else np.empty((0, KEYPOINTS, 3), np.float32)

    def _run(self, crops_rgb: Sequence[ImageArray]) -> Float32Array:
        planes = to_normalised_planes(np.stack(crops_rgb))
        if self._batch is not None and len(planes) < self._batch:
            planes = np.concatenate((planes, np.zeros((self._batch - len(planes), *planes.shape[1:]), np.float32)))
        return self._decode(self._session.run(None, {self._input: planes}))[: len(crops_rgb)]

    def _decoder(self) -> Decoder:
        """Return the decoder for the outputs by their shapes in a first run, because files often leave shapes open."""
        from onnxruntime.capi import onnxruntime_pybind11_state as state

        width_px, height_px = self.input_px
        blank = np.zeros((self._batch or 1, 3, height_px, width_px), np.float32)
        try:
            outputs = self._session.run(None, {self._input: blank})
        except (state.Fail, state.RuntimeException, state.InvalidArgument, state.NotImplemented) as error:
            raise EngineError(f"{self._path.name} cannot be run: export the network again ({error})") from error
        shapes = [output.shape for output in outputs]
        if _are_vectors(shapes, self.input_px):
            return lambda vectors: decode_simcc(vectors[0], vectors[1], self.input_px)
        if _are_vectors(shapes[::-1], self.input_px):
            return lambda vectors: decode_simcc(vectors[1], vectors[0], self.input_px)
        # Networks in stages, such as stacked Hourglasses, may output the maps of each stage; the last are the best.
        if all(len(shape) == 4 and shape[1] in (KEYPOINTS, KEYPOINTS + 1) for shape in shapes):
            return lambda maps: decode_heatmaps(maps[-1], KEYPOINTS, self.input_px)
        if len(shapes) == 1 and len(shapes[0]) == 5 and shapes[0][2] in (KEYPOINTS, KEYPOINTS + 1):
            return lambda maps: decode_heatmaps(maps[0][:, -1], KEYPOINTS, self.input_px)
        listed = ", ".join(str(list(shape)) for shape in shapes)
        raise EngineError(
            f"{self._path.name} gives {listed}: a keypoint network gives heatmaps [people, {KEYPOINTS}, height, width] "
            f"or SimCC's vectors [people, {KEYPOINTS}, columns] and [people, {KEYPOINTS}, rows], for COCO's "
            f"{KEYPOINTS} keypoints"
        )


def to_normalised_planes(images_rgb: ImageArray) -> Float32Array:
    """Convert u8 (B, H, W, 3) to float32 (B, 3, H, W), normalised and C-contiguous."""
    normalised = (images_rgb.astype(np.float32) - MEAN_RGB) / DEVIATION_RGB
    return np.ascontiguousarray(normalised.transpose(0, 3, 1, 2))


def _are_vectors(shapes: Sequence[tuple[int, ...]], input_px: tuple[int, int]) -> bool:
    """Whether these are SimCC's two outputs, columns first, with the same number of bins per pixel."""
    if [len(shape) for shape in shapes] != [3, 3] or any(shape[1] != KEYPOINTS for shape in shapes):
        return False
    width_px, height_px = input_px
    return shapes[0][2] * height_px == shapes[1][2] * width_px


def _open(path: Path, threads: int) -> Any:
    import onnxruntime
    from onnxruntime.capi import onnxruntime_pybind11_state as state

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    # Threads that spin while they wait would take cores from the network that detects people.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    if not path.is_file():
        raise EngineError(f"the keypoint network {path} does not exist: give the path of an .onnx file")
    try:
        return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except (
        state.Fail,
        state.InvalidArgument,
        state.InvalidGraph,
        state.InvalidProtobuf,
        state.NotImplemented,
        state.RuntimeException,
    ) as error:
        raise EngineError(
            f"ONNX Runtime cannot load {path.name}: give a keypoint network as .onnx file ({error})"
        ) from error
