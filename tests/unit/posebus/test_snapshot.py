"""A packed state is restored exactly, and other bytes are refused."""

from __future__ import annotations

import contextlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from posebus.contract.snapshot import pack_state, unpack_state
from posebus.errors import MalformedMessage

dtypes = st.sampled_from([np.float32, np.float64, np.int32, np.int64, np.bool_, np.uint8])
leaves = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**53), 2**53),
    st.floats(allow_nan=False),
    st.text(),
    dtypes.flatmap(lambda dtype: arrays.arrays(dtype, arrays.array_shapes(min_dims=0, min_side=0, max_side=4))),
)
states = st.dictionaries(
    st.text(max_size=8).filter(lambda key: key != "__array__"),
    st.recursive(
        leaves, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner), max_leaves=8
    ),
)


def same(one: object, other: object) -> bool:
    if isinstance(one, np.ndarray):
        return (
            isinstance(other, np.ndarray)
            and one.dtype == other.dtype
            and one.shape == other.shape
            and (one.tobytes() == other.tobytes())
        )
    if isinstance(one, dict):
        return isinstance(other, dict) and one.keys() == other.keys() and all(same(one[k], other[k]) for k in one)
    if isinstance(one, list):
        return isinstance(other, list) and len(one) == len(other) and all(map(same, one, other))
    return one == other and type(one) is type(other)


@given(states)
def test_unpacked_state_equals_the_packed_one_bit_for_bit(state: dict[str, object]) -> None:
    assert same(state, unpack_state(pack_state(state)))


@given(st.binary())
def test_random_bytes_are_refused(data: bytes) -> None:
    with pytest.raises(MalformedMessage):
        unpack_state(data)


@given(st.integers(0, 200), st.binary(max_size=4))
def test_damaged_snapshot_is_refused_or_unpacked(position: int, patch: bytes) -> None:
    good = pack_state({"a": np.arange(6.0).reshape(2, 3), "b": [1, {"c": np.zeros(2, np.int64)}]})
    bad = good[:position] + patch + good[position + len(patch) + 1 :]
    with contextlib.suppress(MalformedMessage):
        assert isinstance(unpack_state(bad), dict)


def test_array_of_objects_is_refused() -> None:
    with pytest.raises(TypeError, match="dtype object"):
        pack_state({"a": np.array([object()])})


@pytest.mark.parametrize(
    "shape", ['["x", 1, 4611686018427387904]', "[4611686018427387904, 4]", "[-1]", '"ab"', "[true]"]
)
def test_invalid_shape_is_refused_before_it_is_multiplied(shape: str) -> None:
    header = f'{{"a": {{"__array__": ["|b1", {shape}]}}}}'.encode()
    with pytest.raises(MalformedMessage, match="damaged snapshot"):
        unpack_state(b"PBS1" + len(header).to_bytes(8, "little") + header + bytes(16))
