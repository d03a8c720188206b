"""The round robin over cameras: which to read next and how many frames of each."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from workers.intake.round_robin import ReadPlan

CAMERAS = [f"cam{n}" for n in range(10)]


def test_cameras_share_the_free_slots() -> None:
    assert list(ReadPlan().rounds(["a", "b"], lambda: 5)) == [(["a", "b"], 2)]


def test_one_camera_gets_at_most_max_per_camera_frames() -> None:
    assert list(ReadPlan(max_per_camera=4).rounds(["a"], lambda: 100)) == [(["a"], 4)]


def test_nothing_is_read_without_free_slots_or_cameras() -> None:
    assert list(ReadPlan().rounds(CAMERAS, lambda: 0)) == []
    assert list(ReadPlan().rounds([], lambda: 4)) == []


def test_next_turn_starts_where_the_last_one_ran_out_of_slots() -> None:
    plan, free = ReadPlan(), [4]
    seen = []
    for cameras, count in plan.rounds(CAMERAS, lambda: free[0]):
        seen.append(cameras)
        free[0] -= len(cameras) * count
    assert seen == [CAMERAS[:4]]
    assert next(plan.rounds(CAMERAS, lambda: 4)) == (CAMERAS[4:8], 1)


def test_one_turn_reads_all_cameras_while_they_are_quiet() -> None:
    reads = list(ReadPlan().rounds(CAMERAS, lambda: 4))
    assert [camera for cameras, _ in reads for camera in cameras] == CAMERAS


def test_each_read_asks_twice_as_many_cameras_while_they_are_quiet() -> None:
    thousand = [str(number) for number in range(1000)]
    reads = list(ReadPlan().rounds(thousand, lambda: 4))
    assert [len(cameras) for cameras, _ in reads] == [4, 8, 16, 32, 64, 128, 256, 492]
    assert all(count == 1 for _, count in reads)
    free = iter([4, 4, 3, 3, 0])
    busy = [len(cameras) for cameras, _ in ReadPlan().rounds(thousand, lambda: next(free))]
    assert busy == [4, 8, 3, 6]


def test_cameras_may_disappear_between_turns() -> None:
    plan = ReadPlan()
    next(plan.rounds(CAMERAS, lambda: 9))
    assert next(plan.rounds(["a", "b"], lambda: 1)) in ((["a"], 1), (["b"], 1))


@given(slots=st.integers(1, 32), count=st.integers(1, 20))
def test_first_read_does_not_exceed_the_free_slots(slots: int, count: int) -> None:
    cameras, frames = next(ReadPlan().rounds([str(n) for n in range(count)], lambda: slots))
    assert 0 < len(cameras) * frames <= slots


def test_all_cameras_are_read_equally_often() -> None:
    plan, reads = ReadPlan(), Counter[str]()
    for _ in range(100):
        cameras, _ = next(plan.rounds(CAMERAS, lambda: 3))
        reads.update(cameras)
    assert max(reads.values()) - min(reads.values()) <= 1
