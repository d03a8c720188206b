"""The room of a pipeline: what is free, and waiting until half of it is."""

from __future__ import annotations

import threading

import pytest

from workers.inference.room import MAX_WAITING_RESULTS, Room


def test_inputs_take_room_until_they_leave() -> None:
    room = Room(capacity=4, waiting_results=lambda: 0)
    room.enter(3)
    assert (room.inside, room.free) == (3, 1)
    room.leave(2)
    assert (room.inside, room.free) == (1, 3)


def test_frame_of_many_inputs_exceeds_the_capacity_and_nothing_is_free() -> None:
    room = Room(capacity=2, waiting_results=lambda: 0)
    room.enter(64)
    assert room.free == 0
    room.leave(64)
    assert room.free == 2


@pytest.mark.parametrize(("waiting", "free"), [(MAX_WAITING_RESULTS - 1, 4), (MAX_WAITING_RESULTS, 0)])
def test_nothing_is_free_while_too_many_results_wait(waiting: int, free: int) -> None:
    assert Room(capacity=4, waiting_results=lambda: waiting).free == free


@pytest.mark.parametrize(("capacity", "inside", "enough"), [(4, 2, True), (4, 3, False), (1, 0, True), (1, 1, False)])
def test_waiting_for_room_needs_half_of_the_capacity(capacity: int, inside: int, enough: bool) -> None:
    room = Room(capacity, waiting_results=lambda: 0)
    room.enter(inside)
    assert room.wait_until_half_free(timeout_s=0.0) == enough


def test_input_that_leaves_wakes_the_waiting_thread() -> None:
    room = Room(capacity=1, waiting_results=lambda: 0)
    room.enter(1)
    threading.Timer(0.02, room.leave, [1]).start()
    assert room.wait_until_half_free(timeout_s=60.0)
