"""The classifiers of actions that there are, and which of them a camera's setting means."""

from __future__ import annotations

from posebus.errors import ConfigError
from tracking.actions.base import ActionClassifier, ActionClassifierSpec, is_onnx
from tracking.actions.builtin import open_builtin
from tracking.actions.onnx import open_onnx

CLASSIFIERS: dict[str, ActionClassifierSpec] = {
    "builtin": ActionClassifierSpec(lambda setting: setting == "builtin", open_builtin),
    "onnx": ActionClassifierSpec(is_onnx, open_onnx),
}


def open_classifier(setting: str) -> ActionClassifier:
    """The classifier that `setting` means. Raises ConfigError, in one sentence, if there is none."""
    for spec in CLASSIFIERS.values():
        if spec.matches(setting):
            return spec.open(setting)
    raise ConfigError(f"actions: {setting[:100]!r} is no classifier: write off, builtin or a path that ends with .onnx")
