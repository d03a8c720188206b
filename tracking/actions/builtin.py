"""The built-in classifier: a small network on the features, whose weights `benchmarks.actions` trained."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np

from posebus.arrays import Float64Array
from posebus.contract.foreign_json import load_object
from tracking.actions.base import ActionAnswer, Windows
from tracking.actions.features import NAMES, features_of

WEIGHTS = Path(__file__).with_name("builtin.json")


class Network(NamedTuple):
    """Two layers: hidden = max(0, (features - mean) / scale @ first + first_bias), and softmax of the second.

    mean, scale: (F,); first: (F, H); first_bias: (H,); second: (H, L); second_bias: (L,).
    """

    mean: Float64Array
    scale: Float64Array
    first: Float64Array
    first_bias: Float64Array
    second: Float64Array
    second_bias: Float64Array

    def probabilities(self, features: Float64Array) -> Float64Array:
        """Probabilities (N, L) of features (N, F)."""
        hidden = np.maximum((features - self.mean) / self.scale @ self.first + self.first_bias, 0.0)
        logits = hidden @ self.second + self.second_bias
        powers = np.exp(logits - logits.max(axis=1, keepdims=True))
        return np.asarray(powers / powers.sum(axis=1, keepdims=True))


class BuiltIn:
    """Walking, Running, Standing, Sitting, Squatting and Fallen, as ONVIF names them, and Lying."""

    sample_s = 0.12
    every_s = 0.24
    samples = 17

    def __init__(self, labels: tuple[str, ...], network: Network) -> None:
        """`labels` are those of the network's outputs."""
        self.labels = labels
        self._network = network

    def classify(self, windows: Windows) -> ActionAnswer:
        features = features_of(windows)
        probabilities = self._network.probabilities(features.values)
        return ActionAnswer(probabilities, features.stature_px, features.descent)


def open_builtin(setting: str = "builtin") -> BuiltIn:
    """The built-in classifier."""
    return _read(WEIGHTS)


@cache
def _read(path: Path) -> BuiltIn:
    data = load_object(path.read_bytes(), "the weights of the built-in actions")
    if data["features"] != list(NAMES):
        raise ValueError(
            f"{path.name} was trained on other features: run `make bench-actions`, with `--write` among its ARGS"
        )
    return BuiltIn(tuple(data["labels"]), Network(*(np.array(data[name]) for name in Network._fields)))
