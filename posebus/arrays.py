"""Names for the array types of the code base, so that a name means the same dtype in every file; and their checks."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Float32Array = npt.NDArray[np.float32]
Float64Array = npt.NDArray[np.float64]
FloatingArray = npt.NDArray[np.floating[Any]]
"""Any floating-point precision, for functions whose results have the precision of their arguments."""
BoolArray = npt.NDArray[np.bool_]
Int64Array = npt.NDArray[np.int64]
IndexArray = npt.NDArray[np.intp]
UInt8Array = npt.NDArray[np.uint8]

_REAL = "fiu"
"""Kinds of dtypes that convert to float32: floating point and whole numbers."""


def check_array(name: str, array: object, shape: tuple[int | None, ...]) -> None:
    """Raise ValueError unless `array` is a numpy array of real numbers with this shape; None stands for any length.

    `name` is the argument or field that the error is about.
    """
    if not isinstance(array, np.ndarray):
        raise ValueError(f"{name} is of the type {type(array).__name__}, expected a numpy array {_shown(shape)}")
    if array.dtype.kind not in _REAL:
        raise ValueError(f"{name} has the dtype {array.dtype}, expected float32")
    found = array.shape
    fits = len(found) == len(shape)
    if fits:
        for length, expected in zip(found, shape):  # noqa: B905 - checking the equal lengths again would take as long
            if length != expected and expected is not None:
                fits = False
    if not fits:
        raise ValueError(f"{name} has the shape {found}, expected {_shown(shape)}")


def check_boxes(name: str, boxes: object) -> None:
    """Raise ValueError unless `boxes` is a numpy array of real numbers (..., 4); `name` is the argument it is for."""
    if not isinstance(boxes, np.ndarray) or boxes.dtype.kind not in _REAL or boxes.shape[-1:] != (4,):
        check_array(name, boxes, (None, 4))


def _shown(shape: tuple[int | None, ...]) -> str:
    """`shape` as it is written in documentation: (1, *, 3), (5,)."""
    lengths = ["*" if length is None else str(length) for length in shape]
    return f"({', '.join(lengths)}{',' if len(lengths) == 1 else ''})"
