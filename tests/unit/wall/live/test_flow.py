"""How many frames are on the way to a page, and how many messages it may send."""

from __future__ import annotations

from wall.live.flow import MessageAllowance, TileFlow


def test_two_frames_are_on_the_way_at_most() -> None:
    flow = TileFlow()
    for seq in range(2):
        assert flow.wait_s(seq) == 0
        flow.sent((1, seq), seq, 30)
    assert flow.wait_s(10.0) is None
    assert flow.shown((1, 0))
    assert flow.wait_s(10.0) == 0


def test_frame_that_was_shown_confirms_those_before_it() -> None:
    flow = TileFlow()
    flow.sent((1, 4), 0.0, 30)
    flow.sent((1, 7), 1.0, 30)
    assert flow.shown((1, 7))
    assert not flow.shown((1, 4))
    flow.sent((1, 8), 2.0, 30)
    assert flow.wait_s(3.0) == 0


def test_frames_that_are_not_on_the_way_confirm_nothing() -> None:
    flow = TileFlow()
    flow.sent((1, 0), 0.0, 30)
    flow.sent((1, 1), 0.0, 30)
    assert not flow.shown((1, 2))
    assert flow.wait_s(9.0) is None


def test_rate_is_kept_on_the_whole_although_frames_come_early_and_late() -> None:
    flow = TileFlow()
    sent_at_s = []
    for tenth in range(1000):
        now_s = tenth / 100 + (0.04 if tenth % 7 == 0 else 0.0)
        if flow.wait_s(now_s) == 0:
            flow.sent((1, tenth), now_s, max_fps=5)
            flow.shown((1, tenth))
            sent_at_s.append(now_s)
    # Ten seconds at five a second, and one more at the beginning.
    assert 49 <= len(sent_at_s) <= 52


def test_allowance_is_so_many_at_once_and_then_so_many_a_second() -> None:
    allowance = MessageAllowance(a_second=2, at_once=3)
    assert [allowance.take(0.0) for _ in range(4)] == [True, True, True, False]
    assert [allowance.take(1.0) for _ in range(3)] == [True, True, False]
