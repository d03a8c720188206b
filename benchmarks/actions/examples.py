"""Examples for a classifier: features as the tracker computes them, with the true action and where they come from."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from posebus.arrays import Float64Array
from posebus.messages import TrackFrame
from tracking.actions.base import FALLEN, LYING, OTHER, ActionAnswer, Windows
from tracking.actions.builtin import BuiltIn
from tracking.actions.features import FEATURES, features_of
from tracking.actions.of_tracks import Actions

LABELS = ("Walking", "Running", "Standing", "Sitting", "Squatting", FALLEN, LYING, OTHER)


@dataclass(frozen=True, slots=True)
class Examples:
    """values: (N, F) features; labels: (N,) places in LABELS."""

    values: Float64Array
    labels: np.ndarray

    def __len__(self) -> int:
        return len(self.labels)

    def rows(self, chosen: np.ndarray) -> Examples:
        """The chosen examples."""
        return Examples(self.values[chosen], self.labels[chosen])


def joined(parts: Sequence[Examples]) -> Examples:
    """All examples of `parts`, in their order."""
    return Examples(np.concatenate([one.values for one in parts]), np.concatenate([one.labels for one in parts]))


class Recorder:
    """Takes the place of a classifier, and keeps the features that it would get."""

    labels = (OTHER,)
    sample_s, every_s, samples = BuiltIn.sample_s, BuiltIn.every_s, BuiltIn.samples

    def __init__(self) -> None:
        self.values: list[Float64Array] = []

    def classify(self, windows: Windows) -> ActionAnswer:
        """Keep the features of `windows`."""
        features = features_of(windows)
        self.values.append(features.values)
        return ActionAnswer(np.ones((len(windows), 1)), features.stature_px, features.descent)


def examples_of(frames: Iterable[TrackFrame], truth: Callable[[float], str | None]) -> Examples:
    """The examples of one track; `truth` gives the action at a time in seconds, None where it is not known."""
    recorder = Recorder()
    actions = Actions(recorder)
    values, labels = [], []
    for frame in frames:
        before = len(recorder.values)
        actions.update(frame)
        label = truth(frame.captured_at_ns / 1e9)
        if len(recorder.values) > before and label is not None:
            values.append(recorder.values[-1][0])
            labels.append(LABELS.index(label))
    return Examples(np.array(values).reshape(-1, FEATURES), np.array(labels, int))


def snapshots_of(frames: Iterable[TrackFrame], truth: Callable[[float], str | None]) -> Examples:
    """The examples of single frames, as if the person had just appeared. They do not show who moves or came down, so
    that walkers and runners are left out, and people who lie are taken for fallen ones."""
    parts = []
    for frame in frames:
        label = truth(frame.captured_at_ns / 1e9)
        if label not in (None, "Walking", "Running"):
            shown = FALLEN if label == LYING else label
            parts.append(examples_of([frame], lambda _, shown=shown: shown))
    return joined(parts) if parts else Examples(np.zeros((0, FEATURES)), np.zeros(0, int))
