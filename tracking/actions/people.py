"""The last seconds of the people of one camera, kept between frames and in the tracker's snapshot."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from posebus.arrays import Float32Array, Float64Array
from posebus.coco import HIDDEN
from posebus.messages import Track
from tracking.actions.base import Windows
from tracking.body_model.skeleton import JOINTS, SEEN_CONFIDENCE


@dataclass(slots=True)
class Performer:
    """What is remembered of one track: its moments (at most as many as the classifier asks for), the newest last.

    at_s: (S,) capture times. poses_px: (S, 17, 3) x, y, confidence, 0 for joints that were not seen. probabilities:
    (L,) smoothed, empty before the first classification. classified_s: when, -inf before the first one.
    """

    at_s: Float64Array = field(default_factory=lambda: np.zeros(0))
    poses_px: Float32Array = field(default_factory=lambda: np.zeros((0, JOINTS, 3), np.float32))
    stature_px: float = 0.0
    descent: float = float("nan")
    probabilities: Float64Array = field(default_factory=lambda: np.zeros(0))
    classified_s: float = float("-inf")

    def add(self, at_s: float, pose_px: Float32Array, samples: int) -> None:
        """Remember a moment, and forget the oldest one beyond `samples`."""
        self.at_s = np.append(self.at_s[-(samples - 1) :], at_s)
        self.poses_px = np.concatenate([self.poses_px[-(samples - 1) :], pose_px[None]])

    def state(self) -> dict[str, Any]:
        """Everything remembered, for a snapshot."""
        return {
            "at_s": self.at_s,
            "poses_px": self.poses_px,
            "stature_px": self.stature_px,
            "descent": self.descent,
            "probabilities": self.probabilities,
            "classified_s": self.classified_s,
        }


def person_of(state: dict[str, Any], samples: int, labels: int) -> Performer:
    """The inverse of `Performer.state`. Raises KeyError, TypeError or ValueError for anything else."""
    person = Performer(
        at_s=np.array(state["at_s"], np.float64),
        poses_px=np.array(state["poses_px"], np.float32),
        stature_px=float(state["stature_px"]),
        descent=float(state["descent"]),
        probabilities=np.array(state["probabilities"], np.float64),
        classified_s=float(state["classified_s"]),
    )
    moments = len(person.at_s)
    if not 1 <= moments <= samples or person.poses_px.shape != (moments, JOINTS, 3):
        raise ValueError("the poses of an action have a wrong shape")
    if person.probabilities.shape not in ((0,), (labels,)):
        raise ValueError("the probabilities of an action have a wrong shape")
    return person


def seen_pose(track: Track) -> Float32Array | None:
    """The keypoints (17, 3) of a track, confidence 0 for joints that were not seen; None without any in this frame."""
    keypoints = track.keypoints_px
    if track.coasted or keypoints is None or len(keypoints) != JOINTS:
        return None
    seen = keypoints[:, 2] >= SEEN_CONFIDENCE
    if track.keypoint_visibility is not None:
        seen &= track.keypoint_visibility != HIDDEN
    return keypoints * seen[:, None] if seen.any() else None


def windows_of(people: Sequence[Performer], at_s: float, size_px: tuple[int, int]) -> Windows:
    """The windows of these people at a time; each has at least one moment."""
    samples = max(len(person.at_s) for person in people)
    ages_s = np.zeros((len(people), samples))
    poses_px = np.zeros((len(people), samples, JOINTS, 3))
    for row, person in enumerate(people):
        first = samples - len(person.at_s)
        ages_s[row, first:] = at_s - person.at_s
        poses_px[row, first:] = person.poses_px
    return Windows(
        ages_s=ages_s,
        poses_px=poses_px,
        count=np.array([len(person.at_s) for person in people]),
        dt_s=np.array([min(at_s - person.classified_s, 1e3) for person in people]),
        stature_px=np.array([person.stature_px for person in people]),
        descent=np.array([person.descent for person in people]),
        size_px=size_px,
    )
