from __future__ import annotations

import threading

import pytest

from ingest.reading.handoff import LIVE_CAPACITY, LOSSLESS_CAPACITY, Handoff
from posebus.errors import SourceUnavailable


def test_newest_items_replace_the_oldest_and_replacements_are_counted() -> None:
    handoff: Handoff[int] = Handoff(freshest_wins=True)
    for item in range(LIVE_CAPACITY + 5):
        assert handoff.put(item, 0.0)
    assert [handoff.take(0.0) for _ in range(LIVE_CAPACITY)] == list(range(5, LIVE_CAPACITY + 5))
    assert handoff.replaced == 5
    assert handoff.take(0.0) is None


def test_a_full_lossless_queue_makes_the_writer_wait() -> None:
    handoff: Handoff[int] = Handoff(freshest_wins=False)
    for item in range(LOSSLESS_CAPACITY):
        assert handoff.put(item, 0.0)
    assert not handoff.put(99, 0.01)
    assert handoff.take(0.0) == 0
    assert handoff.put(99, 0.0)
    assert handoff.replaced == 0


def test_all_items_pass_between_two_threads_in_order() -> None:
    handoff: Handoff[int] = Handoff(freshest_wins=False)

    def write() -> None:
        for item in range(500):
            while not handoff.put(item, 1.0):
                pass
        handoff.finish()

    thread = threading.Thread(target=write)
    thread.start()
    taken = []
    while not handoff.finished:
        item = handoff.take(1.0)
        if item is not None:
            taken.append(item)
    thread.join()
    assert taken == list(range(500))


def test_error_of_the_writer_comes_after_its_last_item() -> None:
    handoff: Handoff[int] = Handoff(freshest_wins=True)
    handoff.put(1, 0.0)
    handoff.finish(SourceUnavailable("gone"))
    assert handoff.take(0.0) == 1
    with pytest.raises(SourceUnavailable, match="gone"):
        handoff.take(0.0)


def test_after_the_last_item_a_regular_end_is_finished() -> None:
    handoff: Handoff[int] = Handoff(freshest_wins=False)
    handoff.put(1, 0.0)
    handoff.finish()
    assert not handoff.finished
    assert handoff.take(0.0) == 1
    assert handoff.finished
    assert handoff.take(0.0) is None
