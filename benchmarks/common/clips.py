"""Poses of whole clips by ultralytics' own predictor, and the worker's colours, computed once and kept in a folder."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from posebus.contract.appearance import SIZE
from posebus.messages import PoseFrame
from workers.detections import Detections
from workers.outputs.appearance import describe
from workers.weights.weights import resolve_weights

LOWEST_SCORE = 0.05
"""Every tracker here ignores fainter ones by its own settings."""

Picture = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Clip:
    """A clip with its poses.

    video: None for a made scene, whose picture is one still background; fps: of the file, unless it was told;
    frames: one PoseFrame per picture, times by fps, `seq` is the number of the picture from 0.
    """

    name: str
    video: Path | None
    fps: float
    frames: list[PoseFrame]


def load_clip(video: Path, model: str, imgsz: int, cache_dir: Path, fps: float | None = None) -> Clip:
    """The clip with the poses that `model` sees at `imgsz`; the first call for a clip runs the network (minutes).

    What is cached belongs to a file of this name and size in bytes. SystemExit: the file cannot be decoded or says no
    rate of frames.
    """
    cached = cache_dir / f"{video.stem}-{Path(model).stem}-{imgsz}.npz"
    data = _cached(cached, video)
    if data is None:
        data = _predict(video, model, imgsz) | {"video_bytes": np.array(video.stat().st_size)}
        cache_dir.mkdir(parents=True, exist_ok=True)
        # A process that is killed while it writes must not leave half a file for the next one.
        partial = cached.with_suffix(".partial.npz")
        np.savez(partial, **data)
        partial.replace(cached)
    rate = fps or float(data["fps"])
    if not rate > 0:
        raise SystemExit(f"{video} does not say how many frames a second it has: name it with --fps {video.stem}=25")
    return Clip(video.stem, video, rate, _frames(video.stem, data, rate))


def pictures(clip: Clip, frames: list[PoseFrame]) -> Iterator[Picture]:
    """The picture of each of `frames`, u8 BGR (H, W, 3); frames are in the order of the clip."""
    if clip.video is None:
        for frame in frames:
            yield still_background(frame.size_px)
        return
    capture = cv2.VideoCapture(str(clip.video))
    position = 0
    for frame in frames:
        while position < frame.seq and capture.grab():
            position += 1
        good, picture = capture.read()
        position += 1
        if not good:
            capture.release()
            raise SystemExit(f"{clip.video} ends before picture {frame.seq}: its cached poses belong to another file")
        yield np.asarray(picture, np.uint8)
    capture.release()


@cache
def still_background(size_px: tuple[int, int]) -> Picture:
    """A wall with texture, u8 BGR (H, W, 3): whoever estimates the camera's motion from it finds that it stands."""
    width_px, height_px = size_px
    rng = np.random.default_rng(0)
    coarse = rng.integers(0, 256, (height_px // 8 + 1, width_px // 8 + 1, 3), np.uint8)
    return np.asarray(cv2.resize(coarse, (width_px, height_px), interpolation=cv2.INTER_CUBIC), np.uint8)


def _cached(path: Path, video: Path) -> dict[str, Any] | None:
    """What was kept for this very file, or None. (A clip of the same name in another folder is another one.)"""
    if not path.is_file():
        return None
    with np.load(path) as kept:
        data = {name: kept[name] for name in kept.files}
    return data if data.get("video_bytes") == video.stat().st_size and "appearance" in data else None


def _frames(camera: str, data: dict[str, Any], fps: float) -> list[PoseFrame]:
    ends = np.cumsum(data["counts"])
    frames = []
    for seq, (end, count) in enumerate(zip(ends.tolist(), data["counts"].tolist(), strict=True)):
        rows = slice(end - count, end)
        frames.append(
            PoseFrame(
                camera=camera,
                epoch=1,
                seq=seq,
                captured_at_ns=round(seq / fps * 1e9),
                size_px=(int(data["size_px"][0]), int(data["size_px"][1])),
                boxes_xyxy_px=data["boxes"][rows],
                scores=data["scores"][rows],
                keypoints_px=data["keypoints"][rows],
                appearance=data["appearance"][rows],
            )
        )
    return frames


def _predict(video: Path, model: str, imgsz: int) -> dict[str, Any]:
    from rich.console import Console
    from rich.progress import track
    from ultralytics import YOLO

    weights = resolve_weights(model, allow_unknown=False, cache_dir=Path.home() / ".cache" / "posebus")
    network = YOLO(str(weights.path))
    capture = cv2.VideoCapture(str(video))
    total = int(capture.get(cv2.CAP_PROP_FRAME_COUNT))
    print(f"{video.name}: {model} at {imgsz} on {total} frames, once", file=sys.stderr, flush=True)
    boxes, scores, keypoints, appearance, size_px = [], [], [], [], (0, 0)
    for picture in track(_decoded(capture), video.stem, total or None, console=Console(stderr=True)):
        size_px = (picture.shape[1], picture.shape[0])
        seen = network.predict(picture, imgsz=imgsz, conf=LOWEST_SCORE, verbose=False)[0].cpu().numpy()
        boxes.append(seen.boxes.xyxy.astype(np.float32))
        scores.append(seen.boxes.conf.astype(np.float32))
        keypoints.append(seen.keypoints.data.reshape(len(boxes[-1]), -1, 3).astype(np.float32))
        people = Detections(boxes[-1], scores[-1], keypoints[-1])
        colours = describe(np.ascontiguousarray(picture[:, :, ::-1]), people, size_px)
        appearance.append(np.zeros((len(boxes[-1]), SIZE), np.float32) if colours is None else colours)
    fps = capture.get(cv2.CAP_PROP_FPS)
    capture.release()
    if not boxes:
        raise SystemExit(f"{video} holds no picture that OpenCV can decode")
    joints = max(skeletons.shape[1] for skeletons in keypoints)
    return {
        "boxes": np.concatenate(boxes),
        "scores": np.concatenate(scores),
        "keypoints": np.concatenate([skeletons.reshape(len(skeletons), joints, 3) for skeletons in keypoints]),
        "appearance": np.concatenate(appearance),
        "counts": np.array([len(people) for people in boxes]),
        "size_px": np.array(size_px),
        "fps": fps,
    }


def _decoded(capture: Any) -> Iterator[Picture]:
    while (read := capture.read())[0]:
        yield read[1]
