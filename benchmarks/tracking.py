"""Trackers on the same detections: ours and ultralytics', scored by TrackEval against ground truth.

    python -m benchmarks.tracking [--data ../shared/data] [--imgsz 640] [--trackers posebus,bytetrack]

Takes every NAME.gt.txt (MOTChallenge) with a video of that name in the folder. Poses are computed once and cached in
--cache. Prints a table per clip, then ours under stress: frames dropped, boxes shaken, keypoints or detections taken
away. Microseconds are medians over the frames of one run, without decoding. Run it as a module from the repository's
root: as a script its own name would hide the package `tracking`.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from benchmarks.accuracy import read_mot, score
from benchmarks.tracking_detections import Clip, load_clip
from benchmarks.tracking_peers import LOOKS_AT_PICTURES, TRACKERS, Picture
from posebus.messages import PoseFrame

ROOT = Path(__file__).resolve().parent.parent
COLUMNS = ("HOTA", "DetA", "AssA", "IDF1", "MOTA", "IDSW", "Frag")
Truth = dict[int, list[tuple[int, float, float, float, float]]]


def run(name: str, clip: Clip, frames: list[PoseFrame]) -> tuple[Truth, float]:
    """One tracker over `frames`: its rows by frame number from 1, and its median microseconds per frame."""
    step = TRACKERS[name]()
    pictures = read_pictures(clip) if name in LOOKS_AT_PICTURES else None
    black = np.zeros((clip.frames[0].size_px[1], clip.frames[0].size_px[0], 3), np.uint8)
    rows: Truth = {}
    took_us = []
    for frame in frames:
        picture = black
        if pictures is not None:
            picture = next(picture for seq, picture in pictures if seq == frame.seq)
        begun_s = time.perf_counter()
        people = step(frame, picture)
        took_us.append((time.perf_counter() - begun_s) * 1e6)
        rows[frame.seq + 1] = [(number, *left_top_width_height(box)) for number, box in people]
    return rows, statistics.median(took_us)


def left_top_width_height(box_xyxy: npt.NDArray[np.float32]) -> tuple[float, float, float, float]:
    left, top, right, bottom = box_xyxy.tolist()
    return left, top, right - left, bottom - top


def read_pictures(clip: Clip) -> Iterator[tuple[int, Picture]]:
    capture = cv2.VideoCapture(str(clip.video))
    seq = 0
    while (read := capture.read())[0]:
        yield seq, np.asarray(read[1], np.uint8)
        seq += 1
    capture.release()


def judged(truth: Truth, rows: Truth, frames: list[PoseFrame]) -> dict[str, float]:
    """The scores over those `frames` alone, counted anew from 1: dropped frames are nobody's mistake."""
    numbers = [frame.seq + 1 for frame in frames]
    return score(
        {place: truth.get(number, []) for place, number in enumerate(numbers, 1)},
        {place: rows.get(number, []) for place, number in enumerate(numbers, 1)},
    )


def every_second(frames: list[PoseFrame]) -> list[PoseFrame]:
    return frames[::2]


def half_at_random(frames: list[PoseFrame]) -> list[PoseFrame]:
    kept = np.random.default_rng(0).random(len(frames)) < 0.5
    return [frame for frame, keep in zip(frames, kept, strict=True) if keep]


def without_keypoints(frames: list[PoseFrame]) -> list[PoseFrame]:
    return [replace(frame, keypoints_px=None) for frame in frames]


def shaken_boxes(frames: list[PoseFrame]) -> list[PoseFrame]:
    """Every side of every box moved by 5 % of the box's size (standard deviation)."""
    rng = np.random.default_rng(0)
    shaken = []
    for frame in frames:
        sides = np.tile(frame.boxes_xyxy_px[:, 2:] - frame.boxes_xyxy_px[:, :2], 2)
        moved = frame.boxes_xyxy_px + rng.normal(0, 0.05, sides.shape) * sides
        shaken.append(replace(frame, boxes_xyxy_px=moved.astype(np.float32)))
    return shaken


def fifth_missing(frames: list[PoseFrame]) -> list[PoseFrame]:
    """Every detection is taken away with a chance of one in five."""
    rng = np.random.default_rng(0)
    thinned = []
    for frame in frames:
        kept = rng.random(len(frame.scores)) >= 0.2
        joints = None if frame.keypoints_px is None else frame.keypoints_px[kept]
        thinned.append(
            replace(frame, boxes_xyxy_px=frame.boxes_xyxy_px[kept], scores=frame.scores[kept], keypoints_px=joints)
        )
    return thinned


STRESSES: dict[str, Callable[[list[PoseFrame]], list[PoseFrame]]] = {
    "every second frame": every_second,
    "half at random": half_at_random,
    "no keypoints": without_keypoints,
    "boxes shaken 5 %": shaken_boxes,
    "20 % not detected": fifth_missing,
}


def table(title: str, lines: list[tuple[str, dict[str, float], float]]) -> None:
    print(f"\n{title}")
    print(f"  {'':20s}" + "".join(f"{column:>8s}" for column in (*COLUMNS, "us")))
    for name, scores, us in lines:
        cells = "".join(f"{scores[c]:8.0f}" if c in ("IDSW", "Frag") else f"{scores[c]:8.3f}" for c in COLUMNS)
        print(f"  {name:20s}{cells}{us:8.0f}", flush=True)


def compare(clip: Clip, truth: Truth, names: list[str]) -> None:
    lines = []
    for name in names:
        rows, us = run(name, clip, clip.frames)
        lines.append((name, judged(truth, rows, clip.frames), us))
    table(f"{clip.name}: {len(clip.frames)} frames, {clip.fps:g} per second", lines)
    for title, stress in STRESSES.items():
        frames = stress(clip.frames)
        lines = []
        for name in names:
            if name in LOOKS_AT_PICTURES:
                continue
            rows, us = run(name, clip, frames)
            lines.append((name, judged(truth, rows, frames), us))
        table(f"{clip.name}: {title}", lines)


def main() -> None:
    parser = argparse.ArgumentParser(description="Trackers on the same detections, scored against ground truth.")
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data", help="videos and NAME.gt.txt")
    parser.add_argument("--cache", type=Path, default=Path.home() / ".cache" / "posebus" / "poses")
    parser.add_argument("--model", default="yolo11n-pose")
    parser.add_argument("--imgsz", type=int, default=640)
    parser.add_argument("--trackers", default=",".join(TRACKERS), help="comma-separated: " + ", ".join(TRACKERS))
    options = parser.parse_args()
    found = False
    for truth_path in sorted(options.data.glob("*.gt.txt")):
        name = truth_path.name.removesuffix(".gt.txt")
        videos = [path for path in sorted(options.data.glob(f"{name}.*")) if path != truth_path]
        if videos:
            found = True
            clip = load_clip(videos[0], options.model, options.imgsz, options.cache)
            compare(clip, read_mot(truth_path, truth=True), options.trackers.split(","))
    if not found:
        raise SystemExit(f"{options.data} holds no video with a NAME.gt.txt beside it")


if __name__ == "__main__":
    main()
