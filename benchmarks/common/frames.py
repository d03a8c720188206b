"""Frames of video files, decoded by OpenCV."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

BgrImage = npt.NDArray[np.uint8]
"""(H, W, 3) BGR."""


def evenly_spaced_frames(path: Path, count: int) -> Iterator[BgrImage]:
    """`count` frames of the video at `path` in order, the first and the last one included."""
    video = cv2.VideoCapture(str(path))
    total = int(video.get(cv2.CAP_PROP_FRAME_COUNT))
    wanted = set(np.linspace(0, total - 1, count).astype(int).tolist())
    for index in range(total):
        if not video.grab():
            break
        if index in wanted:
            yield np.asarray(video.retrieve()[1], np.uint8)
    video.release()
