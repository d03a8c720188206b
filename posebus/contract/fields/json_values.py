"""Single values of the public JSON messages: rounded when written, checked when read. Each reader raises ValueError."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import numpy as np

from posebus.arrays import Float32Array, UInt8Array

COORDINATE_DECIMALS = 2
SCORE_DECIMALS = 4
MAX_VISIBILITY = 2


def summary(error: Exception) -> str:
    """The kind and the beginning of an error's text."""
    return f"{type(error).__name__}: {str(error)[:200]}"


def text(value: Any) -> str:
    """`value` if it is text."""
    if not isinstance(value, str):
        raise ValueError("expected text")
    return value


def whole(value: Any) -> int:
    """`value` if it is a whole number of 64 bits."""
    if isinstance(value, bool) or not isinstance(value, int) or abs(value) >= 2**63:
        raise ValueError("expected a whole number of 64 bits")
    return value


def rounded(array: Float32Array, decimals: int) -> list[Any]:
    """The numbers of an array, nested as in it."""
    # As float64, because a rounded float32 would print as 12.3400001…
    values: list[Any] = np.round(array.astype(np.float64), decimals).tolist()
    return values


def rounded_keypoints(keypoints_px: Float32Array) -> list[Any]:
    """Rows of x, y, confidence, each with its own decimals."""
    wide = keypoints_px.astype(np.float64)
    wide[:, :2] = np.round(wide[:, :2], COORDINATE_DECIMALS)
    wide[:, 2] = np.round(wide[:, 2], SCORE_DECIMALS)
    rows: list[Any] = wide.tolist()
    return rows


def floats(values: Any, shape: tuple[int, ...]) -> Float32Array:
    """An array of finite numbers of this shape."""
    with np.errstate(over="ignore"):  # numbers beyond float32 become infinite, which is refused below
        array = np.array(values, dtype=np.float32)
    if array.size == 0 and 0 in shape:
        array = array.reshape(shape)
    if array.shape != shape or not np.isfinite(array).all():
        raise ValueError(f"expected finite numbers of shape {shape}")
    return array


def flags(values: Any, keypoints: Any) -> UInt8Array | None:
    """A flag for each of the keypoints; None where there are none."""
    if values is None:
        return None
    found = [int(value) for value in values]
    if found != values or not all(0 <= one <= MAX_VISIBILITY for one in found) or len(found) != len(keypoints):
        raise ValueError(f"expected a flag from 0 to {MAX_VISIBILITY} for each keypoint")
    return np.array(found, dtype=np.uint8)


def flag(value: Any) -> bool:
    """`value` if it is true or false."""
    if not isinstance(value, bool):
        raise ValueError("expected true or false")
    return value


def share(value: Any) -> float:
    """`value` as a number from 0 to 1. Raises TypeError or ValueError for another one."""
    number = float(value)
    if not 0.0 <= number <= 1.0:
        raise ValueError("expected a number from 0 to 1")
    return number


def row(value: Any) -> int | None:
    """A row number from 0, or None."""
    if value is None:
        return None
    number = int(value)
    if number != value or number < 0:
        raise ValueError("expected a whole number from 0")
    return number


def rfc3339(time_ns: int) -> str:
    """A time (Unix ns) in UTC, in microseconds."""
    seconds, nanoseconds = divmod(time_ns, 1_000_000_000)
    moment = datetime.fromtimestamp(seconds, tz=UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{nanoseconds // 1000:06d}Z"
