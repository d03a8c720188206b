"""COCO keypoint JSON: annotations as of a data set, and detections as of a results file.

The format: https://cocodataset.org/#format-data. Ids count from 1, because pycocotools takes 0 for no match.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from typing import IO, Any

from posebus.coco import COCO_KEYPOINT_NAMES
from posebus.contract.fields.json_values import COORDINATE_DECIMALS
from posebus.messages import TrackFrame, TrackState
from recordings.results.files import PartialFile, writing
from recordings.results.formats.writer import Message, Target, check_keypoints

PERSON = 1
"""COCO's category of people."""
SKELETON = (
    *((16, 14), (14, 12), (17, 15), (15, 13), (12, 13), (6, 12), (7, 13), (6, 7), (6, 8), (7, 9)),
    *((8, 10), (9, 11), (2, 3), (1, 2), (1, 3), (2, 4), (3, 5), (4, 6), (5, 7)),
)
"""The limbs of COCO's category `person`: keypoints from 1."""

_CATEGORIES = [
    {
        "id": PERSON,
        "name": "person",
        "supercategory": "person",
        "keypoints": list(COCO_KEYPOINT_NAMES),
        "skeleton": [list(limb) for limb in SKELETON],
    }
]


class CocoAnnotations:
    """NAME.coco.json: an image for each frame, an annotation for each person who is present in it.

    The order of its parts is info, licenses, categories, annotations, images. The images wait in a nameless file until
    the annotations are complete, so that the memory that is used does not grow.
    """

    def __init__(self, target: Target) -> None:
        """Raises OutputError, as all methods do."""
        self._name = target.name
        self._file = PartialFile(target.folder / f"{target.name}.coco.json")
        with writing(self._file.path):
            self._images: IO[str] = tempfile.TemporaryFile("w+", encoding="utf-8", dir=target.folder)  # noqa: SIM115
        self._begin()

    def write(self, frame: TrackFrame, message: Message) -> None:
        """Append a frame."""
        check_keypoints(message, self._file.path)
        number = frame.seq + 1
        for track in _present(message):
            self._annotations += 1
            self._file.write(_separated(self._annotations, _annotation(self._annotations, number, track)))
        self._frames += 1
        with writing(self._file.path):
            self._images.write(_separated(self._frames, _image(self._name, number, message)))

    def restart(self) -> None:
        """Delete all that was written so far."""
        self._file.restart()
        with writing(self._file.path):
            self._images.seek(0)
            self._images.truncate()
        self._begin()

    def complete(self) -> None:
        """Append the images, and give the file its final name."""
        self._file.write('\n],\n"images": [')
        with writing(self._file.path):
            self._images.seek(0)
            self._file.copy_from(self._images)
        self._file.write("\n]}\n")
        self._images.close()
        self._file.complete()

    def close(self) -> None:
        """Close the file; an incomplete one keeps its partial name and is no valid JSON."""
        self._images.close()
        self._file.close()

    def _begin(self) -> None:
        self._frames = self._annotations = 0
        info = {"description": f"People in {self._name}, detected and tracked by posebus", "version": "1"}
        self._file.write(f'{{"info": {json.dumps(info)},\n"licenses": [],\n')
        self._file.write(f'"categories": {json.dumps(_CATEGORIES)},\n"annotations": [')


class CocoDetections:
    """NAME.coco-results.json: the list of detections that pycocotools' `loadRes` and `COCOeval` take."""

    def __init__(self, target: Target) -> None:
        """Raises OutputError, as all methods do."""
        self._file = PartialFile(target.folder / f"{target.name}.coco-results.json")
        self._begin()

    def write(self, frame: TrackFrame, message: Message) -> None:
        """Append a frame."""
        check_keypoints(message, self._file.path)
        for track in _present(message):
            self._detections += 1
            self._file.write(_separated(self._detections, _detection(frame.seq + 1, track)))

    def restart(self) -> None:
        """Delete all that was written so far."""
        self._file.restart()
        self._begin()

    def complete(self) -> None:
        """End the list, and give the file its final name."""
        self._file.write("\n]\n")
        self._file.complete()

    def close(self) -> None:
        """Close the file; an incomplete one keeps its partial name and is no valid JSON."""
        self._file.close()

    def _begin(self) -> None:
        self._detections = 0
        self._file.write("[")


def _present(message: Message) -> Iterator[dict[str, Any]]:
    """Yield the confirmed tracks: people who are present, coasted ones with their predicted boxes and keypoints."""
    return (track for track in message["tracks"] if track["state"] == TrackState.CONFIRMED)


def _separated(number: int, entry: dict[str, Any]) -> str:
    return ("\n" if number == 1 else ",\n") + json.dumps(entry, separators=(",", ":"))


def _image(name: str, number: int, message: Message) -> dict[str, Any]:
    width, height = message["size_px"]
    return {
        "id": number,
        "file_name": f"{name}/{number:06d}.jpg",
        "width": width,
        "height": height,
        "frame": message["seq"],
        "captured_at_ns": message["captured_at_ns"],
    }


def _box(track: dict[str, Any]) -> tuple[list[float], float]:
    """Return left, top, width, height of the box, and its area."""
    left, top, right, bottom = track["box_xyxy_px"]
    box = [left, top, round(right - left, COORDINATE_DECIMALS), round(bottom - top, COORDINATE_DECIMALS)]
    return box, round((right - left) * (bottom - top), COORDINATE_DECIMALS)


def _annotation(annotation_id: int, image_id: int, track: dict[str, Any]) -> dict[str, Any]:
    box, area = _box(track)
    keypoints: list[float] = []
    known = 0
    for x, y, flag in _flagged(track):
        keypoints += (x, y, flag) if flag else (0, 0, 0)
        known += flag > 0
    return {
        "id": annotation_id,
        "image_id": image_id,
        "category_id": PERSON,
        "track_id": track["id"],
        "bbox": box,
        "area": area,
        "iscrowd": 0,
        "num_keypoints": known,
        "keypoints": keypoints,
        "score": track["score"],
        "coasted": track["coasted"],
    }


def _flagged(track: dict[str, Any]) -> Iterator[tuple[float, float, int]]:
    """Yield x, y and COCO's flag of each keypoint: 0 unknown, 1 hidden, 2 visible."""
    keypoints, flags = track["keypoints_px"], track["keypoint_visibility"]
    if keypoints is None or flags is None:
        return ((0, 0, 0) for _ in COCO_KEYPOINT_NAMES)
    return ((x, y, flag) for (x, y, _), flag in zip(keypoints, flags, strict=True))


def _detection(image_id: int, track: dict[str, Any]) -> dict[str, Any]:
    keypoints = track["keypoints_px"] or [(0, 0, 0)] * len(COCO_KEYPOINT_NAMES)
    return {
        "image_id": image_id,
        "category_id": PERSON,
        "track_id": track["id"],
        "bbox": _box(track)[0],
        "keypoints": [value for point in keypoints for value in point],
        "score": track["score"],
    }
