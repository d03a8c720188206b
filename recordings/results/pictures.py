"""The files of one picture: its people as JSON, and the picture with its people drawn or blurred."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2

from posebus.config.cameras.privacy import HEADS
from posebus.contract.fields.json_values import COORDINATE_DECIMALS, SCORE_DECIMALS
from posebus.privacy.blurring import blur_heads
from posebus.privacy.regions import head_regions
from recordings.results.draw import Image, color_of, draw_people
from recordings.results.files import write_at_once
from recordings.results.outlines import NO_OUTLINE, blur_people, draw_outlines
from recordings.results.video import PLAIN, Style

if TYPE_CHECKING:
    from posebus.arrays import Float32Array
    from workers.detections import Detections


@dataclass(frozen=True, slots=True)
class PictureFiles:
    """Where the results of one picture are written, and how its people are shown."""

    json: Path
    picture: Path
    style: Style

    @classmethod
    def of(cls, folder: Path, name: str, style: Style = PLAIN) -> PictureFiles:
        """Return the files of the picture whose files are called `name`."""
        picture = folder / f"{name}.{'blurred' if style.blur else 'annotated'}.png"
        return cls(folder / f"{name}.poses.json", picture, style)

    def write(self, result: dict[str, Any], image_bgr: Image, found: Detections) -> None:
        """Write both files; draws into `image_bgr`. Raises OutputError."""
        draw_or_blur(image_bgr, found, self.style)
        write_at_once(self.json, (json.dumps(result, indent=1) + "\n").encode())
        write_at_once(self.picture, cv2.imencode(".png", image_bgr)[1].tobytes())


def draw_or_blur(image_bgr: Image, found: Detections, style: Style = PLAIN) -> None:
    """Draw the people into their picture, or blur them; with the privacy `heads`, heads are blurred before that."""
    if style.privacy == HEADS:
        blur_heads(image_bgr, head_regions(found.boxes_xyxy_px, found.keypoints_px))
    masks = [NO_OUTLINE] * len(found.scores) if found.masks is None else found.masks
    if style.blur:
        blur_people(image_bgr, found.boxes_xyxy_px, masks)
        return
    labels = [f"{score:.2f}" for score in found.scores]
    colors = [color_of(index) for index in range(len(labels))]
    draw_outlines(image_bgr, masks, colors)
    draw_people(image_bgr, found.boxes_xyxy_px, found.keypoints_px, labels, colors)


def people_to_json(found: Detections) -> list[dict[str, Any]]:
    """Return the people for JSON; `mask` is a person's outline, which may be empty, and only there with --masks."""

    def pixels(values: Float32Array) -> list[float]:
        return [round(float(value), COORDINATE_DECIMALS) for value in values]

    def score(value: float) -> float:
        return round(float(value), SCORE_DECIMALS)

    people: list[dict[str, Any]] = [
        {
            "box_xyxy_px": pixels(box),
            "score": score(box_score),
            "keypoints": [[*pixels(row[:2]), score(row[2])] for row in keypoints],
        }
        for box, box_score, keypoints in zip(found.boxes_xyxy_px, found.scores, found.keypoints_px, strict=True)
    ]
    if found.masks is not None:
        for person, mask in zip(people, found.masks, strict=True):
            person["mask"] = [pixels(point) for point in mask]
    return people
