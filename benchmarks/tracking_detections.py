"""Poses of whole clips by ultralytics' own predictor, computed once and kept in a cache folder."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from posebus.messages import PoseFrame
from workers.weights import resolve_weights

LOWEST_SCORE = 0.05
"""Every tracker here ignores fainter ones by its own settings."""


@dataclass(frozen=True, slots=True)
class Clip:
    """A clip with its poses. fps: by the file; frames: one PoseFrame per picture, times by fps."""

    name: str
    video: Path
    fps: float
    frames: list[PoseFrame]


def load_clip(video: Path, model: str, imgsz: int, cache_dir: Path) -> Clip:
    """The clip with the poses that `model` sees at `imgsz`; the first call for a clip runs the network (minutes)."""
    cached = cache_dir / f"{video.stem}-{Path(model).stem}-{imgsz}.npz"
    if not cached.is_file():
        cache_dir.mkdir(parents=True, exist_ok=True)
        np.savez(cached, **_predict(video, model, imgsz))
    with np.load(cached) as kept:
        data = {name: kept[name] for name in kept.files}
    ends = np.cumsum(data["counts"])
    frames = []
    for seq, (end, count) in enumerate(zip(ends.tolist(), data["counts"].tolist(), strict=True)):
        rows = slice(end - count, end)
        frames.append(
            PoseFrame(
                camera=video.stem,
                epoch=1,
                seq=seq,
                captured_at_ns=round(seq / float(data["fps"]) * 1e9),
                size_px=(int(data["size_px"][0]), int(data["size_px"][1])),
                boxes_xyxy_px=data["boxes"][rows],
                scores=data["scores"][rows],
                keypoints_px=data["keypoints"][rows],
            )
        )
    return Clip(video.stem, video, float(data["fps"]), frames)


def _predict(video: Path, model: str, imgsz: int) -> dict[str, Any]:
    from ultralytics import YOLO

    weights = resolve_weights(model, allow_unknown=False, cache_dir=Path.home() / ".cache" / "posebus")
    network = YOLO(str(weights.path))
    capture = cv2.VideoCapture(str(video))
    fps = capture.get(cv2.CAP_PROP_FPS)
    boxes, scores, keypoints, size_px = [], [], [], (0, 0)
    while (read := capture.read())[0]:
        picture = read[1]
        size_px = (picture.shape[1], picture.shape[0])
        seen = network.predict(picture, imgsz=imgsz, conf=LOWEST_SCORE, verbose=False)[0].cpu().numpy()
        boxes.append(seen.boxes.xyxy.astype(np.float32))
        scores.append(seen.boxes.conf.astype(np.float32))
        keypoints.append(seen.keypoints.data.reshape(len(boxes[-1]), -1, 3).astype(np.float32))
    capture.release()
    if not boxes:
        raise SystemExit(f"{video} holds no picture that OpenCV can decode")
    joints = max(skeletons.shape[1] for skeletons in keypoints)
    return {
        "boxes": np.concatenate(boxes),
        "scores": np.concatenate(scores),
        "keypoints": np.concatenate([skeletons.reshape(len(skeletons), joints, 3) for skeletons in keypoints]),
        "counts": np.array([len(people) for people in boxes]),
        "size_px": np.array(size_px),
        "fps": fps,
    }
