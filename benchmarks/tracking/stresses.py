"""Errors between a camera and its tracker, applied to a clip's frames."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from posebus.messages import PoseFrame

SEEDS = 5
"""Runs over which a random stress is averaged."""


@dataclass(frozen=True, slots=True)
class Stress:
    """apply: from frames and a seed to the remaining frames; randomness depends on the seed alone."""

    apply: Callable[[list[PoseFrame], int], list[PoseFrame]]
    seeds: int = 1
    keypoints_only: bool = False


def every_second(frames: list[PoseFrame], seed: int = 0) -> list[PoseFrame]:
    """Every second frame, with its time."""
    return frames[::2]


def half_at_random(frames: list[PoseFrame], seed: int = 0) -> list[PoseFrame]:
    """Each frame with a probability of one half, with its time."""
    kept = np.random.default_rng(seed).random(len(frames)) < 0.5
    return [frame for frame, keep in zip(frames, kept, strict=True) if keep]


def fifth_missing(frames: list[PoseFrame], seed: int = 0) -> list[PoseFrame]:
    """All frames; each detection is removed with a probability of one in five."""
    rng = np.random.default_rng(seed)
    thinned = []
    for frame in frames:
        kept = rng.random(len(frame.scores)) >= 0.2
        joints = None if frame.keypoints_px is None else frame.keypoints_px[kept]
        features = None if frame.appearance is None else frame.appearance[kept]
        thinned.append(
            replace(
                frame,
                boxes_xyxy_px=frame.boxes_xyxy_px[kept],
                scores=frame.scores[kept],
                keypoints_px=joints,
                appearance=features,
            )
        )
    return thinned


def shaken_boxes(frames: list[PoseFrame], seed: int = 0) -> list[PoseFrame]:
    """Every side of every box moved by 5 % of the box's size (standard deviation); keypoints stay."""
    rng = np.random.default_rng(seed)
    shaken = []
    for frame in frames:
        sides = np.tile(frame.boxes_xyxy_px[:, 2:] - frame.boxes_xyxy_px[:, :2], 2)
        moved = frame.boxes_xyxy_px + rng.normal(0, 0.05, sides.shape) * sides
        shaken.append(replace(frame, boxes_xyxy_px=moved.astype(np.float32)))
    return shaken


def without_keypoints(frames: list[PoseFrame], seed: int = 0) -> list[PoseFrame]:
    """Frames as of a model without keypoints; colour histograms depend on keypoints, so they are removed too."""
    return [replace(frame, keypoints_px=None, appearance=None) for frame in frames]


STRESSES: dict[str, Stress] = {
    "every 2nd frame": Stress(every_second),
    "50 % of frames": Stress(half_at_random, SEEDS),
    "80 % of detections": Stress(fifth_missing, SEEDS),
    "boxes +-5 %": Stress(shaken_boxes, SEEDS),
    "no keypoints": Stress(without_keypoints, keypoints_only=True),
}
