"""Which parts of a picture a view takes in, whatever the picture's shape."""

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
from workers.images.tiling import cut, decoded, inputs_of, look_of

SIDES = st.integers(1, 8000)
TILES = st.integers(1, 8)


@given(size_px=st.tuples(SIDES, SIDES), columns=TILES, rows=TILES, imgsz=st.sampled_from([320, 640, 1280]))
def test_tiles_cover_the_picture_and_share_its_ground(
    size_px: tuple[int, int], columns: int, rows: int, imgsz: int
) -> None:
    look = look_of(size_px, View(imgsz, columns, rows), 32)
    assert len(look.parts) == columns * rows == inputs_of([look.view])
    assert len({part.fit for part in look.parts}) == 1
    for axis, tiles in ((0, columns), (1, rows)):
        spans = sorted({(part.region_px[axis], part.region_px[axis + 2]) for part in look.parts})
        assert (spans[0][0], spans[-1][1]) == (0, size_px[axis])
        lengths = {last - first for first, last in spans}
        assert lengths == {look.parts[0].fit.image_size_px[axis]}
        (length_px,) = lengths
        assert length_px >= 1
        assert all(before[1] - after[0] >= TILE_OVERLAP * length_px - 1 for before, after in pairwise(spans))
        # Not much more than is needed is computed twice.
        assert length_px <= size_px[axis] / (tiles - (tiles - 1) * TILE_OVERLAP) + 1


@given(size_px=st.tuples(SIDES, SIDES), imgsz=st.sampled_from([320, 640, 1280]))
def test_a_view_without_tiles_is_the_letterbox_of_the_whole_picture(size_px: tuple[int, int], imgsz: int) -> None:
    (part,) = look_of(size_px, View(imgsz), 32).parts
    assert part.region_px == (0, 0, *size_px)
    assert part.fit == Letterbox.fit(size_px, imgsz, 32)


def test_a_picture_is_decoded_once_to_what_the_largest_look_needs() -> None:
    rows = np.random.default_rng(0).integers(0, 255, (480, 640, 3), dtype=np.uint8)
    data = simplejpeg.encode_jpeg(rows, 90, "RGB", "444")
    small, large, tiles = (look_of((640, 480), view, 32) for view in (View(64), View(320), View(64, 2, 2)))

    def shape(*looks: object) -> tuple[int, ...]:
        picture = Picture(data, "jpeg", (640, 480))
        first = decoded(picture, looks)  # type: ignore[arg-type]
        assert picture.rgb((1, 1)) is first
        return first.shape[:2]

    assert shape(small) == (60, 80)
    assert shape(small, large) == (240, 320)
    assert shape(small, tiles) == (480, 640)


def test_tiles_are_cut_where_they_say() -> None:
    x, y = np.meshgrid(np.arange(200), np.arange(100))
    rows = np.stack((x, y, x * 0), axis=-1).astype(np.uint8)
    look = look_of((200, 100), View(64, 3, 2), 32)
    for part, piece in zip(look.parts, cut(Picture.of(rows), look), strict=True):
        left, top, right, bottom = part.region_px
        image = piece.rgb()
        assert image.flags.c_contiguous
        assert image.shape == (bottom - top, right - left, 3)
        assert tuple(image[0, 0, :2]) == (left, top)
        assert tuple(image[-1, -1, :2]) == (right - 1, bottom - 1)


@pytest.mark.parametrize(
    ("views", "inputs"), [((), 1), ((View(640),), 1), ((View(640), View(320), View(1280, 3, 2)), 8)]
)
def test_each_tile_is_an_input(views: tuple[View, ...], inputs: int) -> None:
    assert inputs_of(views) == inputs
