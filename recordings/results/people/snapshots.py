"""NAME.people/ID.jpg: the best picture of each person, cut out of the recording."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

import cv2

from posebus.config.settings import CameraSettings
from recordings.privacy.timeline import HeadTimeline
from recordings.progress import Progress
from recordings.results.draw import Image
from recordings.results.files import write_at_once, writing
from recordings.results.people.person import Moment, Person
from recordings.results.people.table import write_people

MARGIN = 0.15
"""Of the box's larger side, on every side: the network's boxes often cut hands and hair."""
SHARPNESS_HEIGHT_PX = 128
"""Sharpness is compared at one height, as larger pictures of the same person are smoother from pixel to pixel."""
QUALITY_JPEG = 90


@dataclass(slots=True)
class _Best:
    moment: Moment
    sharpness: float


class Snapshots:
    """Takes the snapshots of `people` while the pictures of their recording pass by.

    Of a person's best moments, the one whose picture is sharpest is kept.
    """

    def __init__(self, folder: Path, name: str, people: Iterable[Person]) -> None:
        self._folder = folder
        self._name = name
        self._people = {person.track_id: person for person in people}
        self._wanted: dict[int, list[tuple[int, Moment]]] = {}
        for person in self._people.values():
            for moment in person.moments:
                self._wanted.setdefault(moment.captured_at_ns, []).append((person.track_id, moment))
        self._best: dict[int, _Best] = {}

    def wants(self, captured_at_ns: int) -> bool:
        """Return whether a picture is needed, by its capture time."""
        return captured_at_ns in self._wanted

    def see(self, image_bgr: Image, captured_at_ns: int) -> None:
        """Take what is needed of a picture (H, W, 3), which is not changed. Raises OutputError."""
        for track_id, moment in self._wanted.get(captured_at_ns, ()):
            crop = _cut(image_bgr, moment.box_xyxy_px)
            if crop is None:
                continue
            sharpness = _sharpness(crop) * moment.quality
            best = self._best.get(track_id)
            if best is None or sharpness > best.sharpness:
                self._write(track_id, crop)
                self._best[track_id] = _Best(moment, sharpness)

    def complete(self) -> list[Person]:
        """Write NAME.people.csv again, with the snapshots; returns the people with them. Raises OutputError."""
        people = [
            person
            if (best := self._best.get(number)) is None
            else replace(person, best=best.moment, snapshot=f"{self._name}.people/{number}.jpg")
            for number, person in self._people.items()
        ]
        write_people(self._folder, self._name, people)
        return people

    def _write(self, track_id: int, crop: Image) -> None:
        path = self._folder / f"{self._name}.people" / f"{track_id}.jpg"
        with writing(path):
            path.parent.mkdir(exist_ok=True)
        write_at_once(path, cv2.imencode(".jpg", crop, [cv2.IMWRITE_JPEG_QUALITY, QUALITY_JPEG])[1].tobytes())


def take_snapshots(
    source: CameraSettings, snapshots: Snapshots, heads: HeadTimeline | None, task: str, progress: Progress
) -> list[Person]:
    """Read the recording once more for its snapshots alone; returns the people with them.

    `heads`: those that are blurred. Raises OutputError and the errors of reading the source.
    """
    from ingest.sources import open_source

    opened = open_source(source)
    seen = 0
    try:
        while (picture := opened.read(snapshots.wants)) is not None:
            image_bgr = picture.image_bgr
            if heads is not None:
                heads.hide(image_bgr, picture.captured_at_ns)
            snapshots.see(image_bgr, picture.captured_at_ns)
            seen += 1
            progress.update(task, seen, None, 0.0)
    finally:
        opened.close()
        progress.finish(task)
    return snapshots.complete()


def _cut(image_bgr: Image, box_xyxy_px: tuple[float, float, float, float]) -> Image | None:
    """Return the part of the picture that a box with its margin covers, None if that is nothing."""
    left, top, right, bottom = box_xyxy_px
    margin_px = MARGIN * max(right - left, bottom - top)
    height_px, width_px = image_bgr.shape[:2]
    x1, y1 = max(0, int(left - margin_px)), max(0, int(top - margin_px))
    x2, y2 = min(width_px, int(right + margin_px) + 1), min(height_px, int(bottom + margin_px) + 1)
    return image_bgr[y1:y2, x1:x2] if x1 < x2 and y1 < y2 else None


def _sharpness(crop: Image) -> float:
    grey = cv2.cvtColor(crop, cv2.COLOR_BGR2GRAY)
    width_px = max(8, round(grey.shape[1] * SHARPNESS_HEIGHT_PX / grey.shape[0]))
    small = cv2.resize(grey, (width_px, SHARPNESS_HEIGHT_PX), interpolation=cv2.INTER_AREA)
    return float(cv2.Laplacian(small, cv2.CV_32F).std())
