"""People with known boxes and keypoints in pictures, and the similarity of detected keypoints to theirs."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from benchmarks.common.frames import evenly_spaced_frames
from posebus.arrays import Float32Array
from posebus.coco import COCO_SIGMAS
from workers.detections import ImageArray
from workers.images.preprocess import PADDING

ENGINES = ("auto", "torch", "openvino", "onnx")
SURE = 0.5
"""People and keypoints that an engine detects count as known from this confidence on."""
MASK_OF_BOX = 0.53
"""COCO's area is that of the body's mask; where only a box is known it is this part of the box, as in MMPose."""

SIGMAS = np.array(COCO_SIGMAS, np.float32)


@dataclass(frozen=True, slots=True)
class Person:
    """A person in a picture u8 RGB (H, W, 3): box (4,), keypoints (17, 3) (x, y, > 0 if known), area in px²."""

    rgb: ImageArray
    box_xyxy_px: Float32Array
    keypoints_px: Float32Array
    area_px2: float

    def reduced(self, height_px: float, canvas_px: tuple[int, int] | None) -> Person:
        """The whole picture scaled to this height of the person, in the middle of a grey canvas if one is given."""
        scale = height_px / float(self.box_xyxy_px[3] - self.box_xyxy_px[1])
        size_px = max(1, round(self.rgb.shape[1] * scale)), max(1, round(self.rgb.shape[0] * scale))
        rows = cv2.resize(self.rgb, size_px, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
        factor = np.array((size_px[0] / self.rgb.shape[1], size_px[1] / self.rgb.shape[0]), np.float32)
        offset = np.zeros(2, np.float32)
        if canvas_px is not None:
            width_px, height_px = max(canvas_px[0], size_px[0]), max(canvas_px[1], size_px[1])
            left, top = (width_px - size_px[0]) // 2, (height_px - size_px[1]) // 2
            canvas = np.full((height_px, width_px, 3), PADDING, np.uint8)
            canvas[top : top + size_px[1], left : left + size_px[0]] = rows
            rows, offset = canvas, np.array((left, top), np.float32)
        keypoints = self.keypoints_px.copy()
        keypoints[:, :2] = keypoints[:, :2] * factor + offset
        box = (self.box_xyxy_px.reshape(2, 2) * factor + offset).reshape(4)
        return Person(rows, box, keypoints, self.area_px2 * float(factor.prod()))


def annotated_people(folder: Path) -> list[Person]:
    """All people with annotated keypoints in the COCO pictures of `folder`."""
    data = json.loads((folder / "test_coco.json").read_text())
    pictures = {picture["id"]: _read(folder / picture["file_name"]) for picture in data["images"]}
    people = []
    for row in data["annotations"]:
        if row["num_keypoints"]:
            left, top, width, height = row["bbox"]
            box = np.array((left, top, left + width, top + height), np.float32)
            keypoints = np.array(row["keypoints"], np.float32).reshape(17, 3)
            people.append(Person(pictures[row["image_id"]], box, keypoints, float(row["area"])))
    return people


def detected_person(rgb: ImageArray, box_xyxy_px: Float32Array, keypoints_px: Float32Array) -> Person:
    """A person whose keypoints (17, 3) were detected; those from SURE on count as known."""
    known = np.concatenate((keypoints_px[:, :2], keypoints_px[:, 2:] >= SURE), axis=1).astype(np.float32)
    area_px2 = float(np.prod(box_xyxy_px[2:] - box_xyxy_px[:2])) * MASK_OF_BOX
    return Person(rgb=rgb, box_xyxy_px=box_xyxy_px, keypoints_px=known, area_px2=area_px2)


def oks(keypoints_px: Float32Array, person: Person) -> float:
    """Object keypoint similarity in 0..1 over the person's known keypoints
    (https://cocodataset.org/#keypoints-eval)."""
    known = person.keypoints_px[:, 2] > 0
    apart = ((keypoints_px[:, :2] - person.keypoints_px[:, :2]) ** 2).sum(axis=1)
    return float(np.exp(-apart / (2 * person.area_px2 * (2 * SIGMAS) ** 2))[known].mean())


def frames_of(path: Path, count: int) -> list[ImageArray]:
    """Evenly spaced frames, u8 RGB."""
    return [np.ascontiguousarray(frame[..., ::-1]) for frame in evenly_spaced_frames(path, count)]


def _read(path: Path) -> ImageArray:
    image = cv2.imread(str(path))
    if image is None:
        raise SystemExit(f"{path} is missing or not a picture")
    return np.ascontiguousarray(image[..., ::-1])
