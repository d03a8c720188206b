"""What a classifier of actions is: a small Protocol, and the form in which it gets the last seconds of people."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from posebus.arrays import Float64Array, Int64Array

FALLEN = "Fallen"
LYING = "Lying"
OTHER = ""
"""Stands for what the classifier knows to be none of its actions; no action is reported then."""


@dataclass(frozen=True, slots=True)
class Windows:
    """The last seconds of N people at their last S moments, the newest last.

    ages_s: (N, S) seconds before now, falling along each row. poses_px: (N, S, 17, 3) x, y, confidence in square
    pixels, the confidence being 0 for joints that were not seen. count: (N,) the last moments of each row that are
    filled, at least one. dt_s: (N,) since the person was classified before. stature_px: (N,) height of the upright body
    as it was then, 0 where unknown. descent: (N,) the fastest way down since the person was last upright, in statures
    per second; NaN for a person that was never seen upright. size_px: width and height of the picture.
    """

    ages_s: Float64Array
    poses_px: Float64Array
    count: Int64Array
    dt_s: Float64Array
    stature_px: Float64Array
    descent: Float64Array
    size_px: tuple[int, int]

    def __len__(self) -> int:
        return len(self.count)


@dataclass(frozen=True, slots=True)
class ActionAnswer:
    """probabilities: (N, L) of the labels of the classifier; stature_px and descent: (N,) to remember with the people,
    as in `Windows`."""

    probabilities: Float64Array
    stature_px: Float64Array
    descent: Float64Array


class ActionClassifier(Protocol):
    """Tells what people do.

    labels: the names of the actions; OTHER is not reported. sample_s: between two moments of a window, at least.
    every_s: between two classifications of a person, at least, but for those that are a sample earlier so that all
    people of a camera are classified together. samples: moments of a window at most.
    """

    labels: tuple[str, ...]
    sample_s: float
    every_s: float
    samples: int

    def classify(self, windows: Windows) -> ActionAnswer:
        """Return what the people in `windows` do, at least one of them."""


@dataclass(frozen=True, slots=True)
class ActionClassifierSpec:
    """How a setting becomes a classifier.

    matches: whether the spec is meant by the setting. open: returns the classifier; raises ConfigError, in one
    sentence, if it cannot be had.
    """

    matches: Callable[[str], bool]
    open: Callable[[str], ActionClassifier]


def is_onnx(setting: str) -> bool:
    """Whether the setting names an ONNX file."""
    return Path(setting).suffix.lower() == ".onnx"
