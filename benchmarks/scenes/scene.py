"""Synthetic scenes of walking people with ground truth, for testing trackers where no recording exists.

    python -m benchmarks.scenes OUT.mp4 [--kind plaza] [--seed 3]

draws one; OUT without a suffix is a folder of pictures. A scene follows from its settings and its seed alone.
"""

from __future__ import annotations

import argparse
import math
from dataclasses import replace
from pathlib import Path

import numpy as np

from benchmarks.common.mot import Rows
from benchmarks.scenes.bodies import bodies_of
from benchmarks.scenes.camera import camera_of
from benchmarks.scenes.detections import SyntheticDetections
from benchmarks.scenes.detector import detect
from benchmarks.scenes.kinds import CORRIDOR, KINDS, PLAZA, RUNNERS, SHOP, STREET, Detector, Pillar, SceneKind
from benchmarks.scenes.noise import LastingNoise
from benchmarks.scenes.occlusion import visibility_of
from benchmarks.scenes.walkers import walk
from posebus.arrays import BoolArray, Float64Array
from posebus.messages import PoseFrame

__all__ = [
    "CORRIDOR",
    "IN_PICTURE",
    "KINDS",
    "PLAZA",
    "RUNNERS",
    "SHOP",
    "STREET",
    "Detector",
    "Pillar",
    "SceneKind",
    "Truth",
    "crowd",
    "pose_frame",
    "scene",
]

Truth = Rows
"""Rows by frame number from 1: boxes of whole bodies, as MOTChallenge annotates them."""

IN_PICTURE = 0.25
"""Bodies are in the truth from this part of their box in the picture on: in TUD-Stadtmitte it is 0.25 to 0.4."""

ANNOTATION_INSET = 0.025
ANNOTATION_ERROR = np.array([0.016, 0.004, 0.016, 0.004])
ANNOTATION_TIME_S = 1.0
"""How annotators draw boxes: this far inside, in widths of the body, with these deviations of left, top, right, bottom,
in its heights, that last this long. Boxes of TUD-Stadtmitte are 0.306 of their height wide, with 0.016 within a person,
and change evenly from frame to frame, while the network's are 0.36 wide."""


def crowd(people: int, seconds: float, fps: float, seed: int) -> tuple[list[PoseFrame], Truth]:
    """About `people` people in view per frame, walking in all directions before a 1920x1080 camera on a mast.

    The density hardly depends on their number: the mast is higher and bodies are smaller for more people, 230 px high
    for 10 and 90 for 200, and the network's input grows with them.
    """
    scale = math.sqrt(max(people, 1) / 10.0)
    settings = SceneKind(
        name="crowd",
        size_px=(1920, 1080),
        fps=fps,
        seconds=seconds,
        people=people,
        camera_height_m=3.0 + 2.0 * scale,
        tilt_deg=25.0,
        focal_widths=0.9,
        near_m=4.0 + 2.0 * scale,
        far_m=6.0 + 10.0 * scale,
        flow="any",
        turns_per_s=0.05,
        detector=Detector(imgsz=min(4096, 640 + round(400 * scale))),
    )
    return scene(settings, seed)


def scene(kind: SceneKind, seed: int) -> tuple[list[PoseFrame], Truth]:
    """The detections and the truth of one scene.

    They are the same for the same settings and seed; on another machine, up to the last bits of sines and exponentials.
    People are numbered from 1, a person who comes back gets another number, and occluded people stay in the truth.
    """
    # Independent random numbers, so that another detector or frame rate has the same people on the same ways.
    walking, detecting, annotating = (np.random.default_rng([seed, part]) for part in range(3))
    camera = camera_of(kind)
    walks = walk(kind, camera, walking)
    bodies = bodies_of(walks, camera)
    rows = np.flatnonzero(_is_near_picture(bodies.boxes_px(), kind.size_px) & (walks.person.ravel() >= 0))
    frame = np.repeat(np.arange(len(walks.person)), walks.person.shape[1])
    visibility = visibility_of(bodies.select(rows), frame[rows], camera, kind.pillars).spread(rows, walks.person.size)
    steady = bodies_of(walks, camera, steady=True).boxes_px()
    found = detect(bodies, steady, visibility, walks.person, kind, detecting)
    drawn = _as_annotated(steady, walks.person.shape, kind, annotating) if kind.hand_drawn else bodies.boxes_px()
    truth: Truth = {number: [] for number in range(1, len(walks.person) + 1)}
    for row in rows[_counts(drawn, kind)[rows] & (visibility.visible[rows] >= kind.min_visible)].tolist():
        box = np.clip(drawn[row], 0, np.tile(kind.size_px, 2)) if kind.clipped else drawn[row]
        left, top, right, bottom = box.round(1).tolist()
        truth[int(frame[row]) + 1].append((int(walks.person.flat[row]) + 1, left, top, right - left, bottom - top))
    return [pose_frame(kind, index, detections) for index, detections in enumerate(found)], truth


def _is_near_picture(boxes: Float64Array, size_px: tuple[int, int]) -> BoolArray:
    return np.asarray((boxes[:, 2:] > 0).all(axis=1) & (boxes[:, :2] < size_px).all(axis=1))


def _as_annotated(
    boxes: Float64Array, shape: tuple[int, int], kind: SceneKind, rng: np.random.Generator
) -> Float64Array:
    """Boxes (T * S, 4) drawn too narrow and with errors that last for about a second."""
    size = boxes[:, 2:] - boxes[:, :2]
    noise = LastingNoise(rng, shape, 1.0 / kind.fps).lasting(ANNOTATION_TIME_S, 4)
    inset = np.array([ANNOTATION_INSET, 0.0, -ANNOTATION_INSET, 0.0]) * size[:, :1]
    return np.asarray(boxes + inset + noise * ANNOTATION_ERROR * size[:, 1:])


def _counts(boxes: Float64Array, kind: SceneKind) -> BoolArray:
    """(M,) whether enough of the boxes (M, 4) lies in the picture."""
    inside = np.clip(boxes, 0, np.tile(kind.size_px, 2))
    part = (inside[:, 2:] - inside[:, :2]).prod(axis=1) / (boxes[:, 2:] - boxes[:, :2]).prod(axis=1)
    return np.asarray(part >= IN_PICTURE)


def pose_frame(kind: SceneKind, index: int, detections: SyntheticDetections) -> PoseFrame:
    """The frame of that number with its detections."""
    return PoseFrame(
        camera=kind.name,
        epoch=1,
        seq=index,
        captured_at_ns=round(index / kind.fps * 1e9),
        size_px=kind.size_px,
        boxes_xyxy_px=detections.boxes_px.astype(np.float32),
        scores=detections.scores.astype(np.float32),
        keypoints_px=detections.joints_px.astype(np.float32) if kind.detector.keypoints else None,
    )


def main() -> None:
    from benchmarks.scenes.drawing import draw

    parser = argparse.ArgumentParser(description="Draw a synthetic scene with its truth and detections.")
    parser.add_argument("out", type=Path, help="video file, or folder for pictures")
    parser.add_argument("--kind", choices=sorted(KINDS), default="street", help="kind of the scene")
    parser.add_argument("--seed", type=int, default=0, help="seed of the random numbers")
    parser.add_argument("--seconds", type=float, help="length of the scene, by default that of its kind")
    options = parser.parse_args()
    kind = KINDS[options.kind]
    kind = kind if options.seconds is None else replace(kind, seconds=options.seconds)
    frames, truth = scene(kind, options.seed)
    draw(options.out, kind, frames, truth)
