"""Dark pictures are brightened and denoised; all others stay as they are."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from workers.arrays import ImageArray
from workers.enhance import DARK_MEAN, assess, enhanced, noise_of


def scene(seed: int = 0, size_px: tuple[int, int] = (320, 240)) -> ImageArray:
    """Smooth patches of all levels and colours, as daylight shows them."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(20, 235, (12, 16, 3)).astype(np.uint8)
    return np.asarray(cv2.resize(coarse, size_px, interpolation=cv2.INTER_CUBIC), np.uint8)


def darkened(image_rgb: ImageArray, light: float, noise: float, seed: int = 1) -> ImageArray:
    rng = np.random.default_rng(seed)
    levels = image_rgb.astype(np.float32) * light + rng.normal(0, noise, image_rgb.shape)
    return np.clip(np.rint(levels), 0, 255).astype(np.uint8)


def test_bright_pictures_need_nothing() -> None:
    assert assess(scene()) is None
    assert assess(darkened(scene(), 0.5, 10)) is None


def test_dark_coats_before_a_bright_wall_are_not_darkness() -> None:
    picture = np.full((240, 320, 3), 5, np.uint8)
    picture[:, :50] = 200
    assert picture[..., 1].mean() > DARK_MEAN
    picture[:, :50] = 120
    assert picture[..., 1].mean() < DARK_MEAN
    assert assess(picture) is None


@pytest.mark.parametrize("noise", [0.0, 2.0, 5.0])
def test_dark_pictures_come_closer_to_daylight(noise: float) -> None:
    day = scene()
    night = darkened(day, 0.1, noise)
    need = assess(night)
    assert need is not None
    found = enhanced(night, need)
    assert found.shape == day.shape
    assert found.dtype == np.uint8
    plain = np.clip(night.astype(np.float32) * need.gain, 0, 255)
    wanted = day.astype(np.float32) * need.gain * 0.1
    error, plain_error = (float(np.abs(one - wanted).mean()) for one in (found.astype(np.float32), plain))
    assert error <= plain_error + 1.0
    if noise == 5.0:
        assert error < 0.6 * plain_error
    assert 50 < found.mean() < 130


@pytest.mark.parametrize("noise", [1.0, 4.0, 12.0])
def test_the_noise_is_estimated(noise: float) -> None:
    assert noise_of(darkened(scene(), 0.8, noise)) == pytest.approx(noise, rel=0.2)


def test_the_darker_the_more_light() -> None:
    gains = [need.gain for light in (0.2, 0.15, 0.12) if (need := assess(darkened(scene(), light, 0))) is not None]
    assert len(gains) == 3
    assert gains == sorted(gains)


@pytest.mark.parametrize("shape", [(1, 1, 3), (2, 500, 3), (8, 8, 3), (3, 3, 3)])
def test_tiny_and_black_pictures_do_no_harm(shape: tuple[int, ...]) -> None:
    black = np.zeros(shape, np.uint8)
    need = assess(black)
    if need is not None:
        assert enhanced(black, need).shape == shape


def test_what_was_done_is_said_in_words() -> None:
    need = assess(darkened(scene(), 0.1, 5))
    assert "mean brightness 14 of 255, noise 4.8: brightened 6.6 times" in str(need)
