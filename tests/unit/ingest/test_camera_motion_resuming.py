"""A recording by a camera that moves: published once, and by processes that are killed after any frame."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator

import cv2
import numpy as np
import pytest

from ingest.capture import CaptureStage
from ingest.sources import Admit, CapturedImage
from ingest.sources.decoding.pixels import RowsImage
from posebus.arrays import UInt8Array
from posebus.config.settings import CameraSettings
from posebus.messages import CaptureClock, Frame
from tests.polling import wait_until
from tests.unit.ingest.memory_writer import MemoryWriter

STEP_NS = 100_000_000
FRAMES = 24


def pictures() -> list[UInt8Array]:
    """A window of 320x240 that rests, pans, turns to another place, and shakes there."""
    rng = np.random.default_rng(8)
    rough = rng.integers(40, 215, (2, 60, 80, 3)).astype(np.uint8)
    places = [cv2.resize(one, (800, 600), interpolation=cv2.INTER_LINEAR) for one in rough]
    found = []
    for index in range(FRAMES):
        place, left, top = 0, 20 * min(8, max(0, index - 4)), 10
        if index >= 16:
            place, (left, top) = 1, rng.integers(0, 30, 2)
        found.append(np.ascontiguousarray(places[place][top : top + 240, left : left + 320]))
    return found


class Recording:
    """A source that plays the pictures."""

    fps = 10.0
    frame_count: int | None = FRAMES
    live = False
    warning: str | None = None
    lost = 0

    def __init__(self) -> None:
        self._numbered: Iterator[tuple[int, UInt8Array]] = iter(enumerate(pictures()))

    def read(self, admit: Admit | None = None) -> CapturedImage | None:
        for number, rows in self._numbered:
            if admit is None or admit(number * STEP_NS):
                return CapturedImage(RowsImage(rows), number * STEP_NS, CaptureClock.FILE, (number,))
        return None

    def close(self) -> None:
        pass


def published(kill_after: list[int], **settings: object) -> list[Frame]:
    """The frames that reach the broker, when each process dies after so many of them."""
    writer = MemoryWriter()
    for frames in [*kill_after, FRAMES]:
        values = CameraSettings(source="x.mp4", encoding="raw", **settings)
        stage = CaptureStage("door", values, writer, opener=lambda _: Recording(), rng=random.Random(1))

        def step(stage: CaptureStage = stage) -> None:
            stage.step(time.monotonic())
            writer.waiting.clear()

        wait_until(lambda frames=frames: len(writer.frames()) >= frames, "frames", meanwhile=step, poll_s=0.0)
        stage.close()
        writer.token += 1
    return writer.frames()


def test_killed_processes_publish_the_same_motion() -> None:
    whole = published([])
    assert len(whole) == FRAMES
    shots = [frame.camera_motion.shot for frame in whole if frame.camera_motion is not None]
    assert shots == [0] * 16 + [1] * 8
    assert whole[12].camera_motion is not None
    assert whole[12].camera_motion.matrix[2] == pytest.approx(-160, abs=2), "it panned by 8 times 20 px"
    assert published([3, 7, 12, 17, 20]) == whole


def test_without_the_setting_no_motion_is_published_and_none_remembered() -> None:
    frames = published([5], camera_motion="off")
    assert len(frames) == FRAMES
    assert {frame.camera_motion for frame in frames} == {None}
