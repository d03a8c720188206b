"""The fields of stream entries, one at a time: short text, whole numbers, raw little-endian float32 arrays.

Every value is checked when it is read: each `read_` function raises MalformedMessage with the field's name.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from enum import StrEnum
from fractions import Fraction
from typing import TypeVar

import numpy as np

from posebus.arrays import Float32Array
from posebus.errors import MalformedMessage
from posebus.messages import CameraMotion
from posebus.square_pixels import SQUARE, is_plausible

RawFields = Mapping[bytes, bytes]
Choice = TypeVar("Choice", bound=StrEnum)

MAX_SIDE_PX = 65_535
MAX_NUMBER = 2**63 - 1
MAX_COORDINATE = 1_000_000.0
"""Boxes and joints may lie outside the picture, but not so far that arithmetic with them overflows."""
MAX_TEXT_BYTES = 1000
_WIRE_FLOAT = np.dtype("<f4")

NO_MOTION = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)
"""The matrix of a camera that has not moved since its shot began."""
MAX_SHOT = 2**53 - 1
MAX_FACTOR = 1_000.0
"""A shot ends before its picture has grown or shrunk this much, ..."""
MAX_SHIFT_PX = 1_000_000.0
"""... or moved this far: tracks of its first frame could not be carried over with any precision."""
LEAST_DETERMINANT = 1e-6
"""A matrix below maps the picture to nearly nothing, or mirrors it; no camera does that."""
_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?(e-?[0-9]+)?")
_MAX_NUMBER_LENGTH = 32


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


def motion_fields(motion: CameraMotion | None) -> dict[bytes | str, bytes | str | int | float]:
    """The field for `motion`, `camera_motion` as `SHOT A B C D E F CERTAINTY`; none where it was not estimated.

    A camera that has not moved since its shot began needs only `SHOT CERTAINTY`, and `SHOT` alone if that is certain.
    """
    if motion is None:
        return {}
    numbers = motion.matrix if motion.matrix != NO_MOTION else ()
    if not numbers and motion.certainty == 1.0:
        return {"camera_motion": str(motion.shot)}
    return {"camera_motion": " ".join((str(motion.shot), *map(_number_text, numbers), _number_text(motion.certainty)))}


def read_motion(raw: RawFields) -> CameraMotion | None:
    """The motion in `raw`, None without one. Raises MalformedMessage."""
    if b"camera_motion" not in raw:
        return None
    shot, *words = read_text(raw, b"camera_motion").split(" ")
    if len(words) not in (0, 1, 7) or not (shot.isdecimal() and shot.isascii() and len(shot) < _MAX_NUMBER_LENGTH):
        raise MalformedMessage("field camera_motion is not SHOT, SHOT CERTAINTY or SHOT A B C D E F CERTAINTY")
    if not all(len(word) <= _MAX_NUMBER_LENGTH and _NUMBER.fullmatch(word) for word in words):
        raise MalformedMessage("field camera_motion holds something else than numbers")
    numbers = [float(word) for word in words]
    certainty = numbers.pop() if numbers else 1.0
    a, b, c, d, e, f = numbers or NO_MOTION
    motion = CameraMotion(int(shot), (a, b, c, d, e, f), certainty)
    problem = problem_of(motion)
    if problem is not None:
        raise MalformedMessage(f"field camera_motion: {problem}")
    return motion


def problem_of(motion: CameraMotion) -> str | None:
    """Return what is wrong with numbers that no camera can have, as a clause; None if nothing is."""
    a, b, c, d, e, f = motion.matrix
    if not 0 <= motion.shot <= MAX_SHOT:
        return f"its shot is {motion.shot}, expected 0 to {MAX_SHOT}"
    if not 0.0 <= motion.certainty <= 1.0:
        return f"its certainty is {motion.certainty}, expected 0 to 1"
    if motion.matrix == NO_MOTION:
        return None
    if not (max(abs(a), abs(b), abs(d), abs(e)) <= MAX_FACTOR and max(abs(c), abs(f)) <= MAX_SHIFT_PX):
        return f"its matrix has a number that is not finite, or beyond {MAX_FACTOR:g} ({MAX_SHIFT_PX:g} for a shift)"
    if not all(map(math.isfinite, motion.matrix)):
        return "its matrix has a number that is not finite"
    if not a * e - b * d >= LEAST_DETERMINANT:
        return f"the determinant of its matrix is {a * e - b * d:g}, expected at least {LEAST_DETERMINANT:g}"
    return None


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


def _number_text(number: float) -> str:
    """The shortest text that is read as the same number."""
    return str(int(number)) if number == int(number) and abs(number) < 1e15 else repr(float(number)).replace("e+", "e")
