"""The views of `imgsz: auto` as the planner computes them, compared with the tiles that workers cut."""

from __future__ import annotations

import numpy as np
import pytest

from posebus.config.policies import AUTO, Policies
from posebus.views import View
from tracking.policies.ladder import STRIDE_PX, cost_px, scale_of, views_of
from workers.images.tiling import plan_view

SIZES_PX = [
    (320, 240),
    (641, 479),
    (1279, 721),
    (1920, 1080),
    (1080, 1920),
    (2592, 1944),
    (3840, 2160),
    (4001, 997),
    (7680, 4320),
]


def worker_tile_px(size_px: tuple[int, int], view: View) -> tuple[int, int]:
    """(width, height) of the tiles that a worker cuts; they are all of one size."""
    sides = set()
    for part in plan_view(size_px, view, STRIDE_PX).tiles:
        left, top, right, bottom = part.region_px
        sides.add((right - left, bottom - top))
    (side_px,) = sides
    return side_px


@pytest.mark.parametrize("size_px", SIZES_PX, ids=str)
def test_planned_scale_and_cost_equal_those_of_the_tiles_that_workers_cut(size_px: tuple[int, int]) -> None:
    views = [
        View(imgsz, columns, rows) for imgsz in (320, 640, 1280) for columns in range(1, 9) for rows in range(1, 9)
    ]
    views += views_of(Policies(imgsz=AUTO), size_px)
    for view in views:
        tile_px = worker_tile_px(size_px, view)
        scale = view.imgsz / max(tile_px)
        assert scale_of(view, size_px) == scale
        padded_px = [int(np.ceil(side * scale / STRIDE_PX - 1e-6)) * STRIDE_PX for side in tile_px]
        assert cost_px(view, size_px) == view.columns * view.rows * max(padded_px[0], 32) * max(padded_px[1], 32)
