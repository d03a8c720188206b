"""A network's detections in a recording, compared with those of the synthetic network in a synthetic scene.

    python -m benchmarks.scenes.calibration [--data ../shared/data] [--clip TUD-Stadtmitte] [--kind street] [--seeds 3]

The constants of `benchmarks.scenes.detector`, `joints` and `clutter` come from these figures. Errors of sides are in
body heights. The visible part of a body is estimated from the boxes of the ground truth, in the same way for recordings
and synthetic scenes.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import numpy.typing as npt
from scipy.optimize import linear_sum_assignment

from benchmarks.common.clips import load_clip
from benchmarks.common.mot import boxes_of, corners_of, read_mot
from benchmarks.common.paths import DATA, poses_cache
from benchmarks.scenes.scene import KINDS, Truth, scene
from posebus.arrays import BoolArray, Float64Array
from posebus.boxes import iou_matrix
from posebus.messages import PoseFrame

LOWEST_SCORE = 0.1
SAME_IOU = 0.3
PARTS = (0.0, 0.1, 0.3, 0.5, 0.7, 0.9, 1.01)
FULL = 0.9
LAGS = (1, 3, 5, 12, 25)
LIMBS = {"face": 0, "shoulders": 5, "elbows": 7, "wrists": 9, "hips": 11, "knees": 13, "ankles": 15}


@dataclass(frozen=True, slots=True)
class MatchedBodies:
    """N bodies of the ground truth, in order of time, and the detections matched with them.

    person, frame: (N,). truth, found: boxes (N, 4), `found` is nan where the body was missed. visible: (N,) 0..1.
    whole: (N,) whether the body is away from the picture's left and right border. scores: (N,) 0 where missed. joints:
    (N, 17, 3). extra: (E, 2) score of each unmatched detection and its largest IoU with a body. frames: number of
    frames.
    """

    person: npt.NDArray[np.intp]
    frame: npt.NDArray[np.intp]
    truth: Float64Array
    found: Float64Array
    visible: Float64Array
    whole: BoolArray
    scores: Float64Array
    joints: Float64Array
    extra: Float64Array
    frames: int

    def errors(self) -> Float64Array:
        """(N, 4) sides of the detection minus sides of the truth, in heights of the truth."""
        return (self.found - self.truth) / (self.truth[:, 3:] - self.truth[:, 1:2])

    def follow(self, lag: int) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
        """Rows of fully visible bodies that were found, and the rows of the same bodies `lag` frames later."""
        rows = np.flatnonzero((self.visible > FULL) & (self.scores > 0) & self.whole)
        places = {(int(self.person[row]), int(self.frame[row])): int(row) for row in rows}
        pairs = [(row, places.get((person, frame + lag), -1)) for (person, frame), row in places.items()]
        kept = np.array([pair for pair in pairs if pair[1] >= 0], np.intp).reshape(-1, 2)
        return kept[:, 0], kept[:, 1]


def matched_bodies(clips: Iterable[tuple[list[PoseFrame], Truth]]) -> MatchedBodies:
    """All bodies of some clips; people of different clips are different people."""
    rows: list[tuple[float, ...]] = []
    joints: list[Float64Array] = []
    extra: list[tuple[float, float]] = []
    frames = 0
    for clip, (predicted, truth) in enumerate(clips):
        for frame in predicted:
            frames += 1
            sure = frame.scores >= LOWEST_SCORE
            found, scores = frame.boxes_xyxy_px[sure].astype(float), frame.scores[sure].astype(float)
            assert frame.keypoints_px is not None
            skeletons = frame.keypoints_px[sure].astype(float)
            people = truth.get(frame.seq + 1, [])
            boxes = corners_of(boxes_of(people))
            visible = _visible(boxes, frame.size_px)
            inside = np.clip(boxes, 0, np.tile(frame.size_px, 2))
            overlap = iou_matrix(inside, found)
            matched = linear_sum_assignment(np.where(overlap > SAME_IOU, overlap, 0.0), maximize=True)
            got = {body: box for body, box in np.transpose(matched).tolist() if overlap[body, box] > SAME_IOU}
            for body, (row, part) in enumerate(zip(people, visible.tolist(), strict=True)):
                box = got.get(body)
                whole = boxes[body, 0] > 5 and boxes[body, 2] < frame.size_px[0] - 5
                where = [np.nan] * 4 if box is None else found[box].tolist()
                score = 0.0 if box is None else scores[box]
                rows.append((1000 * clip + row[0], frame.seq, part, whole, score, *inside[body], *where))
                joints.append(np.full((17, 3), np.nan) if box is None else skeletons[box])
            others = set(range(len(found))) - set(got.values())
            extra += [(scores[box], overlap[:, box].max(initial=0.0)) for box in others]
    table = np.array(rows)
    return MatchedBodies(
        person=table[:, 0].astype(np.intp),
        frame=table[:, 1].astype(np.intp),
        truth=table[:, 5:9],
        found=table[:, 9:13],
        visible=table[:, 2],
        whole=table[:, 3] > 0,
        scores=table[:, 4],
        joints=np.array(joints),
        extra=np.array(extra).reshape(-1, 2),
        frames=frames,
    )


def _visible(boxes: Float64Array, size_px: tuple[int, int]) -> Float64Array:
    """(N,) part of the middle of each box that is in the picture and in no box with a lower bottom edge."""
    across, down = (grid.ravel() for grid in np.meshgrid(np.linspace(0.2, 0.8, 12), np.linspace(0.02, 0.98, 30)))
    size = boxes[:, 2:] - boxes[:, :2]
    at = boxes[:, None, :2] + np.column_stack([across, down]) * size[:, None]
    open_ = (at >= 0).all(axis=2) & (at < size_px).all(axis=2)
    low, high = boxes[:, :2] + size * (0.15, 0.0), boxes[:, 2:] - size * (0.15, 0.0)
    for row in range(len(boxes)):
        hides = (at > low[row]).all(axis=2) & (at < high[row]).all(axis=2)
        open_ &= ~(hides & (boxes[:, 3] < boxes[row, 3])[:, None])
    return np.asarray(open_.mean(axis=1))


def print_figures(title: str, bodies: MatchedBodies) -> None:
    """Print the figures from which the constants were taken."""
    height, width = bodies.truth[:, 3] - bodies.truth[:, 1], bodies.truth[:, 2] - bodies.truth[:, 0]
    print(f"\n{title}: {bodies.frames} frames, {len(height) / bodies.frames:.2f} people in each")
    print("  heights (10, 50, 90 %)", np.percentile(height, (10, 50, 90)).round())
    print("  visible      share missed <0.3  score 10, 50, 90 %    width  height  sides' mean error and deviation")
    for low, high in pairwise(PARTS):
        here = (bodies.visible >= low) & (bodies.visible < high)
        found = here & (bodies.scores > 0)
        if found.sum() < 5:
            continue
        size = bodies.found[found, 2:] - bodies.found[found, :2]
        shape = np.median(size / np.column_stack([width, height])[found], axis=0)
        errors = bodies.errors()[found]
        print(
            f"  {low:.1f} to {min(high, 1):.1f} {here.mean():8.3f} {np.mean(bodies.scores[here] == 0):6.2f}"
            f" {np.mean(bodies.scores[here] < 0.3):5.2f}  {np.percentile(bodies.scores[found], (10, 50, 90)).round(2)}"
            f" {shape[0]:8.2f} {shape[1]:7.2f}  {errors.mean(axis=0).round(3)} {errors.std(axis=0).round(3)}"
        )
    _print_persistence(bodies)
    extra = bodies.extra
    for name, kept in (("off", extra[:, 1] < 0.1), ("on", extra[:, 1] > SAME_IOU)):
        scores = np.percentile(extra[kept, 0], (10, 50, 90)).round(2) if kept.any() else "-"
        print(f"  unmatched boxes {name} bodies: {kept.sum() / bodies.frames:.2f} a frame, scores {scores}")
    full, half = bodies.visible > 0.95, (bodies.visible > 0.3) & (bodies.visible < 0.8)
    for name, kept in (("fully visible", full), ("0.3 to 0.8 visible", half)):
        sure = bodies.joints[kept & (bodies.scores > 0)][..., 2]
        medians = {limb: np.median(sure[:, first : first + (5 if first == 0 else 2)]) for limb, first in LIMBS.items()}
        print(f"  confidence {name}: " + ", ".join(f"{limb} {median:.2f}" for limb, median in medians.items()))


def _print_persistence(bodies: MatchedBodies) -> None:
    """Print how long errors of fully visible bodies last, after subtracting each person's mean."""
    values = np.column_stack([bodies.scores, bodies.errors()])
    for person in np.unique(bodies.person):
        rows = (bodies.person == person) & (bodies.visible > FULL) & (bodies.scores > 0) & bodies.whole
        values[rows] -= values[rows].mean(axis=0) if rows.any() else 0.0
    now, _ = bodies.follow(0)
    print("  within a person: deviation of score, left, top, right, bottom", values[now].std(axis=0).round(3))
    for lag in LAGS:
        before, after = bodies.follow(lag)
        correlation = (values[before] * values[after]).mean(axis=0) / (values[before] ** 2).mean(axis=0)
        print(f"    autocorrelation after {lag:2d} frames", correlation.round(2))
    places = dict(zip(*(rows.tolist() for rows in bodies.follow(1)), strict=True))
    triples = np.array([(row, later, places[later]) for row, later in places.items() if later in places])
    size = (bodies.truth[:, 3] - bodies.truth[:, 1])[triples[:, 1], None]
    bend = (
        (bodies.found[triples[:, 0]] - 2 * bodies.found[triples[:, 1]] + bodies.found[triples[:, 2]])
        / size
        / np.sqrt(6)
    )
    print("    from frame to frame (second differences, median)", (np.median(np.abs(bend), axis=0) / 0.6745).round(4))


def main() -> None:
    parser = argparse.ArgumentParser(description="Compare a recording's detections with those of synthetic scenes.")
    parser.add_argument("--data", type=Path, default=DATA, help="folder of videos and NAME.gt.txt")
    parser.add_argument("--clip", default="TUD-Stadtmitte", help="name of a video in that folder with ground truth")
    parser.add_argument("--cache", type=Path, default=poses_cache(), help="folder of cached poses")
    parser.add_argument("--imgsz", type=int, default=640, help="input size of the network")
    parser.add_argument("--kind", choices=sorted(KINDS), default="street", help="kind of the synthetic scenes")
    parser.add_argument("--seeds", type=int, default=3, help="number of synthetic scenes")
    options = parser.parse_args()
    truth_path = options.data / f"{options.clip}.gt.txt"
    videos = [path for path in sorted(options.data.glob(f"{options.clip}.*")) if path != truth_path]
    if truth_path.is_file() and videos:
        clip = load_clip(videos[0], "yolo11n-pose", options.imgsz, options.cache)
        print_figures(options.clip, matched_bodies([(clip.frames, read_mot(truth_path, truth=True))]))
    else:
        print(f"{options.data} holds no video {options.clip} with {options.clip}.gt.txt")
    print_figures(options.kind, matched_bodies(scene(KINDS[options.kind], seed) for seed in range(options.seeds)))


if __name__ == "__main__":
    main()
