"""The path of a moving camera, applied to the frames and the truth of a scene.

A scene is made with a still camera on a picture larger than needed, the world. The moving camera sees a part of it: an
affine matrix for each frame leads from pixels of the world to pixels of its picture. `moved` and `moved_rows` turn the
frames and the truth of a still camera into those of a shaken, panned or zoomed one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from benchmarks.common.mot import Row, boxes_of, corners_of
from benchmarks.scenes.detector import CUT_AT, HIGHEST_SCORE, SCORE_AT, at
from benchmarks.scenes.joints import OUT_OF_REACH
from benchmarks.scenes.noise import sigmoid
from benchmarks.scenes.scene import IN_PICTURE
from posebus.arrays import Float64Array
from posebus.messages import CameraMotion, PoseFrame

Indices = npt.NDArray[np.intp]

DETECTABLE = 0.05
"""Detections of which less is in the picture are left out."""


@dataclass(frozen=True, slots=True)
class CameraPath:
    """Where a camera looks in each of T frames.

    matrices: (T, 3, 3) affine, from pixels of the world to pixels of the frame. shots: (T,) number of the shot, as in
    `CameraMotion`. sizes_px: (T, 2) width and height of the frame.
    """

    matrices: Float64Array
    shots: Indices
    sizes_px: Indices

    def __len__(self) -> int:
        return len(self.matrices)

    def size_px(self, place: int) -> tuple[int, int]:
        """The (width, height) of the frame at that place."""
        return int(self.sizes_px[place, 0]), int(self.sizes_px[place, 1])

    def motion(self, place: int) -> CameraMotion:
        """The true motion of the frame at that place: its matrix relative to that of the first frame of its shot."""
        first = int(np.searchsorted(self.shots, self.shots[place]))
        matrix = self.matrices[place] @ np.linalg.inv(self.matrices[first])
        a, b, c, d, e, f = matrix[:2].ravel().tolist()
        return CameraMotion(shot=int(self.shots[place]), matrix=(a, b, c, d, e, f), certainty=1.0)


def path_of(matrices: Float64Array, size_px: tuple[int, int], shots: Indices | None = None) -> CameraPath:
    """A path of frames of one size, in one shot unless `shots` says otherwise."""
    count = len(matrices)
    return CameraPath(
        matrices=np.asarray(matrices, float),
        shots=np.zeros(count, np.intp) if shots is None else shots,
        sizes_px=np.tile(np.array(size_px, np.intp), (count, 1)),
    )


def moved(frames: Sequence[PoseFrame], path: CameraPath, *, tell: bool = False) -> list[PoseFrame]:
    """The frames as the moving camera detects them; `tell`: with the true `camera_motion`.

    Boxes and joints are mapped and clipped to the picture, as a network's are. People cut by the border get a lower
    score and joints of low confidence. Raises ValueError if there are more or fewer frames than matrices.
    """
    return [
        _moved(frame, path, place, path.motion(place) if tell else None)
        for place, (frame, _) in enumerate(zip(frames, path.matrices, strict=True))
    ]


def with_true_motion(frames: Sequence[PoseFrame], path: CameraPath) -> list[PoseFrame]:
    """Frames that `moved` returned, with the true `camera_motion`."""
    return [replace(frame, camera_motion=path.motion(place)) for place, frame in enumerate(frames)]


def moved_rows(rows: Sequence[Row], path: CameraPath, place: int) -> list[Row]:
    """Rows of the truth of one frame, in the moving camera's picture and clipped to it, without those outside."""
    boxes = moved_boxes(corners_of(boxes_of(list(rows))), path.matrices[place])
    clipped, inside = clipped_boxes(boxes, path.size_px(place))
    kept = []
    for row, (left, top, right, bottom), part in zip(rows, clipped.round(1).tolist(), inside.tolist(), strict=True):
        if part >= IN_PICTURE:
            kept.append((row[0], left, top, right - left, bottom - top))
    return kept


def moved_boxes(boxes: Float64Array, matrix: Float64Array) -> Float64Array:
    """Boxes (N, 4) around the ellipses within the given boxes after the matrix (3, 3).

    The box around the moved corners would be too large: bodies do not fill the corners of their boxes.
    """
    middle, half = (boxes[:, :2] + boxes[:, 2:]) / 2, (boxes[:, 2:] - boxes[:, :2]) / 2
    middle = middle @ matrix[:2, :2].T + matrix[:2, 2]
    half = np.sqrt(half**2 @ (matrix[:2, :2] ** 2).T)
    return np.concatenate([middle - half, middle + half], axis=1)


def _moved(frame: PoseFrame, path: CameraPath, place: int, motion: CameraMotion | None) -> PoseFrame:
    matrix, size_px = path.matrices[place], path.size_px(place)
    boxes, inside = clipped_boxes(moved_boxes(frame.boxes_xyxy_px.astype(float), matrix), size_px)
    rows = np.flatnonzero((inside >= DETECTABLE) & ((boxes[:, 2:] - boxes[:, :2]) > 1).all(axis=1))
    joints = None if frame.keypoints_px is None else _moved_joints(frame.keypoints_px[rows], matrix, size_px)
    return replace(
        frame,
        size_px=size_px,
        boxes_xyxy_px=boxes[rows].astype(np.float32),
        scores=_cut_scores(frame.scores[rows].astype(float), inside[rows]).astype(np.float32),
        keypoints_px=joints,
        appearance=None if frame.appearance is None else frame.appearance[rows],
        camera_motion=motion,
    )


def clipped_boxes(boxes: Float64Array, size_px: tuple[int, int]) -> tuple[Float64Array, Float64Array]:
    """The boxes (N, 4) clipped to the picture, and the part (N,) of each that is in it."""
    clipped = np.clip(boxes, 0, np.tile(size_px, 2))
    whole = np.maximum((boxes[:, 2:] - boxes[:, :2]).prod(axis=1), 1e-9)
    return clipped, (clipped[:, 2:] - clipped[:, :2]).prod(axis=1) / whole


def _cut_scores(scores: Float64Array, inside: Float64Array) -> Float64Array:
    """Scores (N,) of bodies of which only the part `inside` (N,) is in the picture: the logit falls as measured."""
    loss = SCORE_AT[-1][1] - at(SCORE_AT, at(CUT_AT, inside))
    ratio = np.clip(scores / HIGHEST_SCORE, 1e-6, 1 - 1e-6)
    return np.where(loss > 0, HIGHEST_SCORE * sigmoid(np.log(ratio / (1 - ratio)) - loss), scores)


def _moved_joints(
    joints: npt.NDArray[np.float32], matrix: Float64Array, size_px: tuple[int, int]
) -> npt.NDArray[np.float32]:
    """Joints (N, K, 3) at their new places, clipped to the picture; those outside get a low confidence."""
    places = joints[..., :2].astype(float) @ matrix[:2, :2].T + matrix[:2, 2]
    outside = ((places < 0) | (places > size_px)).any(axis=-1)
    sure = np.clip(joints[..., 2].astype(float), 1e-6, 1 - 1e-6)
    sure = np.where(outside, sigmoid(np.log(sure / (1 - sure)) + OUT_OF_REACH), joints[..., 2])
    return np.concatenate([np.clip(places, 0, size_px), sure[..., None]], axis=-1).astype(np.float32)
