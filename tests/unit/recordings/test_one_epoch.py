"""Frames of several connections as those of one recording."""

from __future__ import annotations

from posebus.messages import Renaming, TrackFrame
from recordings.live.one_epoch import OneEpoch


def frame(epoch: int, seq: int, *renamed: Renaming) -> TrackFrame:
    return TrackFrame("door", epoch, seq, 1_000 * epoch + seq, (64, 48), (), renamed=renamed)


def test_frames_count_on_after_a_reconnection() -> None:
    numbers = OneEpoch()
    found = [numbers.add(frame(*key)) for key in ((7, 0), (7, 3), (9, 0), (9, 1))]
    assert [(one.epoch, one.seq, one.captured_at_ns) for one in found if one is not None] == [
        (1, 0, 7_000),
        (1, 3, 7_003),
        (1, 4, 9_000),
        (1, 5, 9_001),
    ]
    assert numbers.connections == 2


def test_correction_refers_to_the_numbers_in_the_file() -> None:
    numbers = OneEpoch()
    numbers.add(frame(1, 9))
    numbers.add(frame(2, 0))
    corrected = numbers.add(frame(2, 5, Renaming(4, 2, since_seq=1)))
    assert corrected is not None
    assert corrected.renamed == (Renaming(4, 2, since_seq=11),)


def test_late_frame_of_an_earlier_connection_is_left_out() -> None:
    numbers = OneEpoch()
    numbers.add(frame(2, 0))
    assert numbers.add(frame(1, 8)) is None
    assert numbers.connections == 1
