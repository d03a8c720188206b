"""Frames of oblong pixels in square ones: everything that has coordinates is converted."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from posebus.messages import CameraMotion
from tests.samples import pose_frame, uninferred
from tracking.motion.picture_map import between
from tracking.square_pixels import squared


def test_a_point_that_moves_with_the_camera_does_so_in_square_pixels() -> None:
    """Square pixels are twice as many in x; a quarter turn about (100, 50), then 30 px right and 7 px down."""
    still, turned = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0), (0.0, -1.0, 180.0, 1.0, 0.0, -43.0)
    before, after = np.array((100.0, 40.0)), np.array((140.0, 57.0))
    assert np.array(turned).reshape(2, 3) @ [*before, 1] == pytest.approx(after)
    doubled = np.array((2.0, 1.0))
    for frame in (pose_frame(), uninferred(3)):
        oblong = [
            replace(frame, pixel_aspect=Fraction(2), camera_motion=CameraMotion(2, matrix, 0.5))
            for matrix in (still, turned)
        ]
        first, second = (squared(one).camera_motion for one in oblong)
        assert first is not None
        assert second is not None
        assert (second.shot, second.certainty) == (2, 0.5)
        moved = between(first.matrix, second.matrix)
        assert moved is not None
        assert moved.at(*(doubled * before)) == pytest.approx(doubled * after)


def test_square_pixels_stay_as_they_are() -> None:
    frame = pose_frame(camera_motion=CameraMotion(0, (1.0, 0.0, 3.0, 0.0, 1.0, 0.0), 1.0))
    assert squared(frame) is frame
