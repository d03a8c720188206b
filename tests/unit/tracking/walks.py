"""People who walk on a floor before a camera whose geometry is known: what they do in metres, and how it looks."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from posebus.coco import COCO_KEYPOINT_NAMES
from posebus.config.cameras.ground import GroundSettings
from posebus.messages import Track, TrackFrame, TrackState

SIZE_PX = (1280, 720)
FOCAL_PX = 1000.0
CAMERA_HEIGHT_M = 3.5
TILT = np.deg2rad(22.0)
HEIGHT_M = 1.75
ABOVE = {"shoulder": 0.818, "elbow": 0.63, "wrist": 0.485, "hip": 0.530, "knee": 0.285, "ankle": 0.039}
"""Heights of joints of a standing body as shares of its height (Winter 2009)."""
HALF_STEP_M = 0.3
STEP_S = 0.5

Path = Callable[[float], tuple[float, float]]


def seen_at(points_m: np.ndarray) -> np.ndarray:
    """Pixels (..., 2) of points (..., 3) in metres: x to the right, y away from the camera, z up."""
    x, y, up = points_m[..., 0], points_m[..., 1], points_m[..., 2] - CAMERA_HEIGHT_M
    depth = y * np.cos(TILT) - up * np.sin(TILT)
    down = -y * np.sin(TILT) - up * np.cos(TILT)
    return np.stack([SIZE_PX[0] / 2 + FOCAL_PX * x / depth, SIZE_PX[1] / 2 + FOCAL_PX * down / depth], axis=-1)


def ground() -> GroundSettings:
    """The ground plane of this camera, from four marks on the floor."""
    metres = [(-2.0, 5.0), (2.0, 5.0), (3.0, 14.0), (-3.0, 14.0)]
    points = seen_at(np.array([(*place, 0.0) for place in metres]))
    return GroundSettings(points=points.tolist(), metres=metres)


def body_m(x: float, y: float, time_s: float, walks: float) -> np.ndarray:
    """Joints (17, 3) in metres of a person who walks along y, whose feet swing `walks` times their usual way."""
    joints = np.zeros((17, 3))
    swing = HALF_STEP_M * walks * np.sin(np.pi * time_s / STEP_S)
    for row, name in enumerate(COCO_KEYPOINT_NAMES):
        side, _, joint = name.rpartition("_")
        sign = {"left": -1.0, "right": 1.0, "": 0.0}[side]
        wide = 0.18 if joint in ("shoulder", "elbow", "wrist") else 0.1
        reach = {"ankle": 1.0, "knee": 0.5, "wrist": -0.6}.get(joint, 0.0)
        joints[row] = x + sign * wide, y + sign * reach * swing, ABOVE.get(joint, 0.93) * HEIGHT_M
    return joints


def walk(path: Path, fps: float, seconds: float, *, noise_px: float = 0.0, seed: int = 0) -> list[TrackFrame]:
    """Frames with one track, number 1, of a person at `path(time_s)`; joints and sides of the box tremble."""
    rng = np.random.default_rng(seed)
    frames = []
    for seq in range(round(seconds * fps)):
        time_s = seq / fps
        (x, y), (later_x, later_y) = path(time_s), path(time_s + 0.01)
        walks = min(np.hypot(later_x - x, later_y - y) / 0.01 / 1.4, 1.0)
        body = body_m(x, y, time_s, walks)
        sole = np.array([[x, y, 0.0], [x, y, HEIGHT_M]])
        shown = seen_at(np.concatenate([body, sole]))
        aside = np.array([8.0, 0.0])
        box = np.concatenate([shown.min(axis=0) - aside, shown.max(axis=0) + aside])
        joints = np.column_stack([seen_at(body) + rng.normal(0, noise_px, (17, 2)), np.full(17, 0.9)])
        frames.append(frame_of([track(box + rng.normal(0, noise_px, 4), joints, age_s=time_s)], seq, time_s))
    return frames


def track(
    box: np.ndarray, joints: np.ndarray | None, *, number: int = 1, age_s: float = 1.0, coasted: bool = False
) -> Track:
    return Track(
        id=number,
        box_xyxy_px=np.asarray(box, np.float32),
        score=0.9,
        keypoints_px=None if joints is None else np.asarray(joints, np.float32),
        state=TrackState.CONFIRMED,
        age_s=age_s,
        keypoint_visibility=None if joints is None else np.full(len(joints), 2, np.uint8),
        coasted=coasted,
    )


def frame_of(tracks: list[Track], seq: int, time_s: float, epoch: int = 1) -> TrackFrame:
    return TrackFrame("yard", epoch, seq, round(time_s * 1e9), SIZE_PX, tuple(tracks))
