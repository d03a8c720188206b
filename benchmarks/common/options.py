"""Types of command-line options that several benchmarks have."""

from __future__ import annotations

import argparse


def size_px(text: str) -> tuple[int, int]:
    """(width, height) from a text such as `640x480`. Raises argparse.ArgumentTypeError."""
    width, _, height = text.partition("x")
    if not (width.isdecimal() and height.isdecimal()):
        raise argparse.ArgumentTypeError(f"{text!r} is not a size such as 640x480")
    return int(width), int(height)


def even_size_px(text: str) -> tuple[int, int]:
    """(width, height) from a text such as `1280x720`, both even as H.264 needs. Raises argparse.ArgumentTypeError."""
    width_px, height_px = size_px(text)
    if width_px % 2 or height_px % 2:
        raise argparse.ArgumentTypeError(f"{text!r} is not a size of two even numbers such as 1280x720")
    return width_px, height_px
