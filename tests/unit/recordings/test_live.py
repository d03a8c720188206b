"""Rates, ages and gaps of a live camera."""

from __future__ import annotations

from dataclasses import replace

import pytest
import samples

from recordings.live import LiveCamera

MS = 1_000_000


def camera(seqs: list[int], delay_ms: int = 30) -> LiveCamera:
    """A camera of 20 fps of which the frames `seqs` came out."""
    live = LiveCamera("door")
    for seq in seqs:
        captured_at_ns = 10**18 + seq * 50 * MS
        frame = replace(samples.track_frame(seq), captured_at_ns=captured_at_ns)
        live.add(frame, replace(samples.PROVENANCE, published_at_ns=captured_at_ns + delay_ms * MS))
    return live


def test_a_camera_that_keeps_up() -> None:
    live = camera(list(range(100)))
    assert live.fps_in == pytest.approx(20)
    assert live.fps_out == pytest.approx(20)
    assert (live.frames, live.skipped, live.people, live.ages_ms.newest) == (100, 0, 2, 30)


def test_skipped_frames_are_those_whose_numbers_are_missing() -> None:
    live = camera(list(range(0, 101, 2)))
    assert live.skipped == 50
    assert live.fps_in == pytest.approx(20)
    assert live.fps_out == pytest.approx(10)


def test_too_few_frames_have_no_rate() -> None:
    for seqs in ([], [0], [0, 1, 2]):
        assert camera(seqs).fps_in is None
        assert camera(seqs).fps_out is None
