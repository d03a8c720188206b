"""A body of known proportions, 200 pixels tall, as keypoints and as tracks."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from posebus.arrays import Float32Array
from posebus.messages import Track, TrackFrame, TrackState
from tracking.actions.base import Windows

STATURE = 200.0
TRUNK, THIGH, SHANK = 0.288 * STATURE, 0.245 * STATURE, 0.246 * STATURE


def body(
    thigh: float = 0.0, knee: float = 0.0, lean: float = 0.0, at: tuple[float, float] = (300, 300)
) -> Float32Array:
    """A body (17, 3) from the side whose hips are at `at`: angles of thighs from straight down, knees, and the trunk
    from straight up, in radians."""
    hips = np.array(at, float)
    neck = hips + TRUNK * np.array([np.sin(lean), -np.cos(lean)])
    knees = hips + THIGH * np.array([np.sin(thigh), np.cos(thigh)])
    feet = knees + SHANK * np.array([np.sin(thigh - knee), np.cos(thigh - knee)])
    head = neck + 0.1 * STATURE * np.array([np.sin(lean), -np.cos(lean)])
    wrists = neck + np.array([0.0, 0.3 * STATURE])
    rows = [head] * 5 + [neck] * 2 + [(neck + wrists) / 2] * 2 + [wrists] * 2 + [hips] * 2 + [knees] * 2 + [feet] * 2
    return np.column_stack([rows, np.full(17, 0.9)]).astype(np.float32)


def windows(times_s: Sequence[float], poses: Sequence[Float32Array], **known: float) -> Windows:
    """The window of one person at the last of these times."""
    return Windows(
        ages_s=(times_s[-1] - np.array(times_s, float))[None],
        poses_px=np.array(poses, np.float64)[None],
        count=np.array([len(poses)]),
        dt_s=np.array([0.25]),
        stature_px=np.array([known.get("stature_px", 0.0)]),
        descent=np.array([known.get("descent", np.nan)]),
        size_px=(640, 480),
    )


def frame(seq: int, at_s: float, poses: dict[int, Float32Array], **changes: object) -> TrackFrame:
    """A frame with a confirmed track of each number."""
    tracks = tuple(
        Track(number, np.array([0, 0, 50, 200], np.float32), 0.9, pose, TrackState.CONFIRMED, at_s, **changes)  # type: ignore[arg-type]
        for number, pose in poses.items()
    )
    return TrackFrame("door", 1, seq, round(at_s * 1e9), size_px=(640, 480), tracks=tracks)
