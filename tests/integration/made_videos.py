"""Small real videos of numbered frames: the grey level of frame n encodes n."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

LEVELS = 28


def level(number: int) -> int:
    """The grey level of frame `number`; neighbours differ by 8, enough to survive any codec."""
    return 16 + 8 * (number % LEVELS)


def number_of(image_bgr: np.ndarray) -> int:
    """The frame number modulo `LEVELS` that a picture shows."""
    return round((float(image_bgr.mean()) - 16) / 8)


FPS = 25


def make_video(
    path: Path,
    frames: int | Iterable[int] = 30,
    *,
    codec: str = "libx264",
    size_px: tuple[int, int] = (160, 120),
    pix_fmt: str = "yuv420p",
    pts: Iterable[int] | None = None,
    container_options: dict[str, str] | None = None,
    codec_options: dict[str, str] | None = None,
) -> Path:
    """A video of numbered frames; `pts` in units of 1 / FPS, by default 0, 1, 2, …"""
    numbers = list(range(frames)) if isinstance(frames, int) else list(frames)
    times = list(pts) if pts is not None else range(len(numbers))
    width, height = size_px
    with av.open(str(path), "w", options=container_options or {}) as container:
        stream = container.add_stream(codec, rate=FPS)
        stream.width, stream.height, stream.pix_fmt = width, height, pix_fmt
        stream.bit_rate = 8_000_000  # at a lower bit rate, simple codecs leave out so small a change
        stream.codec_context.time_base = Fraction(1, FPS)
        stream.options = codec_options or {}
        for number, time in zip(numbers, times, strict=True):
            picture = np.full((height, width, 3), level(number), np.uint8)
            frame = av.VideoFrame.from_ndarray(picture, format="bgr24")
            frame.pts = time
            frame.time_base = Fraction(1, FPS)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def make_sound(path: Path) -> Path:
    """A file with sound and no picture."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("pcm_s16le", rate=8000, layout="mono")
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 8000), np.int16), format="s16", layout="mono")
        frame.sample_rate = 8000
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path
