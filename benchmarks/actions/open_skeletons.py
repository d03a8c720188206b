"""Examples from open skeletons: single people in OpenPose's formats, with the action as a label of each row.

`data.csv` and `data_under_scene.csv` (OpenPose-18) are from a project of LZQthePlane on GitHub; the wheel
pose-classification-kit has BODY_25 poses. Rows follow each other in time, without marks where a recording ends.
"""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np

from benchmarks.actions.examples import LABELS, Examples, examples_of, joined
from posebus.arrays import Float64Array
from posebus.messages import Track, TrackFrame, TrackState
from tracking.actions.base import FALLEN, OTHER, Windows
from tracking.actions.features import features_of

FPS = 9.0
SIZE_PX = (640, 480)
"""Neither is in the files. At this rate people take 1.8 steps a second when they walk, and 3 when they run."""

OPENPOSE_18 = (0, 15, 14, 17, 16, 5, 2, 6, 3, 7, 4, 11, 8, 12, 9, 13, 10)
BODY_25 = (0, 16, 15, 18, 17, 5, 2, 6, 3, 7, 4, 12, 9, 13, 10, 14, 11)
"""The place of each COCO keypoint in the other formats."""

SCENE_LABELS = {"0": "Standing", "1": "Walking", "2": "Standing", "3": FALLEN, "4": "Running"}
GYM_LABELS = {"stand": "Standing", "walk": "Walking", "squat": "Squatting", "wave": "Standing"}
KIT_LABELS = {
    **{"Seated": "Sitting", "Squat": "Squatting", "Plank": OTHER, "PushUp_Low": OTHER, "Stand": "Standing"},
    **dict.fromkeys(("Stand_LeftArmRaised", "Stand_RightArmRaised", "T", "MilitarySalute"), "Standing"),
    **dict.fromkeys(("Traffic_AllStop", "Traffic_FrontStop", "Traffic_BackStop"), "Standing"),
    **dict.fromkeys(("Traffic_BackFrontStop", "Traffic_LeftTurn", "Traffic_RightTurn"), "Standing"),
}
"""Yoga is left out."""

KIT_FILE = "pose_classification_kit/datasets/BodyPose_Dataset.csv"

CUT = 0.25
"""A median motion of the joints above this part of the picture from one row to the next is another recording."""

SETTLED_S = 0.5

TRAINED_SHARE = 0.7
"""Of each label, this first part of the rows may be trained on, and the rest not."""


@dataclass(frozen=True, slots=True)
class Segment:
    """Rows that follow each other in time: poses_px (T, 17, 3), confidence 0 or 1; `late`: after TRAINED_SHARE."""

    name: str
    action: str
    poses_px: Float64Array
    late: bool

    def frames(self) -> list[TrackFrame]:
        """The rows as frames of one track."""
        frames = []
        for seq, pose_px in enumerate(self.poses_px):
            seen = pose_px[pose_px[:, 2] > 0]
            tracks: tuple[Track, ...] = ()
            if len(seen) >= 4:
                box = np.concatenate([seen[:, :2].min(axis=0), seen[:, :2].max(axis=0)]).astype(np.float32)
                tracks = (Track(1, box, 0.9, pose_px.astype(np.float32), TrackState.CONFIRMED, seq / FPS),)
            frames.append(TrackFrame("open", 1, seq, round(seq / FPS * 1e9), SIZE_PX, tracks))
        return frames


def scene_segments(folder: Path) -> list[Segment]:
    """The segments of both CSV files; rows that are in both (stand, walk) come once."""
    under_scene = _rows(folder / "data_under_scene.csv", SCENE_LABELS)
    gym = [one for one in _rows(folder / "data.csv", GYM_LABELS) if one[0] in ("squat", "wave")]
    return [segment for name, action, poses in (*under_scene, *gym) for segment in _segments(name, action, poses)]


def of_segments(segments: Sequence[Segment], shown: Sequence[list[TrackFrame]] | None = None) -> Examples:
    """The examples of segments, from `SETTLED_S` after their beginnings: motion cannot be known before.

    shown: other frames than those of each segment.
    """
    frames = [one.frames() for one in segments] if shown is None else shown
    return joined(
        [
            examples_of(found, lambda at_s, action=one.action: action if at_s >= SETTLED_S else None)
            for one, found in zip(segments, frames, strict=True)
        ]
    )


def kit_poses(wheel: Path) -> dict[str, Float64Array]:
    """Poses (T, 17, 3) of each label of the wheel, in pixels with y downwards, in the order of the file."""
    with zipfile.ZipFile(wheel) as archive:
        rows = list(csv.DictReader(io.StringIO(archive.read(KIT_FILE).decode())))
    poses: dict[str, list[Float64Array]] = {label: [] for label in KIT_LABELS}
    for row in rows:
        if row["label"] in poses:
            points = np.array([[float(row[f"x{at}"]), -float(row[f"y{at}"])] for at in range(25)])
            poses[row["label"]].append(_coco(points * 300.0, BODY_25))
    return {label: np.array(found) for label, found in poses.items()}


def of_kit(poses: dict[str, Float64Array], *, late: bool | None = None) -> Examples:
    """The examples of single poses, which say nothing about motion; late: only the last part of each label, or only
    the first one, or all (None)."""
    parts = []
    for label, found in poses.items():
        split = int(TRAINED_SHARE * len(found))
        chosen = found if late is None else found[split:] if late else found[:split]
        count = len(chosen)
        windows = Windows(
            ages_s=np.zeros((count, 1)),
            poses_px=chosen[:, None],
            count=np.ones(count, int),
            dt_s=np.full(count, 1e3),
            stature_px=np.zeros(count),
            descent=np.full(count, np.nan),
            size_px=SIZE_PX,
        )
        parts.append(Examples(features_of(windows).values, np.full(count, LABELS.index(KIT_LABELS[label]))))
    return joined(parts)


def _rows(path: Path, actions: dict[str, str]) -> list[tuple[str, str, Float64Array]]:
    """Label, action and poses (T, 17, 3) of each label of a CSV file."""
    with path.open(encoding="utf-8") as file:
        rows = list(csv.reader(file))[1:]
    found = []
    for label, action in actions.items():
        points = np.array([[float(value) for value in row[:36]] for row in rows if row[36] == label])
        found.append((label, action, np.array([_coco(one, OPENPOSE_18) for one in points.reshape(-1, 18, 2)])))
    return [(label, action, poses * [*SIZE_PX, 1.0]) for label, action, poses in found]


def _coco(points: Float64Array, places: tuple[int, ...]) -> Float64Array:
    chosen = points[list(places)]
    return np.column_stack([chosen, (chosen != 0).any(axis=1)])


def _segments(name: str, action: str, poses_px: Float64Array) -> list[Segment]:
    split = int(TRAINED_SHARE * len(poses_px))
    ends = [0, split, len(poses_px)]
    for row in range(1, len(poses_px)):
        both = (poses_px[row, :, 2] > 0) & (poses_px[row - 1, :, 2] > 0)
        way = np.abs(poses_px[row, :, :2] - poses_px[row - 1, :, :2]) / SIZE_PX
        if both.sum() < 4 or np.median(np.hypot(way[both, 0], way[both, 1])) > CUT:
            ends.append(row)
    ends = sorted(set(ends))
    return [Segment(name, action, poses_px[first:last], first >= split) for first, last in pairwise(ends)]
