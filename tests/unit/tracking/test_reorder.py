from __future__ import annotations

import json
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from posebus.messages import Delivery, EndOfStream, PoseFrame, Skipped
from tracking.ordering.reorder import Gap, ReorderBuffer, StreamItem

NO_BOXES = np.zeros((0, 4), np.float32)
NO_SCORES = np.zeros(0, np.float32)
WAIT_S = 1.0


def frame(seq: int, epoch: int = 1) -> PoseFrame:
    return PoseFrame("yard", epoch, seq, seq, (640, 480), NO_BOXES, NO_SCORES, None)


def skipped(seq: int, epoch: int = 1) -> Skipped:
    return Skipped("yard", epoch, seq, seq, Delivery.LIVE, "overflow")


def end(seq: int, epoch: int = 1) -> EndOfStream:
    return EndOfStream("yard", epoch, seq, seq, Delivery.LOSSLESS)


def name(item: StreamItem | Gap) -> str:
    """`1:5` for a frame, `1:5s` skipped, `1:5.` end, `1:5-7` a gap."""
    if isinstance(item, Gap):
        return f"{item.epoch}:{item.first_seq}-{item.last_seq}"
    return f"{item.epoch}:{item.seq}" + {PoseFrame: "", Skipped: "s", EndOfStream: "."}[type(item)]


def feed(buffer: ReorderBuffer, items: Sequence[StreamItem], now_s: float = 0.0) -> list[str]:
    out = []
    for item in items:
        buffer.push(item, now_s)
        out += buffer.pop_ready(now_s)
    return [name(item) for item in out]


def source(draw: st.DrawFn, epochs: int) -> list[StreamItem]:
    """A whole source: frames, some of them skipped, and the end, epoch after epoch."""
    items: list[StreamItem] = []
    for epoch in range(1, epochs + 1):
        count = draw(st.integers(0 if epoch > 1 else 1, 12))
        items += [skipped(i, epoch) if draw(st.booleans()) else frame(i, epoch) for i in range(count)]
        items.append(end(count, epoch))
    return items


@st.composite
def shuffled(draw: st.DrawFn) -> tuple[list[StreamItem], list[StreamItem]]:
    """A source of one epoch, and what arrives: everything at least once, in any order."""
    items = source(draw, 1)
    return items, list(draw(st.permutations(items + draw(st.lists(st.sampled_from(items), max_size=8)))))


@given(shuffled())
def test_any_order_with_duplicates_comes_out_in_order_exactly_once(
    case: tuple[list[StreamItem], list[StreamItem]],
) -> None:
    items, arrivals = case
    buffer = ReorderBuffer(None)
    assert feed(buffer, arrivals) == [name(item) for item in items]
    assert len(buffer) == 0
    assert buffer.duplicates + buffer.late == len(arrivals) - len(items)


@given(shuffled(), st.data())
def test_successor_continues_from_the_position(
    case: tuple[list[StreamItem], list[StreamItem]], data: st.DataObject
) -> None:
    """Killed after any arrival: items that had not come out are delivered again; each comes out once in all."""
    items, arrivals = case
    cut = data.draw(st.integers(0, len(arrivals)))
    first = ReorderBuffer(None)
    out = feed(first, arrivals[:cut])
    successor = ReorderBuffer(None)
    successor.load_state(json.loads(json.dumps(first.state_dict())))
    again = data.draw(st.permutations(arrivals))
    assert out + feed(successor, again) == [name(item) for item in items]


@given(st.data())
def test_epochs_come_out_one_after_the_other(data: st.DataObject) -> None:
    """Workers overtake each other by a few frames, also across the border of two epochs."""
    items = source(data.draw, 4)
    arrivals = sorted(enumerate(items), key=lambda pair: pair[0] + data.draw(st.integers(0, 6)))
    buffer = ReorderBuffer(None)
    out = feed(buffer, [item for _, item in arrivals if item.epoch == 1])
    out += feed(buffer, [item for _, item in arrivals if item.epoch > 1], 0.0)
    for later_s in range(60, 601, 60):
        out += [name(item) for item in buffer.pop_ready(later_s)]
    frames = [entry for entry in out if not entry.endswith(".") and "-" not in entry]
    assert frames == [entry for entry in (name(item) for item in items) if not entry.endswith(".")]


@given(st.data())
def test_live_delay_is_bounded_and_every_lost_frame_is_inside_a_gap(data: st.DataObject) -> None:
    """With any losses, order and times, over several epochs: each accepted item comes out, in order, at most max_wait_s
    after it arrived, and every seq below the last one out is accounted for, as an item or inside a gap."""
    items = source(data.draw, 2)
    kept = [item for item in items if data.draw(st.integers(0, 3)) > 0]
    arrivals = data.draw(st.permutations(kept))
    buffer = ReorderBuffer(WAIT_S)
    now_s = 0.0
    arrived_s: dict[str, float] = {}
    left: list[StreamItem | Gap] = []

    def pop(at_s: float) -> None:
        for item in buffer.pop_ready(at_s):
            if not isinstance(item, Gap):
                assert at_s <= arrived_s.pop(name(item)) + WAIT_S + 1e-9
            left.append(item)

    for item in arrivals:
        if buffer.push(item, now_s):
            arrived_s[name(item)] = now_s
        pop(now_s)
        later_s = now_s + data.draw(st.sampled_from([0.0, 0.1, 0.4, 0.7]))
        while arrived_s and (deadline_s := min(arrived_s.values()) + WAIT_S) <= later_s:
            pop(deadline_s)
        now_s = later_s
    while arrived_s:
        pop(max(now_s, min(arrived_s.values()) + WAIT_S))
    assert not arrived_s
    assert len(buffer) == 0
    position = (0, 0)
    for item in left:
        first = item.first_seq if isinstance(item, Gap) else item.seq
        if item.epoch > position[0]:
            position = (item.epoch, 0)
        assert (item.epoch, first) == position or (isinstance(item, EndOfStream) and first <= position[1])
        if not isinstance(item, EndOfStream):
            position = (item.epoch, 1 + (item.last_seq if isinstance(item, Gap) else item.seq))


def test_push_returns_false_for_duplicates_and_late_items() -> None:
    buffer = ReorderBuffer(None)
    assert buffer.push(frame(1), 0.0)
    assert not buffer.push(frame(1), 0.0)
    assert not buffer.push(skipped(1), 0.0)
    assert buffer.push(frame(0), 0.0)
    assert len(buffer.pop_ready(0.0)) == 2
    assert not buffer.push(frame(0), 0.0)
    assert buffer.push(end(9), 0.0)
    assert not buffer.push(end(9), 0.0)
    assert not buffer.push(frame(7, epoch=0), 0.0)
    assert (buffer.duplicates, buffer.late) == (3, 2)


def test_lossless_source_is_waited_for_without_limit() -> None:
    buffer = ReorderBuffer(None)
    assert feed(buffer, [frame(0), frame(2), frame(3), end(4)]) == ["1:0"]
    assert buffer.pop_ready(1e9) == []
    assert feed(buffer, [frame(1)], 1e9) == ["1:1", "1:2", "1:3", "1:4."]


def test_live_source_is_given_up_after_max_wait() -> None:
    buffer = ReorderBuffer(WAIT_S)
    assert feed(buffer, [frame(0)], 0.0) == ["1:0"]
    assert feed(buffer, [frame(3)], 5.0) == []
    assert feed(buffer, [frame(6)], 5.5) == []
    assert buffer.pop_ready(5.99) == []
    assert [name(item) for item in buffer.pop_ready(6.0)] == ["1:1-2", "1:3"]
    assert not buffer.push(frame(2), 6.1)
    assert buffer.late == 1
    assert feed(buffer, [frame(4)], 6.2) == ["1:4"]
    assert [name(item) for item in buffer.pop_ready(6.5)] == ["1:5-5", "1:6"]


def test_live_buffer_joins_in_the_middle_of_an_epoch() -> None:
    buffer = ReorderBuffer(WAIT_S)
    assert feed(buffer, [frame(501, 7), frame(500, 7)], 0.0) == []
    assert [name(item) for item in buffer.pop_ready(1.0)] == ["7:0-499", "7:500", "7:501"]


def test_live_epoch_with_missing_frames_ends_after_max_wait() -> None:
    buffer = ReorderBuffer(WAIT_S)
    assert feed(buffer, [frame(0), end(3)], 0.0) == ["1:0"]
    assert [name(item) for item in buffer.pop_ready(1.0)] == ["1:1-2", "1:3."]


def test_live_source_that_restarted_without_an_end_continues_in_the_new_epoch() -> None:
    buffer = ReorderBuffer(WAIT_S)
    assert feed(buffer, [frame(0), frame(2), frame(0, 2), frame(1, 2)], 0.0) == ["1:0"]
    assert [name(item) for item in buffer.pop_ready(1.0)] == ["1:1-1", "1:2", "2:0", "2:1"]


def test_lossless_source_that_restarted_without_an_end_is_waited_for_orphan_wait_s() -> None:
    buffer = ReorderBuffer(None, orphan_wait_s=30.0)
    assert feed(buffer, [frame(0), frame(0, 2)], 0.0) == ["1:0"]
    assert feed(buffer, [frame(1)], 20.0) == ["1:1"]
    assert buffer.pop_ready(49.0) == []
    assert [name(item) for item in buffer.pop_ready(50.0)] == ["2:0"]


def test_lossless_epoch_with_waiting_items_is_never_given_up() -> None:
    buffer = ReorderBuffer(None, orphan_wait_s=30.0)
    assert feed(buffer, [frame(0), frame(2), frame(0, 2)], 0.0) == ["1:0"]
    assert buffer.pop_ready(1e6) == []
    assert feed(buffer, [frame(1), end(3)], 1e6) == ["1:1", "1:2", "1:3.", "2:0"]


def test_missing_epoch_number_is_passed_after_orphan_wait_s() -> None:
    buffer = ReorderBuffer(None, orphan_wait_s=30.0)
    assert feed(buffer, [frame(0), end(1), frame(0, 3)], 0.0) == ["1:0", "1:1."]
    assert buffer.pop_ready(29.9) == []
    assert [name(item) for item in buffer.pop_ready(30.0)] == ["3:0"]


def test_buffer_without_state_joins_a_lossless_stream_after_orphan_wait_s() -> None:
    buffer = ReorderBuffer(None, orphan_wait_s=30.0)
    assert feed(buffer, [frame(41), frame(40)], 0.0) == []
    assert [name(item) for item in buffer.pop_ready(30.0)] == ["1:0-39", "1:40", "1:41"]


def test_empty_epoch_ends_at_once() -> None:
    assert feed(ReorderBuffer(None), [end(0), frame(0, 2)]) == ["1:0.", "2:0"]


def test_end_mark_below_waiting_frames_comes_out_after_them() -> None:
    assert feed(ReorderBuffer(None), [frame(1), frame(2), end(1), frame(0)]) == ["1:0", "1:1", "1:2", "1:1."]


@pytest.mark.parametrize("state", [{}, {"epoch": 1, "next_seq": "many", "over": False}, {"epoch": None, "next_seq": 0}])
def test_damaged_state_is_refused(state: dict[str, object]) -> None:
    with pytest.raises((KeyError, TypeError, ValueError)):
        ReorderBuffer(None).load_state(state)


CLOCK = 1_796_060_312_000_000
"""An epoch that a new process takes from the time."""


def test_first_epoch_of_a_new_count_follows_at_once() -> None:
    buffer = ReorderBuffer(None)
    assert feed(buffer, [frame(0), end(1), frame(0, CLOCK)]) == ["1:0", "1:1.", f"{CLOCK}:0"]
    assert feed(buffer, [end(1, CLOCK), frame(0, CLOCK + 2)]) == [f"{CLOCK}:1."], "an epoch is missing"


def test_what_is_left_of_an_epoch_in_a_broker_that_forgot_it_does_not_hold_the_next_one_up() -> None:
    buffer = ReorderBuffer(None)
    assert feed(buffer, [frame(7), frame(9), frame(0, CLOCK)]) == ["1:0-6", "1:7", "1:8-8", "1:9", f"{CLOCK}:0"]


def test_epoch_whose_start_is_there_is_waited_for_in_spite_of_a_new_count() -> None:
    buffer = ReorderBuffer(None)
    assert feed(buffer, [frame(0), frame(2), frame(0, CLOCK)]) == ["1:0"]
    assert feed(buffer, [frame(1), end(3)]) == ["1:1", "1:2", "1:3.", f"{CLOCK}:0"]
