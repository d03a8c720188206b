from __future__ import annotations

import pytest

from posebus.config.settings import WorkerSettings
from recordings.live.demo import ENGINE_SHARE, MAX_FPS, MIN_FPS, camera_fps, carried_fps


@pytest.mark.parametrize(("carried", "each"), [(0.0, MIN_FPS), (8.9, 4), (24.0, 12), (500.0, MAX_FPS)])
def test_cameras_share_what_the_engine_carries(carried: float, each: int) -> None:
    assert camera_fps(carried) == each


def test_engine_carries_fewer_frames_the_larger_they_are() -> None:
    # 640x480 pixels a frame, of which the engine computes 100 frames a second.
    carried = carried_fps(100 * 640 * 480, WorkerSettings())
    assert carried == {640: pytest.approx(100 * ENGINE_SHARE), 1280: pytest.approx(25 * ENGINE_SHARE)}
    assert list(carried_fps(1.0, WorkerSettings(imgsz=320))) == [320]
