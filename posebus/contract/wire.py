"""The fields of stream entries, one at a time: short text, whole numbers, raw little-endian float32 arrays.

Every value is checked when it is read: each `read_` function raises MalformedMessage with the field's name.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from enum import StrEnum
from fractions import Fraction
from typing import TypeVar

import numpy as np

from posebus.arrays import Float32Array
from posebus.errors import MalformedMessage
from posebus.square_pixels import SQUARE, is_plausible

RawFields = Mapping[bytes, bytes]
Choice = TypeVar("Choice", bound=StrEnum)

MAX_SIDE_PX = 65_535
MAX_NUMBER = 2**63 - 1
MAX_COORDINATE = 1_000_000.0
"""Boxes and joints may lie outside the picture, but not so far that arithmetic with them overflows."""
MAX_TEXT_BYTES = 1000
_WIRE_FLOAT = np.dtype("<f4")


def array_bytes(array: Float32Array) -> bytes:
    """`array` as raw little-endian float32, in C order."""
    return np.ascontiguousarray(array, dtype=_WIRE_FLOAT).tobytes()


def read_array(raw: RawFields, name: bytes, shape: tuple[int, ...]) -> Float32Array:
    """The float32 array of `shape` in a field."""
    data = read_bytes(raw, name)
    expected = _WIRE_FLOAT.itemsize * math.prod(shape)
    if len(data) != expected:
        raise MalformedMessage(f"field {name.decode()} has {len(data)} bytes, shape {shape} needs {expected}")
    array = np.frombuffer(data, dtype=_WIRE_FLOAT).reshape(shape).astype(np.float32)
    if not (np.abs(array) <= MAX_COORDINATE).all():  # NaN fails this comparison, too
        raise MalformedMessage(f"field {name.decode()} holds a number that is not finite, or beyond {MAX_COORDINATE:g}")
    return array


def read_bytes(raw: RawFields, name: bytes) -> bytes:
    """The bytes of a field."""
    try:
        return raw[name]
    except KeyError:
        raise MalformedMessage(f"field {name.decode()} is missing") from None


def read_text(raw: RawFields, name: bytes) -> str:
    """A field of UTF-8 text."""
    text = read_bytes(raw, name)
    if len(text) > MAX_TEXT_BYTES:
        raise MalformedMessage(f"field {name.decode()} is longer than {MAX_TEXT_BYTES} bytes")
    try:
        return text.decode()
    except UnicodeDecodeError:
        raise MalformedMessage(f"field {name.decode()} is not UTF-8 text") from None


def read_int(raw: RawFields, name: bytes, most: int = MAX_NUMBER) -> int:
    """A field that holds a whole number from 0 to `most`."""
    text = read_bytes(raw, name)
    if len(text) > 20 or not text.isdigit() or int(text) > most:
        raise MalformedMessage(f"field {name.decode()} is {text[:40]!r}, expected a whole number from 0 to {most}")
    return int(text)


def read_choice(raw: RawFields, name: bytes, enum: type[Choice]) -> Choice:
    """A field that holds a member of `enum`."""
    text = read_text(raw, name)
    try:
        return enum(text)
    except ValueError:
        allowed = ", ".join(item.value for item in enum)
        raise MalformedMessage(f"field {name.decode()} is {text[:40]!r}, expected one of {allowed}") from None


def aspect_fields(pixel_aspect: Fraction) -> dict[bytes | str, bytes | str | int | float]:
    """The field for a pixel aspect ratio, `pixel_aspect` as 8/3; none for square pixels."""
    return {} if pixel_aspect == SQUARE else {"pixel_aspect": f"{pixel_aspect.numerator}/{pixel_aspect.denominator}"}


def read_aspect(raw: RawFields) -> Fraction:
    """The pixel aspect ratio in `raw`, 1 without one."""
    if b"pixel_aspect" not in raw:
        return SQUARE
    width, slash, height = read_text(raw, b"pixel_aspect").partition("/")
    if slash and width.isdecimal() and height.isdecimal() and max(len(width), len(height)) < 10 and int(height):
        aspect = Fraction(int(width), int(height))
        if is_plausible(aspect):
            return aspect
    raise MalformedMessage("field pixel_aspect is no plausible WIDTH/HEIGHT")


def size_text(size_px: tuple[int, int]) -> str:
    """The field for a (width, height) in pixels: `640x480`."""
    return f"{size_px[0]}x{size_px[1]}"


def read_size(raw: RawFields, name: bytes) -> tuple[int, int]:
    """A field that holds a (width, height) in pixels."""
    width, cross, height = read_text(raw, name).partition("x")
    if not (cross and width.isdecimal() and height.isdecimal() and len(width) < 6 and len(height) < 6):
        raise MalformedMessage(f"field {name.decode()} is not WIDTHxHEIGHT")
    size = int(width), int(height)
    if not (0 < size[0] <= MAX_SIDE_PX and 0 < size[1] <= MAX_SIDE_PX):
        raise MalformedMessage(f"field {name.decode()} is {size[0]}x{size[1]}, sides must be 1 to {MAX_SIDE_PX}")
    return size
