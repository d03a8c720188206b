"""Batches by size, deadline, shape and age."""

from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from workers.inference.batching import BatchFormer, Waiting


def add(former: BatchFormer[str], item: str, shape: int, since_s: float, expires_at_s: float = math.inf) -> None:
    former.add(Waiting(item, shape, since_s, expires_at_s))


def batches(former: BatchFormer[str], now_s: float, *, idle: bool = False) -> list[list[str]]:
    """Return all batches that are ready."""
    return list(iter(lambda: former.pop(now_s, idle=idle), []))


def test_batches_of_one_are_ready_at_once_and_in_order() -> None:
    former: BatchFormer[str] = BatchFormer(1)
    add(former, "a", 1, 0.0)
    add(former, "b", 2, 0.0)
    add(former, "c", 1, 0.001)
    assert batches(former, 0.001) == [["a"], ["b"], ["c"]]
    assert len(former) == 0


def test_full_batch_is_ready_and_the_rest_waits_for_its_deadline() -> None:
    former: BatchFormer[str] = BatchFormer(2, max_wait_s=0.01)
    for name, shape in (("a", 1), ("b", 2), ("c", 1), ("d", 1)):
        add(former, name, shape, 0.0)
    assert batches(former, 0.005) == [["a", "c"]]
    assert len(former) == 2
    assert former.due_s() == 0.01
    assert batches(former, 0.009) == []
    assert sorted(batches(former, 0.010)) == [["b"], ["d"]]
    assert former.due_s() == math.inf


def test_batch_is_ready_at_once_for_an_idle_engine() -> None:
    former: BatchFormer[str] = BatchFormer(4, max_wait_s=10.0)
    add(former, "a", 1, 0.0)
    add(former, "b", 1, 0.001)
    assert former.pop(0.001, idle=True) == ["a", "b"]


def test_item_past_its_deadline_shares_its_batch_with_newer_ones_of_its_shape() -> None:
    former: BatchFormer[str] = BatchFormer(4, max_wait_s=0.01)
    add(former, "old", 1, 0.0)
    add(former, "fresh", 1, 0.009)
    assert batches(former, 0.010) == [["old", "fresh"]]


def test_oldest_item_goes_first_even_if_another_batch_is_full() -> None:
    former: BatchFormer[str] = BatchFormer(2, max_wait_s=0.01)
    add(former, "lonely", 2, 0.0)
    add(former, "x", 1, 0.002)
    add(former, "y", 1, 0.003)
    assert batches(former, 0.012) == [["lonely"], ["x", "y"]]


def test_expired_items_are_returned_and_not_batched() -> None:
    former: BatchFormer[str] = BatchFormer(2, max_wait_s=0.01)
    add(former, "stale", 1, 0.0, expires_at_s=0.5)
    add(former, "fresh", 1, 0.1, expires_at_s=0.7)
    add(former, "recording", 2, 0.0)
    assert former.pop_expired(0.5) == []
    assert former.pop_expired(0.6) == ["stale"]
    assert len(former) == 2
    assert sorted(batches(former, 0.6)) == [["fresh"], ["recording"]]
    assert former.pop_expired(9.0) == []


@given(
    batch=st.integers(1, 4),
    arrivals=st.lists(st.tuples(st.floats(0, 0.05), st.integers(0, 2)), max_size=30).map(sorted),
)
def test_no_item_is_lost_and_none_waits_past_its_deadline(batch: int, arrivals: list[tuple[float, int]]) -> None:
    former: BatchFormer[str] = BatchFormer(batch, max_wait_s=0.01)
    popped: list[str] = []
    for number, (since_s, shape) in enumerate(arrivals):
        add(former, f"{shape}:{number}", shape, since_s)
        for batched in batches(former, since_s):
            assert 0 < len(batched) <= batch
            assert len({item[0] for item in batched}) == 1
            popped += batched
        assert former.due_s() > since_s
    popped += [item for batched in batches(former, math.inf) for item in batched]
    assert sorted(popped) == sorted(f"{shape}:{number}" for number, (_, shape) in enumerate(arrivals))
