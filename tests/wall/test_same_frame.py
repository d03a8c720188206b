"""In the browser, the skeleton that is drawn is that of the very frame below it."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import cv2
import numpy as np
import pytest
import samples
from playwright.sync_api import Page

from posebus.bus.redis.connection import open_broker
from posebus.bus.registry import CameraRecord, Registry
from posebus.contract.codec import encode_frame
from posebus.contract.public_json import dump, track_frame_to_json
from posebus.messages import Delivery, Track, TrackFrame
from tests.polling import wait_until
from tests.repeating import repeated
from tests.wall.camera_bench import served_wall

SIZE_PX = (640, 480)
STEP_PX = 8
"""The bar in the picture, and the person's trunk, move so far from each frame to the next."""
PLACES = 60
BAR_ROW, TRUNK_ROW = 0.95, 0.45
"""Rows in parts of the height: in the first only the picture is seen, in the second the trunk is drawn over it."""
LOOKS = 60
READ_ROWS = """rows => {
  const canvas = document.querySelector('canvas');
  return rows.map(row => Array.from(
    canvas.getContext('2d').getImageData(0, Math.floor(canvas.height * row), canvas.width, 1).data));
}"""


def middle_px(number: int) -> int:
    """Where the bar of a frame is, and the trunk."""
    return 40 + STEP_PX * (number % PLACES)


def picture(number: int) -> bytes:
    """A dark picture with a white bar."""
    image = np.full((SIZE_PX[1], SIZE_PX[0], 3), 40, np.uint8)
    image[:, middle_px(number) - 3 : middle_px(number) + 4] = 255
    return bytes(cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, 95])[1].tobytes())


def tracks(number: int) -> TrackFrame:
    """A person whose shoulder, hip, knee and ankle are on the bar; all other joints are not seen."""
    keypoints = np.zeros((17, 3), np.float32)
    for joint, y_px in ((5, 100), (11, 250), (13, 320), (15, 400)):
        keypoints[joint] = (middle_px(number), y_px, 0.9)
    box = np.array([4, 4, 636, 420], np.float32)
    track = Track(id=1, box_xyxy_px=box, score=0.9, keypoints_px=keypoints, state="confirmed", age_s=1.0)
    return TrackFrame("door", 1, number, number * 40_000_000, SIZE_PX, (track,))


@contextmanager
def playing(url: str) -> Iterator[None]:
    """Frames and, a while later, as behind a worker, their tracks; 25 a second."""
    broker = open_broker(url)
    broker.client.flushall()
    Registry(broker).add_camera(CameraRecord("door", Delivery.LIVE, "test", privacy="none"))
    numbers = itertools.count(1)
    waiting: list[int] = []

    def play() -> None:
        number = next(numbers)
        frame = samples.frame(number, "door", data=picture(number))
        entry = broker.client.xadd(broker.topology.frames("door"), cast("Any", encode_frame(frame, 1)))
        broker.client.xdel(broker.topology.frames("door"), cast("Any", entry))
        waiting.append(number)
        if len(waiting) > 3:
            content = dump(track_frame_to_json(tracks(waiting.pop(0)), samples.PROVENANCE, 1))
            broker.client.xadd(broker.topology.tracks("door"), {"data": content})

    with repeated(play, 0.04):
        yield


def bar_and_trunk(page: Page) -> tuple[float, float] | None:
    """Where both are in what the browser shows now, in pixels of the canvas; None before the first frame."""
    rows = [np.array(row, np.int32).reshape(-1, 4)[:, :3] for row in page.evaluate(READ_ROWS, [BAR_ROW, TRUNK_ROW])]
    edge = len(rows[1]) // 30  # the edges of the person's box
    white = np.flatnonzero(rows[0].min(axis=1) > 180)
    coloured = np.flatnonzero(np.ptp(rows[1], axis=1)[edge:-edge] > 80) + edge
    if len(white) == 0 or len(coloured) == 0:
        return None
    return float(white.mean()), float(coloured.mean())


@pytest.mark.parametrize("width_px", [1280, 420])
def test_each_skeleton_is_on_the_picture_of_its_own_frame(
    redis_server: str, tmp_path: Path, page: Page, width_px: int
) -> None:
    page.set_viewport_size({"width": width_px, "height": 800})
    with playing(redis_server), served_wall(redis_server, tmp_path) as address:
        page.goto(address)
        wait_until(lambda: page.locator("canvas").count() > 0 and bar_and_trunk(page) is not None, "the first frame")
        seen = set()
        for _ in range(LOOKS):
            found = bar_and_trunk(page)
            assert found is not None
            scale = page.evaluate("document.querySelector('canvas').height") / SIZE_PX[1]
            assert abs(found[0] - found[1]) < STEP_PX * scale / 2, "the skeleton is of another frame"
            seen.add(round(found[0]))
            page.wait_for_timeout(30)
        assert len(seen) > 5, "the picture stood still"
