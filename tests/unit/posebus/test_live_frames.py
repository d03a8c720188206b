"""Pictures that wait for the tracks of their frames, within bounds."""

from __future__ import annotations

import samples

from posebus.subscribing.live_frames import MOST_BYTES, MOST_KEPT, WaitingPictures


def test_picture_is_found_by_its_frame_once_its_tracks_come() -> None:
    pictures = WaitingPictures()
    for seq in range(5):
        pictures.keep(samples.frame(seq))
    found = pictures.take(1, 3)
    assert found is not None
    assert found.seq == 3
    assert pictures.take(1, 3) is None
    assert pictures.take(1, 2) is None, "the tracks of frame 3 have passed"
    assert pictures.take(2, 4) is None


def test_pictures_of_an_earlier_epoch_are_given_up() -> None:
    pictures = WaitingPictures()
    pictures.keep(samples.frame(9, epoch=1))
    pictures.keep(samples.frame(0, epoch=2))
    assert pictures.take(2, 0) is not None
    assert pictures.take(1, 9) is None


def test_behind_a_long_backlog_some_pictures_still_meet_their_tracks() -> None:
    pictures = WaitingPictures()
    for seq in range(2000):
        pictures.keep(samples.frame(seq))
        assert len(pictures) <= MOST_KEPT
    found = [seq for seq in range(2000) if pictures.take(1, seq) is not None]
    assert len(found) > MOST_KEPT / 4
    assert found[0] == 0


def test_large_pictures_are_kept_within_bytes() -> None:
    pictures = WaitingPictures()
    for seq in range(8):
        pictures.keep(samples.frame(seq, data=bytes(MOST_BYTES // 3)))
    assert len(pictures) <= 3
