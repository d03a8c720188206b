"""Dark, hazy, noisy and blocky pictures are enhanced; all others stay unchanged."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from benchmarks.accuracy.damage import compressed, defocused, foggy
from workers.detections import ImageArray
from workers.images.enhance import DARK_MEAN, MOST_GAIN, assess, enhanced
from workers.images.image_quality import blocks_of, levels_of, noise_of, strips_of


def scene(seed: int = 0, size_px: tuple[int, int] = (320, 240)) -> ImageArray:
    """Smooth patches of all levels and colours, as daylight shows them."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(20, 235, (12, 16, 3)).astype(np.uint8)
    return np.asarray(cv2.resize(coarse, size_px, interpolation=cv2.INTER_CUBIC), np.uint8)


def darkened(image_rgb: ImageArray, light: float, noise: float, seed: int = 1) -> ImageArray:
    rng = np.random.default_rng(seed)
    levels = image_rgb.astype(np.float32) * light + rng.normal(0, noise, image_rgb.shape)
    return np.clip(np.rint(levels), 0, 255).astype(np.uint8)


def test_bright_pictures_are_not_degraded() -> None:
    assert assess(scene()) is None
    assert assess(darkened(scene(), 0.5, 10)) is None


def test_dark_coats_before_a_bright_wall_do_not_count_as_dark() -> None:
    picture = np.full((240, 320, 3), 5, np.uint8)
    picture[:, :50] = 200
    assert picture[..., 1].mean() > DARK_MEAN
    picture[:, :50] = 120
    assert picture[..., 1].mean() < DARK_MEAN
    assert assess(picture) is None


@pytest.mark.parametrize("noise", [0.0, 2.0, 5.0])
def test_enhanced_dark_pictures_are_closer_to_daylight(noise: float) -> None:
    day = scene()
    night = darkened(day, 0.1, noise)
    degradation = assess(night)
    assert degradation is not None
    found = enhanced(night, degradation)
    assert found.shape == day.shape
    assert found.dtype == np.uint8
    plain = np.clip(night.astype(np.float32) * degradation.gain, 0, 255)
    wanted = day.astype(np.float32) * degradation.gain * 0.1
    error, plain_error = (float(np.abs(one - wanted).mean()) for one in (found.astype(np.float32), plain))
    assert error <= plain_error + 1.0
    if noise == 5.0:
        assert error < 0.6 * plain_error
    assert 50 < found.mean() < 130


@pytest.mark.parametrize("noise", [1.0, 4.0, 12.0])
def test_noise_is_estimated(noise: float) -> None:
    assert noise_of(strips_of(darkened(scene(), 0.8, noise))) == pytest.approx(noise, rel=0.2)


def test_gain_grows_with_darkness() -> None:
    gains = [
        degradation.gain
        for light in (0.2, 0.15, 0.12)
        if (degradation := assess(darkened(scene(), light, 0))) is not None
    ]
    assert len(gains) == 3
    assert gains == sorted(gains)


@pytest.mark.parametrize("shape", [(1, 1, 3), (2, 500, 3), (8, 8, 3), (3, 3, 3)])
def test_tiny_and_black_pictures_are_handled(shape: tuple[int, ...]) -> None:
    black = np.zeros(shape, np.uint8)
    degradation = assess(black)
    if degradation is not None:
        assert enhanced(black, degradation).shape == shape


def test_degradation_is_described_in_words() -> None:
    degradation = assess(darkened(scene(), 0.1, 5))
    assert "mean brightness 14 of 255, noise 4.8: brightened 6.6 times" in str(degradation)


def textured(seed: int = 0) -> ImageArray:
    """A scene with fine grain, as real ones have, and sharp edges."""
    rng = np.random.default_rng(seed)
    picture = scene(seed, (640, 480)).astype(np.float32)
    for _ in range(60):
        left, top = rng.integers(0, 600), rng.integers(0, 440)
        picture[top : top + rng.integers(5, 120), left : left + rng.integers(5, 90)] = rng.integers(0, 255, 3)
    return np.clip(picture + rng.normal(0, 4, picture.shape), 0, 255).astype(np.uint8)


def test_good_pictures_are_not_degraded_by_mild_compression_or_blur() -> None:
    rng = np.random.default_rng(0)
    for damage in (compressed(90), compressed(60), defocused(3.0)):
        assert assess(damage.apply(textured(), rng)) is None


@pytest.mark.parametrize("clear", [0.5, 0.25, 0.1])
def test_contrast_behind_fog_is_restored(clear: float) -> None:
    day = textured()
    fog = foggy(clear).apply(day, np.random.default_rng(0))
    degradation = assess(fog)
    assert degradation is not None
    assert "contrast raised" in str(degradation)
    assert 1.0 < degradation.gain <= MOST_GAIN
    found = enhanced(fog, degradation)
    assert found.std() > 2 * fog.std()
    levels = levels_of(found)
    assert levels is not None
    assert levels.low < 40
    assert levels.high > 200 or degradation.gain == MOST_GAIN


def test_strong_noise_in_daylight_is_smoothed() -> None:
    day = textured()
    noisy = darkened(day, 1.0, 30)
    degradation = assess(noisy)
    assert degradation is not None
    assert (degradation.gain, degradation.black) == (1.0, 0.0)
    assert noise_of(strips_of(enhanced(noisy, degradation))) < 5
    assert str(degradation) == f"noise {noise_of(strips_of(noisy)):.1f}: smoothed"


def test_blocks_of_strong_compression_are_smoothed() -> None:
    rng = np.random.default_rng(0)
    soft = defocused(3.0).apply(textured(), rng)
    counted = [blocks_of(strips_of(compressed(quality).apply(soft, rng))) for quality in (95, 50, 20, 8)]
    assert counted == sorted(counted)
    assert counted[0] < 1.5
    assert counted[-1] > 3
    packed = compressed(8).apply(soft, rng)
    degradation = assess(packed)
    assert degradation is not None
    assert "blocks" in str(degradation)
    assert blocks_of(strips_of(enhanced(packed, degradation))) < 2


@pytest.mark.parametrize("level", [0, 40, 128, 255])
def test_picture_of_a_single_level_is_handled(level: int) -> None:
    """A covered lens or a wall must not cause a division by zero."""
    plain = np.full((480, 640, 3), level, np.uint8)
    degradation = assess(plain)
    if degradation is not None:
        assert enhanced(plain, degradation).shape == plain.shape
