"""A user's classifier: an ONNX file with the inputs and outputs of ST-GCN, and the names of its classes beside it.

S. Yan, Y. Xiong and D. Lin, "Spatial temporal graph convolutional networks for skeleton-based action recognition",
2018.
"""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import numpy as np

from posebus.arrays import Float64Array
from posebus.contract.foreign_json import load_json
from posebus.errors import ConfigError, MalformedMessage
from posebus.installed.extras import missing_package
from tracking.actions.base import ActionAnswer, Windows
from tracking.body_model.skeleton import JOINTS

CHANNELS, PEOPLE = 3, 1
MOMENTS = 64
"""Of a network that takes any number of them."""
MOST_MOMENTS = 300
MOST_LABELS = 1000
MOST_LABELS_BYTES = 100_000


class OnnxClassifier:
    """Runs the network on one person at a time, on the processor.

    The input is (1, 3, T, 17, 1): x and y from -0.5 to 0.5 of the picture's width and height, and confidence, of T
    moments 1/15 s apart up to now; joints that were not seen are 0. The first output has a score for each class,
    (1, L), as logits or as probabilities.
    """

    sample_s = 1 / 15 - 0.01
    every_s = 0.5

    def __init__(self, session: Any, labels: tuple[str, ...], moments: int) -> None:
        """`session` runs the network of `moments` T."""
        self.labels = labels
        self.samples = moments
        self._session = session
        self._input = session.get_inputs()[0].name

    def classify(self, windows: Windows) -> ActionAnswer:
        found = np.array([self._run(windows, person) for person in range(len(windows))])
        return ActionAnswer(found, windows.stature_px, windows.descent)

    def _run(self, windows: Windows, person: int) -> Float64Array:
        count = int(windows.count[person])
        ages_s, poses_px = windows.ages_s[person, -count:], windows.poses_px[person, -count:]
        wanted_s = np.arange(self.samples - 1, -1, -1) / 15
        nearest = np.abs(wanted_s[:, None] - ages_s).argmin(axis=1)
        poses = poses_px[nearest] / [*windows.size_px, 1.0] - [0.5, 0.5, 0.0]
        poses = poses * (poses[..., 2:] > 0)
        blob = np.ascontiguousarray(poses.transpose(2, 0, 1)[None, ..., None], np.float32)
        scores = np.asarray(self._session.run(None, {self._input: blob})[0], np.float64).reshape(-1)
        if len(scores) != len(self.labels) or not np.isfinite(scores).all():
            return np.full(len(self.labels), 1.0 / len(self.labels))
        if scores.min() >= 0.0 and abs(scores.sum() - 1.0) < 1e-3:
            return scores
        powers = np.exp(scores - scores.max())
        return np.asarray(powers / powers.sum())


def open_onnx(setting: str) -> OnnxClassifier:
    """The classifier in the file `setting`. Raises ConfigError, in one sentence, for a file that is none."""
    path = Path(setting).expanduser()
    if not path.is_file():
        raise ConfigError(f"actions: there is no file {path}: check the path, which is one of the tracker's machine")
    session = _session(path)
    moments = _moments(path, session)
    outputs = session.get_outputs()[0].shape
    classes = outputs[-1] if outputs else None
    labels = _labels(path, session)
    if isinstance(classes, int) and classes != len(labels):
        raise ConfigError(f"actions: {path} has {classes} classes, but {len(labels)} names: name each class once")
    return OnnxClassifier(session, labels, moments)


def _session(path: Path) -> Any:
    try:
        onnxruntime = importlib.import_module("onnxruntime")
    except ImportError as error:
        reason = missing_package(error) or "the package onnxruntime does not load: run `posebus doctor`"
        raise ConfigError(f"actions: {path} cannot be run, because {reason}") from error
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    try:
        return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # the runtime has a dozen kinds for files that it cannot use
        raise ConfigError(
            f"actions: {path} is no network that ONNX Runtime can run ({type(error).__name__}): export it again"
        ) from error


def _moments(path: Path, session: Any) -> int:
    """How many moments the network takes; raises ConfigError if its inputs are not those of ST-GCN."""
    inputs = session.get_inputs()
    shape = list(inputs[0].shape) if len(inputs) == 1 else []
    wanted = (1, CHANNELS, None, JOINTS, PEOPLE)
    fits = len(shape) == len(wanted) and inputs[0].type == "tensor(float)"
    fits = fits and all(
        want is None or not isinstance(size, int) or size == want for size, want in zip(shape, wanted, strict=True)
    )
    moments = shape[2] if fits and isinstance(shape[2], int) else MOMENTS
    if not fits or not 1 <= moments <= MOST_MOMENTS:
        shown = " x ".join(str(size) for size in shape) if shape else f"{len(inputs)} inputs"
        raise ConfigError(
            f"actions: {path} takes {shown}, not 1 x 3 x T x 17 x 1 floats with T up to {MOST_MOMENTS}: "
            "export it for COCO's 17 joints and one person"
        )
    return int(moments)


def _labels(path: Path, session: Any) -> tuple[str, ...]:
    """The names of the classes: lines of NAME.txt beside NAME.onnx, or a JSON list in the file's metadata `labels`."""
    beside = path.with_suffix(".txt")
    listed = session.get_modelmeta().custom_metadata_map.get("labels", "")
    try:
        if beside.is_file():
            with beside.open(encoding="utf-8") as file:
                names = [line.strip() for line in file.read(MOST_LABELS_BYTES).splitlines() if line.strip()]
        else:
            names = [str(name) for name in load_json(listed, "the names of classes")] if listed else []
    except (OSError, ValueError, MalformedMessage) as error:
        raise ConfigError(f"actions: the names of classes for {path} cannot be read: {error}") from error
    if not 1 <= len(names) <= MOST_LABELS or not all(name.isprintable() and len(name) <= 100 for name in names):
        raise ConfigError(
            f"actions: {path} has no names of its classes: write them into {beside.name} beside it, one on each line"
        )
    return tuple(names)
