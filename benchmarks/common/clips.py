"""Poses of whole clips, predicted once by ultralytics, with the worker's colour histograms, and cached in a folder."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from benchmarks.common.frames import BgrImage
from posebus.contract.appearance import SIZE
from posebus.messages import PoseFrame
from workers.detections import Detections
from workers.outputs.appearance import describe
from workers.weights.weights import resolve_weights

LOWEST_SCORE = 0.05
"""Fainter detections are not kept; no tracker that is compared uses them with its default settings."""


@dataclass(frozen=True, slots=True)
class Clip:
    """A clip with the poses of all of its frames.

    video: None for a synthetic scene, whose picture is one still background. fps: of the file, unless another rate was
    given. frames: one PoseFrame for each picture; `seq` numbers the pictures from 0, capture times follow from `fps`.
    """

    name: str
    video: Path | None
    fps: float
    frames: list[PoseFrame]


def load_clip(video: Path, model: str, imgsz: int, cache_dir: Path, fps: float | None = None) -> Clip:
    """The clip with the poses that `model` predicts at `imgsz`; the first call for a clip runs the network (minutes).

    A cached file belongs to a video of this name and size in bytes. Raises SystemExit if the video cannot be decoded or
    has no frame rate.
    """
    cached = cache_dir / f"{video.stem}-{Path(model).stem}-{imgsz}.npz"
    data = _cached(cached, video)
    if data is None:
        data = _predict(video, model, imgsz) | {"video_bytes": np.array(video.stat().st_size)}
        cache_dir.mkdir(parents=True, exist_ok=True)
        # A process that is killed while it writes must not leave a broken cache.
        partial = cached.with_suffix(".partial.npz")
        np.savez(partial, **data)
        partial.replace(cached)
    rate = fps or float(data["fps"])
    if not rate > 0:
        raise SystemExit(f"{video} holds no frame rate: give one with --fps {video.stem}=25")
    return Clip(video.stem, video, rate, _frames(video.stem, data, rate))


def pictures(clip: Clip, frames: list[PoseFrame]) -> Iterator[BgrImage]:
    """The pictures of `frames`, which are in the order of the clip."""
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
            raise SystemExit(
                f"{clip.video} ends before picture {frame.seq}: its cached poses are those of another file"
            )
        yield np.asarray(picture, np.uint8)
    capture.release()


@cache
def still_background(size_px: tuple[int, int]) -> BgrImage:
    """A textured wall (H, W, 3), u8 BGR.

    Trackers that estimate the camera's motion need texture to find that the camera does not move.
    """
    width_px, height_px = size_px
    rng = np.random.default_rng(0)
    coarse = rng.integers(0, 256, (height_px // 8 + 1, width_px // 8 + 1, 3), np.uint8)
    return np.asarray(cv2.resize(coarse, (width_px, height_px), interpolation=cv2.INTER_CUBIC), np.uint8)


def _cached(path: Path, video: Path) -> dict[str, Any] | None:
    """The cached arrays of this file, or None.

    A clip of the same name in another folder is another clip.
    """
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
    print(
        f"{video.name}: predicting {total} frames by {model} at {imgsz}, which are cached", file=sys.stderr, flush=True
    )
    boxes, scores, keypoints, appearance, size_px = [], [], [], [], (0, 0)
    for picture in track(_decoded(capture), video.stem, total or None, console=Console(stderr=True)):
        size_px = (picture.shape[1], picture.shape[0])
        found = network.predict(picture, imgsz=imgsz, conf=LOWEST_SCORE, verbose=False)[0].cpu().numpy()
        boxes.append(found.boxes.xyxy.astype(np.float32))
        scores.append(found.boxes.conf.astype(np.float32))
        keypoints.append(found.keypoints.data.reshape(len(boxes[-1]), -1, 3).astype(np.float32))
        people = Detections(boxes[-1], scores[-1], keypoints[-1])
        colours = describe(np.ascontiguousarray(picture[:, :, ::-1]), people, size_px)
        appearance.append(np.zeros((len(boxes[-1]), SIZE), np.float32) if colours is None else colours)
    fps = capture.get(cv2.CAP_PROP_FPS)
    capture.release()
    if not boxes:
        raise SystemExit(f"{video} holds no frame that OpenCV can decode")
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


def _decoded(capture: Any) -> Iterator[BgrImage]:
    while (read := capture.read())[0]:
        yield read[1]
