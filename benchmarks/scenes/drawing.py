"""Pictures of synthetic scenes: truth green, detections red by score, joints yellow, pillars grey."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from benchmarks.common.frames import BgrImage
from benchmarks.common.mot import Row, Rows
from benchmarks.scenes.camera import camera_of
from benchmarks.scenes.kinds import SceneKind
from benchmarks.scenes.occlusion import pillar_px
from posebus.messages import PoseFrame

BONES = (
    *((5, 6), (5, 7), (7, 9), (6, 8), (8, 10), (5, 11), (6, 12), (11, 12)),
    *((11, 13), (13, 15), (12, 14), (14, 16), (0, 5), (0, 6)),
)


def draw(out: Path, kind: SceneKind, frames: list[PoseFrame], truth: Rows) -> None:
    """Write a video, or, if `out` has no suffix, a folder of PNG pictures."""
    if out.suffix:
        writer = cv2.VideoWriter(str(out), cv2.VideoWriter.fourcc(*"mp4v"), kind.fps, kind.size_px)
        for frame in frames:
            writer.write(picture(kind, frame, truth[frame.seq + 1]))
        writer.release()
        return
    out.mkdir(parents=True, exist_ok=True)
    for frame in frames:
        cv2.imwrite(str(out / f"{frame.seq:05d}.png"), picture(kind, frame, truth[frame.seq + 1]))


def picture(kind: SceneKind, frame: PoseFrame, rows: list[Row]) -> BgrImage:
    """The picture (H, W, 3), u8 BGR, of a frame with the truth `rows`."""
    canvas = np.full((kind.size_px[1], kind.size_px[0], 3), 235, np.uint8)
    for pillar in kind.pillars:
        low, high, _ = pillar_px(pillar, camera_of(kind))
        cv2.rectangle(canvas, (int(low[0]), int(low[1])), (int(high[0]), int(high[1])), (190, 190, 190), -1)
    for number, left, top, width, height in rows:
        cv2.rectangle(canvas, (int(left), int(top)), (int(left + width), int(top + height)), (0, 160, 0), 1)
        cv2.putText(canvas, str(number), (int(left), int(top) - 2), 0, 0.4, (0, 120, 0), 1)
    joints = frame.keypoints_px
    for index, (box, score) in enumerate(zip(frame.boxes_xyxy_px, frame.scores.tolist(), strict=True)):
        left, top, right, bottom = (int(value) for value in box)
        colour = (int(220 * (1 - score)), int(220 * (1 - score)), 255)
        cv2.rectangle(canvas, (left, top), (right, bottom), colour, 1)
        cv2.putText(canvas, f"{score:.2f}", (left, bottom + 10), 0, 0.35, (0, 0, 200), 1)
        if joints is None:
            continue
        for first, second in BONES:
            if min(joints[index, first, 2], joints[index, second, 2]) > 0.3:
                ends = [(int(x), int(y)) for x, y in joints[index, [first, second], :2]]
                cv2.line(canvas, ends[0], ends[1], (200, 120, 0), 1)
        for x, y, confidence in joints[index]:
            if confidence > 0.3:
                cv2.circle(canvas, (int(x), int(y)), 2, (0, 200, 255), -1)
    return canvas
