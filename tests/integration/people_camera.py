"""A real RTSP camera that shows real people: a window that pans over a photograph, with its number in the picture."""

from __future__ import annotations

from functools import cache

import cv2
import numpy as np

from tests.clips import photograph
from tests.integration.rtsp_server import RtspServer

FPS = 8
SIZE_PX = (320, 240)
BITS = 10
CELL_PX = 16
STEP_PX, TURNS_AFTER = 3, 25
"""The window moves by so many pixels of the picture from frame to frame, and back after so many frames."""


def shift_px(number: int) -> int:
    """How far the people have moved to the left in the picture of this number."""
    return STEP_PX * (TURNS_AFTER - abs(TURNS_AFTER - number % (2 * TURNS_AFTER)))


@cache
def scene(size_px: tuple[int, int]) -> np.ndarray:
    """People in front of a bus, wider than a picture, so that a window can move over it."""
    photo = cv2.imread(str(photograph("bus.jpg")))
    assert photo is not None
    height_px = size_px[1]
    reduced = cv2.resize(photo[220:1000], (round(810 * height_px / 780), height_px), interpolation=cv2.INTER_AREA)
    return cv2.copyMakeBorder(reduced, 0, 0, 0, size_px[0], cv2.BORDER_REFLECT)


def draw(number: int, size_px: tuple[int, int]) -> np.ndarray:
    """The picture of a number: a window onto the scene, and the number as black and white cells at the top."""
    left_px = shift_px(number)
    picture = scene(size_px)[:, left_px : left_px + size_px[0]].copy()
    for bit in range(BITS):
        picture[:CELL_PX, bit * CELL_PX : (bit + 1) * CELL_PX] = 235 if number >> bit & 1 else 20
    return picture


def number_in(picture: np.ndarray) -> int:
    """The number in a picture of this camera, also after it was encoded and drawn into further down."""
    cells = [picture[4 : CELL_PX - 4, bit * CELL_PX + 4 : (bit + 1) * CELL_PX - 4] for bit in range(BITS)]
    return sum((float(cell.mean()) > 128) << bit for bit, cell in enumerate(cells))


def people_camera() -> RtspServer:
    """Start one."""
    return RtspServer(fps=FPS, size_px=SIZE_PX, gop=4, draw=draw)
