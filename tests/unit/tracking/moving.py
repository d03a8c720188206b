"""A camera that moves, for the frames of `scenes`: people stay in the scene, and the picture goes over them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from posebus.messages import CameraMotion, PoseFrame, TrackFrame

Matrix = tuple[float, float, float, float, float, float]


def shift(x: float, y: float = 0.0) -> Matrix:
    """The scene moves by x, y pixels in the picture."""
    return (1.0, 0.0, x, 0.0, 1.0, y)


def zoom(factor: float, centre: tuple[float, float] = (640.0, 360.0)) -> Matrix:
    """The scene grows by `factor` around a pixel."""
    return (factor, 0.0, (1 - factor) * centre[0], 0.0, factor, (1 - factor) * centre[1])


def seen(
    frame: PoseFrame, matrix: Matrix, *, announced: bool = False, shot: int = 0, certainty: float = 1.0
) -> PoseFrame:
    """The frame of a still camera, as a camera sees it that has moved by `matrix`.

    Boxes stay upright, and are cut at the borders; those outside are empty.

    `announced`: whether the frame has this motion as its `camera_motion`.
    """
    a, b, c, d, e, f = matrix
    linear, offset = np.array(((a, b), (d, e))), np.array((c, f))
    boxes = frame.boxes_xyxy_px.astype(np.float64)
    centres, sides = (boxes[:, :2] + boxes[:, 2:]) / 2, boxes[:, 2:] - boxes[:, :2]
    centres, sides = centres @ linear.T + offset, sides * np.sqrt(abs(np.linalg.det(linear)))
    corners = np.concatenate((centres - sides / 2, centres + sides / 2), axis=1)
    keypoints = None
    if frame.keypoints_px is not None:
        keypoints = frame.keypoints_px.copy()
        keypoints[..., :2] = keypoints[..., :2] @ linear.T + offset
    return replace(
        frame,
        boxes_xyxy_px=corners.clip(0.0, np.tile(frame.size_px, 2)).astype(np.float32),
        keypoints_px=keypoints,
        camera_motion=CameraMotion(shot, matrix, certainty) if announced else None,
    )


def resized(frame: PoseFrame, size_px: tuple[int, int], place: Callable[[np.ndarray], np.ndarray]) -> PoseFrame:
    """The frame in a picture of another size; `place` maps points (..., 2) of the old picture to the new one."""
    boxes = place(frame.boxes_xyxy_px.reshape(-1, 2, 2)).reshape(-1, 4).astype(np.float32)
    assert frame.keypoints_px is not None
    keypoints = frame.keypoints_px.copy()
    keypoints[..., :2] = place(keypoints[..., :2])
    return replace(frame, size_px=size_px, boxes_xyxy_px=boxes, keypoints_px=keypoints)


def confirmed(frames: Sequence[TrackFrame]) -> list[list[int]]:
    """Ids of the confirmed tracks of each frame."""
    return [[track.id for track in frame.tracks if track.state == "confirmed"] for frame in frames]


def truthful(frames: Sequence[TrackFrame], people: int) -> bool:
    """Whether each detection always has the same id: detections have the order of the people in every frame."""
    for frame in frames:
        ids = {track.pose_index: track.id for track in frame.tracks if track.pose_index is not None}
        if ids != {person: person + 1 for person in range(people)}:
            return False
    return True
