"""Maps between two pictures of one view in different sizes."""

from __future__ import annotations

from tracking.motion.picture_map import PictureMap


def resizing(before_px: tuple[int, int], after_px: tuple[int, int]) -> tuple[PictureMap, tuple[PictureMap, ...]]:
    """The usual map between pictures of two sizes, and alternatives to be applied after it.

    Nearly every source stretches the whole picture to its new size. Others keep the pixels, and cut or extend the
    picture at the right and the bottom, or on all sides; or they keep the proportions, with bars around the whole
    picture, or with that part of it that fills the new shape.

    Args:
        before_px: (width, height) of the last frame.
        after_px: that of this frame.

    Returns:
        The map of pixels of the last frame to this one's, and the maps that must follow it where another one holds.
    """
    ratios = after_px[0] / before_px[0], after_px[1] / before_px[1]
    scaled = PictureMap(ratios[0], 0.0, 0.0, 0.0, ratios[1], 0.0)
    back = PictureMap(1.0 / ratios[0], 0.0, 0.0, 0.0, 1.0 / ratios[1], 0.0)
    others = [PictureMap(1.0, 0.0, 0.0, 0.0, 1.0, 0.0)]
    others += [_centred(before_px, after_px, zoom) for zoom in (1.0, min(ratios), max(ratios))]
    return scaled, tuple(back.then(other) for other in dict.fromkeys(others) if other != scaled)


def _centred(before_px: tuple[int, int], after_px: tuple[int, int], zoom: float) -> PictureMap:
    """The map that scales by `zoom` and keeps the centre."""
    shift_x, shift_y = ((after - zoom * before) / 2.0 for before, after in zip(before_px, after_px, strict=True))
    return PictureMap(zoom, 0.0, shift_x, 0.0, zoom, shift_y)
