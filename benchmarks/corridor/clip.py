"""A clip of people who walk past, separated into the empty scene and the passages of people."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks.common.frames import BgrImage
from benchmarks.common.mot import Rows

Mask = npt.NDArray[np.float32]

PLATE_FRAMES = 60
"""The number of pictures, evenly spaced over the clip, from which the empty scene is computed."""
AROUND = 0.35
"""A person with hands and shadow extends this far beyond their box, as a part of its sides."""
CHANGED_LEVELS = 24
"""Pixels outside boxes that differ this much from the empty scene are also copied: people at the border, shadows."""
APART_S = 1.0
"""Boxes at most this far apart in time belong to one passage."""
MARGIN_S = 0.6
"""A passage begins this long before its first box and ends this long after its last one, because detection is late."""


@dataclass(frozen=True, slots=True)
class Passage:
    """Frames `first` to `last` of the clip, both included, numbered from 1 as in MOTChallenge files."""

    first: int
    last: int

    @property
    def frames(self) -> int:
        """The number of frames."""
        return self.last - self.first + 1


def passages(rows: Rows, frames: int, fps: float) -> list[Passage]:
    """The passages in a clip of `frames` frames; they do not overlap."""
    margin, apart = round(MARGIN_S * fps), round(APART_S * fps)
    occupied = sorted(frame for frame, found in rows.items() if found)
    found: list[Passage] = []
    for frame in occupied:
        begin, end = max(1, frame - margin), min(frames, frame + margin)
        if found and frame - (found[-1].last - margin) <= max(apart, 2 * margin):
            found[-1] = Passage(found[-1].first, end)
        else:
            found.append(Passage(begin, end))
    return found


def read_frames(path: Path) -> Iterator[BgrImage]:
    """The pictures of a video, u8 BGR (H, W, 3)."""
    import av

    with av.open(str(path)) as container:
        for frame in container.decode(video=0):
            yield frame.to_ndarray(format="bgr24")


def rate_and_frames(path: Path) -> tuple[float, int]:
    """Frames a second, and the number of frames."""
    import av

    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        return float(stream.average_rate or 0), stream.frames


def empty_scene(path: Path, rows: Rows, frames: int) -> BgrImage:
    """The median of each pixel over pictures in which no person covers it.

    Raises SystemExit if a pixel is covered in all of them.
    """
    chosen = set(np.linspace(1, frames, PLATE_FRAMES).round().astype(int).tolist())
    pictures, free = [], []
    for number, picture in enumerate(read_frames(path), 1):
        if number in chosen:
            pictures.append(picture)
            free.append(~_boxes_mask(picture.shape[:2], rows.get(number, [])))
    stacked, free_of_people = np.stack(pictures), np.stack(free)
    if not free_of_people.any(axis=0).all():
        raise SystemExit(f"a part of {path.name} is always covered by a person, so it has no empty scene")
    plate = np.empty_like(pictures[0])
    for row in range(len(plate)):  # row by row, because the whole takes gigabytes in floating point
        values = np.where(free_of_people[:, row, :, None], stacked[:, row].astype(np.float32), np.nan)
        plate[row] = np.nanmedian(values, axis=0).round()
    return plate


def person_mask(picture: BgrImage, plate: BgrImage, rows: Sequence[Any]) -> Mask:
    """The weight of `picture` against `plate` in each pixel: (H, W), 0 to 1, with soft borders."""
    import cv2

    near = _boxes_mask(picture.shape[:2], rows)
    changed = np.asarray(cv2.absdiff(picture, plate).max(axis=2) > CHANGED_LEVELS, np.uint8)
    # Opening removes noise and compression artefacts; dilation restores the parts that it cut off.
    changed = np.asarray(cv2.dilate(cv2.morphologyEx(changed, cv2.MORPH_OPEN, np.ones((5, 5))), np.ones((25, 25))))
    together = (near | (changed > 0)).astype(np.float32)
    return np.asarray(cv2.GaussianBlur(together, (0, 0), 6), np.float32)


def _boxes_mask(size: tuple[int, ...], rows: Sequence[Any]) -> npt.NDArray[np.bool_]:
    mask = np.zeros(size, bool)
    for _, left, top, width, height in rows:
        more_x, more_y = AROUND * width, AROUND / 2 * height
        begin_x, begin_y = max(0, int(left - more_x)), max(0, int(top - more_y))
        mask[begin_y : max(0, int(top + height + more_y)), begin_x : max(0, int(left + width + more_x))] = True
    return mask
