"""Fair reading and batches by size, shape and age."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from workers.batching import BatchFormer, ReadPlan

CAMERAS = [f"cam{n}" for n in range(10)]


def test_few_cameras_share_the_free_slots() -> None:
    assert list(ReadPlan().rounds(["a", "b"], lambda: 5)) == [(["a", "b"], 2)]


def test_one_camera_gets_a_few_frames_at_most() -> None:
    assert list(ReadPlan(max_per_camera=4).rounds(["a"], lambda: 100)) == [(["a"], 4)]


def test_no_room_and_no_cameras_read_nothing() -> None:
    assert list(ReadPlan().rounds(CAMERAS, lambda: 0)) == []
    assert list(ReadPlan().rounds([], lambda: 4)) == []


def test_the_next_turn_goes_on_where_the_last_one_ran_out_of_room() -> None:
    plan, free = ReadPlan(), [4]
    seen = []
    for cameras, count in plan.rounds(CAMERAS, lambda: free[0]):
        seen.append(cameras)
        free[0] -= len(cameras) * count
    assert seen == [CAMERAS[:4]]
    assert next(plan.rounds(CAMERAS, lambda: 4)) == (CAMERAS[4:8], 1)


def test_quiet_cameras_are_passed_over_in_one_turn() -> None:
    reads = list(ReadPlan().rounds(CAMERAS, lambda: 4))
    assert [camera for cameras, _ in reads for camera in cameras] == CAMERAS


def test_cameras_may_disappear_between_turns() -> None:
    plan = ReadPlan()
    next(plan.rounds(CAMERAS, lambda: 9))
    assert next(plan.rounds(["a", "b"], lambda: 1)) in ((["a"], 1), (["b"], 1))


@given(slots=st.integers(1, 32), count=st.integers(1, 20))
def test_no_read_exceeds_the_free_slots(slots: int, count: int) -> None:
    for cameras, frames in ReadPlan().rounds([str(n) for n in range(count)], lambda: slots):
        assert 0 < len(cameras) * frames <= slots


def test_busy_and_quiet_cameras_get_the_same_number_of_chances() -> None:
    plan, chances = ReadPlan(), Counter[str]()
    for _ in range(100):
        cameras, _ = next(plan.rounds(CAMERAS, lambda: 3))
        chances.update(cameras)
    assert max(chances.values()) - min(chances.values()) <= 1


def items(former: BatchFormer[str], now_s: float) -> list[tuple[str, ...]]:
    """What is ready, as plain tuples."""
    return [batch.items for batch in former.pop_ready(now_s)]


def test_a_batch_of_one_is_ready_at_once_and_in_order() -> None:
    former: BatchFormer[str] = BatchFormer(1)
    former.add("a", (640, 480), 0.0)
    former.add("b", (640, 384), 0.0)
    former.add("c", (640, 480), 0.001)
    assert items(former, 0.001) == [("a",), ("b",), ("c",)]
    assert len(former) == 0


def test_full_batches_go_and_the_rest_waits_for_its_deadline() -> None:
    former: BatchFormer[str] = BatchFormer(2, max_wait_s=0.01)
    for name, shape in (("a", 1), ("b", 2), ("c", 1), ("d", 1)):
        former.add(name, shape, 0.0)
    assert items(former, 0.005) == [("a", "c")]
    assert len(former) == 2
    assert items(former, 0.009) == []
    assert items(former, 0.010) == [("b",), ("d",)]


def test_a_late_item_takes_the_fresh_ones_of_its_shape_along() -> None:
    former: BatchFormer[str] = BatchFormer(4, max_wait_s=0.01)
    former.add("old", 1, 0.0)
    former.add("fresh", 1, 0.009)
    assert items(former, 0.010) == [("old", "fresh")]


def test_flush_leaves_nothing() -> None:
    former: BatchFormer[str] = BatchFormer(2, max_wait_s=10.0)
    for number in range(5):
        former.add(str(number), number % 2, float(number))
    assert sorted(item for batch in former.flush() for item in batch.items) == ["0", "1", "2", "3", "4"]
    assert len(former) == 0
    assert former.flush() == []
