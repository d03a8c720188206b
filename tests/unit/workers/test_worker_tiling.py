"""The tiles of a view cover pictures of any shape, and are decoded and cut as planned."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
import simplejpeg
from hypothesis import given
from hypothesis import strategies as st

from posebus.views import TILE_OVERLAP, View
from workers.images.picture import Picture
from workers.images.preprocess import Letterbox
from workers.images.tiling import cut_tiles, decode_for, forward_passes, plan_view

SIDES = st.integers(1, 8000)
TILES = st.integers(1, 8)


@given(size_px=st.tuples(SIDES, SIDES), columns=TILES, rows=TILES, imgsz=st.sampled_from([320, 640, 1280]))
def test_tiles_cover_the_picture_and_overlap(size_px: tuple[int, int], columns: int, rows: int, imgsz: int) -> None:
    plan = plan_view(size_px, View(imgsz, columns, rows), 32)
    assert len(plan.tiles) == columns * rows == forward_passes([plan.view])
    assert len({tile.fit for tile in plan.tiles}) == 1
    for axis, tiles in ((0, columns), (1, rows)):
        spans = sorted({(tile.region_px[axis], tile.region_px[axis + 2]) for tile in plan.tiles})
        assert (spans[0][0], spans[-1][1]) == (0, size_px[axis])
        lengths = {last - first for first, last in spans}
        assert lengths == {plan.tiles[0].fit.image_size_px[axis]}
        (length_px,) = lengths
        assert length_px >= 1
        assert all(before[1] - after[0] >= TILE_OVERLAP * length_px - 1 for before, after in pairwise(spans))
        # The overlap is not much larger than it has to be.
        assert length_px <= size_px[axis] / (tiles - (tiles - 1) * TILE_OVERLAP) + 1


@given(size_px=st.tuples(SIDES, SIDES), imgsz=st.sampled_from([320, 640, 1280]))
def test_view_without_tiles_is_the_letterbox_of_the_whole_picture(size_px: tuple[int, int], imgsz: int) -> None:
    (tile,) = plan_view(size_px, View(imgsz), 32).tiles
    assert tile.region_px == (0, 0, *size_px)
    assert tile.fit == Letterbox.fit(size_px, imgsz, 32)


def test_picture_is_decoded_once_at_the_size_that_the_largest_view_needs() -> None:
    rows = np.random.default_rng(0).integers(0, 255, (480, 640, 3), dtype=np.uint8)
    data = simplejpeg.encode_jpeg(rows, 90, "RGB", "444")
    small, large, tiles = (plan_view((640, 480), view, 32) for view in (View(64), View(320), View(64, 2, 2)))

    def shape(*plans: object) -> tuple[int, ...]:
        picture = Picture(data, "jpeg", (640, 480))
        first = decode_for(picture, plans)  # type: ignore[arg-type]
        assert picture.rgb((1, 1)) is first
        return first.shape[:2]

    assert shape(small) == (60, 80)
    assert shape(small, large) == (240, 320)
    assert shape(small, tiles) == (480, 640)


def test_tiles_are_cut_from_their_regions() -> None:
    x, y = np.meshgrid(np.arange(200), np.arange(100))
    rows = np.stack((x, y, x * 0), axis=-1).astype(np.uint8)
    plan = plan_view((200, 100), View(64, 3, 2), 32)
    for tile, piece in zip(plan.tiles, cut_tiles(Picture.of(rows), plan), strict=True):
        left, top, right, bottom = tile.region_px
        image = piece.rgb()
        assert image.flags.c_contiguous
        assert image.shape == (bottom - top, right - left, 3)
        assert tuple(image[0, 0, :2]) == (left, top)
        assert tuple(image[-1, -1, :2]) == (right - 1, bottom - 1)


@pytest.mark.parametrize(
    ("views", "inputs"), [((), 1), ((View(640),), 1), ((View(640), View(320), View(1280, 3, 2)), 8)]
)
def test_each_tile_takes_a_forward_pass(views: tuple[View, ...], inputs: int) -> None:
    assert forward_passes(views) == inputs
