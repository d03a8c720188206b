"""Give stable numbers to the people that your own detector finds: numpy arrays in, tracks out. No broker, no network.

    python examples/track_own_detections.py det.txt --fps 25 --size 1920x1080 > tracks.txt
    python examples/track_own_detections.py

The first line reads and writes the text format of MOTChallenge (frame, number, left, top, width, height, score); the
second one tracks two people of a simulated detector, which cross and are sometimes missed. It needs the extra
`tracking`: pip install '.[tracking]'
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt

from posebus import CameraMotion, PoseFrame, TrackFrame, TrackState
from tracking import PoseTracker

Floats = npt.NDArray[np.float32]


def track(
    detections: Iterable[tuple[Floats, Floats, Floats | None]],
    fps: float,
    size_px: tuple[int, int],
    motions: Mapping[int, CameraMotion] | None = None,
) -> Iterator[TrackFrame]:
    """Yield the tracks of each frame.

    detections: of each frame, boxes (N, 4) as left, top, right, bottom, scores (N,) from 0 to 1, and keypoints
    (N, K, 3) as x, y, confidence, or None; all in pixels of the source. N may be 0. size_px: (width, height).
    motions: how the camera moved until a frame, by its number, if that is known.
    """
    tracker = PoseTracker()  # one for each camera
    for seq, (boxes, scores, keypoints) in enumerate(detections):
        frame = PoseFrame(
            camera="mine",
            epoch=0,  # a new one for each run of the source
            seq=seq,
            captured_at_ns=round(seq / fps * 1e9),  # of a live camera: time.time_ns() when the picture arrived
            size_px=size_px,
            boxes_xyxy_px=boxes,
            scores=scores,
            keypoints_px=keypoints,
            camera_motion=None if motions is None else motions.get(seq),
        )
        yield tracker.update(frame)


def read_mot(path: Path) -> Iterator[tuple[Floats, Floats, None]]:
    """Yield the boxes and scores of each frame, those without detections included."""
    rows = np.loadtxt(path, delimiter=",", ndmin=2, dtype=np.float32)
    for number in range(1, int(rows[:, 0].max(initial=0)) + 1):
        chosen = rows[rows[:, 0] == number]
        boxes = chosen[:, 2:6].copy()
        boxes[:, 2:] += boxes[:, :2]
        yield boxes, chosen[:, 6].copy(), None


def two_people(frames: int = 60, seed: int = 0) -> Iterator[tuple[Floats, Floats, Floats]]:
    """Yield two people who walk past each other; each is missed in one frame of ten, and boxes are a little wrong."""
    random = np.random.default_rng(seed)
    shape = np.array([[0.5, 0.1], *([[0.3, 0.3], [0.7, 0.3]] * 8)], np.float32)  # 17 points, as shares of the box
    for number in range(frames):
        left = np.array([100 + 12 * number, 820 - 12 * number], np.float32)
        top = np.array([200, 240], np.float32)
        boxes = np.stack([left, top, left + 90, top + 260], axis=1) + random.normal(0, 2, (2, 4)).astype(np.float32)
        seen = random.random(2) > 0.1
        points = boxes[:, None, :2] + shape * (boxes[:, None, 2:] - boxes[:, None, :2])
        keypoints = np.concatenate([points, np.full((2, 17, 1), 0.9, np.float32)], axis=2)
        yield boxes[seen], np.full(int(seen.sum()), 0.8, np.float32), keypoints[seen]


def main() -> None:
    parser = argparse.ArgumentParser(description="Track the detections of a file, or those of a simulated detector.")
    parser.add_argument("file", nargs="?", type=Path)
    parser.add_argument("--fps", type=float, default=25.0)
    parser.add_argument("--size", default="1920x1080")
    arguments = parser.parse_args()
    width, _, height = arguments.size.partition("x")
    detections: Iterable[tuple[Floats, Floats, Floats | None]]
    detections = two_people() if arguments.file is None else read_mot(arguments.file)
    for frame in track(detections, arguments.fps, (int(width), int(height))):
        for person in frame.tracks:
            if person.state == TrackState.CONFIRMED:
                left, top, right, bottom = person.box_xyxy_px.tolist()
                box = f"{left:.1f},{top:.1f},{right - left:.1f},{bottom - top:.1f}"
                sys.stdout.write(f"{frame.seq + 1},{person.id},{box},{person.score:.2f},-1,-1,-1\n")


if __name__ == "__main__":
    main()
