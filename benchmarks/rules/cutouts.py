"""People cut out of a recording with ground truth, for scenes whose truth is known and whose people are real."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from benchmarks.common.frames import BgrImage
from benchmarks.common.mot import read_mot
from posebus.arrays import Float64Array

Box = tuple[int, int, int, int]
"""Left, top, right, bottom."""

MARGIN_PX = 10
SLENDER, LEAST_HEIGHT_PX, LEAST_TALL, FILLS = 1.6, 130.0, 0.92, (0.35, 0.8)
"""Boxes that are used, by height divided by width and in pixels; and cut-outs, by their height and area in the box."""
EVERY, LEAST_PICTURES, MOST_PICTURES = 2, 6, 15
"""Every N-th frame is cut out, from runs of frames in which nobody else is in the box."""


@dataclass(frozen=True, slots=True)
class Cutout:
    """A person in one frame: image (H, W, 3), and inside (H, W), 1 where the person is."""

    image: BgrImage
    inside: npt.NDArray[np.uint8]

    @property
    def feet(self) -> tuple[float, float]:
        """The middle of the lowest part, in pixels of the image."""
        ys, xs = np.nonzero(self.inside)
        return float(xs[ys > ys.max() - 8].mean()), float(ys.max())


def frames_of(clip: Path) -> list[BgrImage]:
    """All frames of a video."""
    video = cv2.VideoCapture(str(clip))
    found: list[BgrImage] = []
    while True:
        good, picture = video.read()
        if not good:
            return found
        found.append(np.asarray(picture, np.uint8))


def background_of(frames: list[BgrImage]) -> BgrImage:
    """The median of every pixel over a clip. People who hardly move stay in it."""
    return np.asarray(np.median(np.stack(frames[:: max(1, len(frames) // 60)]), axis=0), np.uint8)


def people_of(clip: Path, frames: list[BgrImage]) -> list[list[Cutout]]:
    """The cut-outs of each person who is alone in a box for a while, in order of time; NAME.gt.txt has the boxes."""
    background = background_of(frames)
    found = []
    for run in _alone(clip.with_name(f"{clip.stem}.gt.txt"), frames[0].shape):
        cut = [_cut(frames[number - 1], box, background) for number, box in run[::EVERY][:MOST_PICTURES]]
        good = [one for one in cut if one is not None]
        if len(good) >= LEAST_PICTURES:
            found.append(good)
    return found


def _alone(truth: Path, shape: tuple[int, ...]) -> list[list[tuple[int, Box]]]:
    """Runs of frames in which a person's box is whole and no other box is in it."""
    runs: dict[int, list[list[tuple[int, Box]]]] = defaultdict(list)
    for number, rows in sorted(read_mot(truth, truth=True).items()):
        boxes = {track: np.array([x, y, x + w, y + h]) for track, x, y, w, h in rows}
        for track, box in boxes.items():
            others = [other for of, other in boxes.items() if of != track]
            if not _usable(box, shape) or any(_overlap(box, other) > 0.03 for other in others):
                continue
            of_track = runs[track]
            if not of_track or of_track[-1][-1][0] != number - 1:
                of_track.append([])
            left, top, right, bottom = (int(value) for value in box)
            of_track[-1].append((number, (left, top, right, bottom)))
    return [run for of_track in runs.values() for run in of_track if len(run) >= EVERY * LEAST_PICTURES]


def _usable(box: Float64Array, shape: tuple[int, ...]) -> bool:
    width, height = box[2:] - box[:2]
    inside = box[:2].min() >= MARGIN_PX and box[2] < shape[1] - MARGIN_PX and box[3] < shape[0] - MARGIN_PX
    return bool(inside and height >= LEAST_HEIGHT_PX and height >= SLENDER * width)


def _overlap(one: Float64Array, other: Float64Array) -> float:
    common = np.minimum(one[2:], other[2:]) - np.maximum(one[:2], other[:2])
    return float(max(common[0], 0.0) * max(common[1], 0.0) / np.prod(one[2:] - one[:2]))


def _cut(frame: BgrImage, box: Box, background: BgrImage) -> Cutout | None:
    left, top, right, bottom = box
    part = np.s_[top - MARGIN_PX : bottom + MARGIN_PX, left - MARGIN_PX : right + MARGIN_PX]
    image = np.ascontiguousarray(frame[part])
    mask = np.full(image.shape[:2], cv2.GC_BGD, np.uint8)
    inner = np.s_[MARGIN_PX // 2 : -MARGIN_PX // 2, MARGIN_PX // 2 : -MARGIN_PX // 2]
    differs = np.abs(image.astype(int) - background[part]).max(axis=2) >= 12
    mask[inner] = np.where(differs[inner], cv2.GC_PR_FGD, cv2.GC_PR_BGD)
    cv2.grabCut(image, mask, (0, 0, 1, 1), np.zeros((1, 65)), np.zeros((1, 65)), 2, cv2.GC_INIT_WITH_MASK)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(
        np.isin(mask, (cv2.GC_FGD, cv2.GC_PR_FGD)).astype(np.uint8)
    )
    if count < 2:
        return None
    inside = (labels == 1 + int(np.argmax(stats[1:, cv2.CC_STAT_AREA]))).astype(np.uint8)
    inside = np.asarray(cv2.morphologyEx(inside, cv2.MORPH_CLOSE, np.ones((5, 5), np.uint8)), np.uint8)
    ys = np.nonzero(inside)[0]
    fills = inside.sum() / ((right - left) * (bottom - top))
    if ys.max() - ys.min() < LEAST_TALL * (bottom - top) or not FILLS[0] <= fills <= FILLS[1]:
        return None
    return Cutout(image, inside)
