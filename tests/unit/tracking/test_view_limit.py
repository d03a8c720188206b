from __future__ import annotations

import pytest

from posebus.config.policies import AUTO, Policies
from posebus.views import View
from tracking.policies.capacity import CapacityShare
from tracking.policies.imgsz import SizeChooser
from tracking.policies.ladder import cost_px
from tracking.policies.view_limit import GROW_AFTER_S, SHRINK_AFTER_S, ViewLimit

SIZE_PX = (768, 576)
FPS = 10.0
POLICIES = Policies(imgsz=AUTO)


class Camera:
    """A camera that wants 1280 and gets one frame a second."""

    def __init__(self, wanted: int = 1280) -> None:
        self.limit = ViewLimit(POLICIES)
        self.sizes = SizeChooser(POLICIES)
        self.sizes.view = View(wanted)
        self.time_s = 0.0
        self.changes: list[str] = []

    def run(self, seconds: float, share: float | None) -> View | None:
        """Run with an allowance of this `share` of what 1280 costs."""
        allowed = None if share is None else CapacityShare(share * FPS * cost_px(View(1280), SIZE_PX), 2)
        for _ in range(round(seconds)):
            self.limit.set(allowed, FPS)
            change = self.limit.update(self.sizes, SIZE_PX, round(self.time_s * 1e9))
            if change is not None:
                self.changes.append(f"{change.before} -> {change.after}")
            self.time_s += 1.0
        return self.limit.view


def test_largest_view_within_the_allowance_is_used_and_more_workers_are_advised() -> None:
    camera = Camera()
    assert camera.run(SHRINK_AFTER_S + 1, 0.5) == View(800)  # 800 costs 0.40 of 1280, 1024 costs 0.64
    assert camera.changes == ["1280 -> 800"]
    assert camera.limit.advice is not None
    assert "2 more workers" in camera.limit.advice


def test_view_grows_again_once_the_workers_carry_it() -> None:
    camera = Camera()
    camera.run(SHRINK_AFTER_S + 1, 0.5)
    assert camera.run(GROW_AFTER_S - 1, None) == View(800)
    assert camera.run(3, None) is None
    assert camera.changes == ["1280 -> 800", "800 -> 1280"]
    assert camera.limit.advice is None


def test_short_lack_of_capacity_changes_nothing() -> None:
    camera = Camera()
    for _ in range(5):
        camera.run(SHRINK_AFTER_S - 1, 0.5)
        assert camera.run(1, None) is None
    assert camera.changes == []


def test_allowance_that_wavers_around_a_size_does_not_alternate() -> None:
    camera = Camera()
    for share in (0.65, 0.63, 0.66, 0.62, 0.68) * 4:
        camera.run(GROW_AFTER_S + 1, share)
    assert len(camera.changes) == 2  # down to 1024, then to 800, where it stays


@pytest.mark.parametrize(("wanted", "expected"), [(1280, View(640)), (640, None), (416, None)])
def test_view_is_not_limited_below_the_first_size(wanted: int, expected: View | None) -> None:
    camera = Camera(wanted)
    assert camera.run(20, 0.0) == expected
