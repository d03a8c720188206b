"""Real pictures that the camera looks at, and what is between it and them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from benchmarks.camera_motion.paths import Path as CameraPath
from benchmarks.camera_motion.paths import window
from posebus.arrays import Float64Array, UInt8Array

SEEN_PX = (1280, 720)
STARTS = {"TUD-Stadtmitte.mp4": 0, "one-by-one-person-detection.mp4": 300, "vtest.avi": 100}


@dataclass(frozen=True, slots=True)
class Moved:
    """One frame that a camera sees: BGR (H, W, 3), the true map from the whole picture to it, and whether it is cut."""

    picture: UInt8Array
    from_whole: Float64Array
    cut: bool


@dataclass(frozen=True, slots=True)
class Place:
    """A place to look at: `pictures` are its frames in order, repeated to and fro."""

    name: str
    pictures: Sequence[UInt8Array]

    def at(self, index: int) -> UInt8Array:
        """The whole picture at frame `index`."""
        last = len(self.pictures) - 1
        if last == 0:
            return self.pictures[0]
        turn = index % (2 * last)
        return self.pictures[turn if turn <= last else 2 * last - turn]


def places(data: Path, frames: int = 100) -> list[Place]:
    """The clips, where people move, and single pictures."""
    from ultralytics.utils import ASSETS

    found = []
    for name, start in STARTS.items():
        capture = cv2.VideoCapture(str(data / name))
        capture.set(cv2.CAP_PROP_POS_FRAMES, start)
        pictures = [picture for ok, picture in (capture.read() for _ in range(frames)) if ok]
        found.append(Place(name.split(".")[0], pictures))
    for path in [*sorted((data / "coco4").glob("*.jpg")), *sorted(Path(ASSETS).glob("*.jpg"))]:
        picture: Any = cv2.imread(str(path))
        height, width = picture.shape[:2]
        if height > width:
            picture = picture[: width * 9 // 16 + (height - width * 9 // 16) // 2][-(width * 3 // 4) :]
        found.append(Place(path.stem, [picture]))
    return found


def seen(place: Place, path: CameraPath, other: Place, clip_fps: float = 25.0) -> Iterator[Moved]:
    """What a camera sees that looks at `place` along `path`, after a cut at `other`."""
    here = place
    for index, pose in enumerate(path.poses()):
        if pose.cut:
            here = other
        whole = here.at(round(index * clip_fps / path.fps))
        height, width = whole.shape[:2]
        from_whole = window(pose, (width, height), SEEN_PX)
        # Whole numbers are the middles of OpenCV's pixels.
        middle = np.array(((1, 0, 0.5), (0, 1, 0.5), (0, 0, 1)))
        drawn = np.linalg.inv(middle) @ from_whole @ middle
        picture = cv2.warpAffine(whole, drawn[:2], SEEN_PX, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT_101)
        yield Moved(np.asarray(picture, np.uint8), from_whole, pose.cut)
