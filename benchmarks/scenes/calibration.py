"""How a network sees people in a recording, beside what the made-up network makes of a made-up scene.

    python -m benchmarks.scenes.calibration [--data ../shared/data] [--clip TUD-Stadtmitte] [--kind street] [--seeds 3]

From this come the constants of `benchmarks.scenes.detector`, `scene_joints` and `scene_clutter`. Sides are in body
heights. A body's visible part is estimated from the truth's boxes alone, of a recording and a made-up scene alike.
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
from benchmarks.common.mot import read_mot
from benchmarks.common.paths import ROOT
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
class Sightings:
    """N bodies of the truth, by person and time, and the detections assigned to them.

    person, frame: (N,); truth, found: (N, 4) boxes, found nan where missed; visible: (N,) 0..1; whole: (N,) away from
    the picture's sides; scores: (N,) 0 where missed; joints: (N, 17, 3); extra: (E, 2) score of each detection that
    belongs to nobody, and its overlap with a body; frames: their number.
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
        """(N, 4) sides found less sides of the truth, in heights of the truth."""
        return (self.found - self.truth) / (self.truth[:, 3:] - self.truth[:, 1:2])

    def follow(self, lag: int) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
        """Rows of bodies found in full sight, and of the same `lag` frames later."""
        rows = np.flatnonzero((self.visible > FULL) & (self.scores > 0) & self.whole)
        places = {(int(self.person[row]), int(self.frame[row])): int(row) for row in rows}
        pairs = [(row, places.get((who, frame + lag), -1)) for (who, frame), row in places.items()]
        kept = np.array([pair for pair in pairs if pair[1] >= 0], np.intp).reshape(-1, 2)
        return kept[:, 0], kept[:, 1]


def sightings_of(clips: Iterable[tuple[list[PoseFrame], Truth]]) -> Sightings:
    """All bodies of some clips; people of different clips are different people."""
    rows: list[tuple[float, ...]] = []
    joints: list[Float64Array] = []
    extra: list[tuple[float, float]] = []
    frames = 0
    for clip, (seen, truth) in enumerate(clips):
        for frame in seen:
            frames += 1
            sure = frame.scores >= LOWEST_SCORE
            found, scores = frame.boxes_xyxy_px[sure].astype(float), frame.scores[sure].astype(float)
            assert frame.keypoints_px is not None
            skeletons = frame.keypoints_px[sure].astype(float)
            people = truth.get(frame.seq + 1, [])
            boxes = np.array([row[1:] for row in people], float).reshape(-1, 4)
            boxes[:, 2:] += boxes[:, :2]
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
    return Sightings(
        table[:, 0].astype(np.intp),
        table[:, 1].astype(np.intp),
        *(table[:, 5:9], table[:, 9:13], table[:, 2], table[:, 3] > 0, table[:, 4]),
        *(np.array(joints), np.array(extra).reshape(-1, 2), frames),
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


def tell(title: str, seen: Sightings) -> None:
    """Prints what the constants were taken from."""
    height, width = seen.truth[:, 3] - seen.truth[:, 1], seen.truth[:, 2] - seen.truth[:, 0]
    print(f"\n{title}: {seen.frames} frames, {len(height) / seen.frames:.2f} people in each")
    print("  heights (10, 50, 90 %)", np.percentile(height, (10, 50, 90)).round())
    print("  visible      share missed <0.3  score 10, 50, 90 %    width  height  sides' mean error and deviation")
    for low, high in pairwise(PARTS):
        here = (seen.visible >= low) & (seen.visible < high)
        found = here & (seen.scores > 0)
        if found.sum() < 5:
            continue
        size = seen.found[found, 2:] - seen.found[found, :2]
        shape = np.median(size / np.column_stack([width, height])[found], axis=0)
        errors = seen.errors()[found]
        print(
            f"  {low:.1f} to {min(high, 1):.1f} {here.mean():8.3f} {np.mean(seen.scores[here] == 0):6.2f}"
            f" {np.mean(seen.scores[here] < 0.3):5.2f}  {np.percentile(seen.scores[found], (10, 50, 90)).round(2)}"
            f" {shape[0]:8.2f} {shape[1]:7.2f}  {errors.mean(axis=0).round(3)} {errors.std(axis=0).round(3)}"
        )
    _tell_in_time(seen)
    extra = seen.extra
    for name, kept in (("off", extra[:, 1] < 0.1), ("on", extra[:, 1] > SAME_IOU)):
        scores = np.percentile(extra[kept, 0], (10, 50, 90)).round(2) if kept.any() else "-"
        print(f"  more boxes {name} bodies: {kept.sum() / seen.frames:.2f} a frame, scores {scores}")
    full, half = seen.visible > 0.95, (seen.visible > 0.3) & (seen.visible < 0.8)
    for name, kept in (("in full sight", full), ("0.3 to 0.8 visible", half)):
        sure = seen.joints[kept & (seen.scores > 0)][..., 2]
        medians = {limb: np.median(sure[:, first : first + (5 if first == 0 else 2)]) for limb, first in LIMBS.items()}
        print(f"  confidence {name}: " + ", ".join(f"{limb} {median:.2f}" for limb, median in medians.items()))


def _tell_in_time(seen: Sightings) -> None:
    """How long errors in full sight last, each person's mean taken away."""
    values = np.column_stack([seen.scores, seen.errors()])
    for person in np.unique(seen.person):
        rows = (seen.person == person) & (seen.visible > FULL) & (seen.scores > 0) & seen.whole
        values[rows] -= values[rows].mean(axis=0) if rows.any() else 0.0
    now, _ = seen.follow(0)
    print("  within a person: deviation of score, left, top, right, bottom", values[now].std(axis=0).round(3))
    for lag in LAGS:
        before, after = seen.follow(lag)
        alike = (values[before] * values[after]).mean(axis=0) / (values[before] ** 2).mean(axis=0)
        print(f"    autocorrelation after {lag:2d} frames", alike.round(2))
    places = dict(zip(*(rows.tolist() for rows in seen.follow(1)), strict=True))
    triples = np.array([(row, later, places[later]) for row, later in places.items() if later in places])
    size = (seen.truth[:, 3] - seen.truth[:, 1])[triples[:, 1], None]
    bend = (seen.found[triples[:, 0]] - 2 * seen.found[triples[:, 1]] + seen.found[triples[:, 2]]) / size / np.sqrt(6)
    print("    from frame to frame (second differences, median)", (np.median(np.abs(bend), axis=0) / 0.6745).round(4))


def main() -> None:
    parser = argparse.ArgumentParser(description="A recording's detections beside those of made-up scenes.")
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data", help="videos and NAME.gt.txt")
    parser.add_argument("--clip", default="TUD-Stadtmitte", help="name of a video there with a NAME.gt.txt")
    parser.add_argument("--cache", type=Path, default=Path.home() / ".cache" / "posebus" / "poses")
    parser.add_argument("--imgsz", type=int, default=640)
    parser.add_argument("--kind", choices=sorted(KINDS), default="street")
    parser.add_argument("--seeds", type=int, default=3, help="so many scenes")
    options = parser.parse_args()
    truth_path = options.data / f"{options.clip}.gt.txt"
    videos = [path for path in sorted(options.data.glob(f"{options.clip}.*")) if path != truth_path]
    if truth_path.is_file() and videos:
        clip = load_clip(videos[0], "yolo11n-pose", options.imgsz, options.cache)
        tell(options.clip, sightings_of([(clip.frames, read_mot(truth_path, truth=True))]))
    else:
        print(f"{options.data} holds no video {options.clip} with a truth beside it")
    tell(options.kind, sightings_of(scene(KINDS[options.kind], seed) for seed in range(options.seeds)))


if __name__ == "__main__":
    main()
