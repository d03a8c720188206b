"""The state of a stage as bytes: a JSON header, then raw arrays. Restoring it runs no code (no pickle)."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np

from posebus.contract.foreign_json import load_json
from posebus.errors import MalformedMessage

_MAGIC = b"PBS1"
MAX_HEADER_BYTES = 64_000_000
_ARRAY = "__array__"
_DTYPES = frozenset({"<f4", "<f8", "<i4", "<i8", "|b1", "|u1", "|i1"})


def pack_state(state: dict[str, Any]) -> bytes:
    """`state` as bytes: JSON values, and numpy arrays of plain number types anywhere in them."""
    chunks: list[bytes] = []
    header = json.dumps(_strip(state, chunks), separators=(",", ":"), allow_nan=True).encode()
    return b"".join([_MAGIC, len(header).to_bytes(8, "little"), header, *chunks])


def unpack_state(data: bytes) -> dict[str, Any]:
    """The inverse of `pack_state`. Raises MalformedMessage for bytes that are not a snapshot."""
    try:
        if data[:4] != _MAGIC:
            raise MalformedMessage("not a snapshot of this version")
        end = 12 + int.from_bytes(data[4:12], "little")
        state, rest = _fill(
            load_json(data[12:end], "the header of a snapshot", MAX_HEADER_BYTES), memoryview(data)[end:]
        )
    except (ValueError, KeyError, TypeError, OverflowError, RecursionError) as error:
        raise MalformedMessage(f"a damaged snapshot: {error}") from error
    if len(rest) or not isinstance(state, dict):
        raise MalformedMessage("a damaged snapshot: its length is wrong")
    return state


def _strip(value: Any, chunks: list[bytes]) -> Any:
    if isinstance(value, np.ndarray):
        little = np.ascontiguousarray(value, dtype=value.dtype.newbyteorder("<"))
        if little.dtype.str not in _DTYPES:
            raise TypeError(f"arrays of dtype {value.dtype} cannot be part of a snapshot")
        chunks.append(little.tobytes())
        return {_ARRAY: [little.dtype.str, list(value.shape)]}
    if isinstance(value, dict):
        return {str(key): _strip(item, chunks) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_strip(item, chunks) for item in value]
    if isinstance(value, np.generic):
        return value.item()
    return value


def _fill(value: Any, data: memoryview) -> tuple[Any, memoryview]:
    if isinstance(value, dict) and _ARRAY in value:
        name, shape = value[_ARRAY]
        if name not in _DTYPES:
            raise MalformedMessage(f"a damaged snapshot: dtype {name!r}")
        dtype = np.dtype(name)
        # Check before multiplying: a text times a large number would be a very long text.
        if not isinstance(shape, list) or not all(type(side) is int and 0 <= side < 2**40 for side in shape):
            raise MalformedMessage("a damaged snapshot: an array has an invalid shape")
        size = dtype.itemsize * math.prod(shape)
        if size > len(data):
            raise MalformedMessage("a damaged snapshot: an array is longer than the data")
        return np.frombuffer(data[:size], dtype=dtype).reshape(shape).copy(), data[size:]
    if isinstance(value, dict):
        filled = {}
        for key, item in value.items():
            filled[key], data = _fill(item, data)
        return filled, data
    if isinstance(value, list):
        items = []
        for item in value:
            filled_item, data = _fill(item, data)
            items.append(filled_item)
        return items, data
    return value, data
