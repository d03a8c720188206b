"""Rates, ages and gaps of a live camera."""

from __future__ import annotations

from dataclasses import replace

import pytest
import samples

from recordings.live.camera import LiveCamera

MS = 1_000_000


def camera(seqs: list[int], delay_ms: int = 30) -> LiveCamera:
    """Return a camera of 20 fps after the frames `seqs`."""
    live = LiveCamera("door")
    for seq in seqs:
        captured_at_ns = 10**18 + seq * 50 * MS
        frame = replace(samples.track_frame(seq), captured_at_ns=captured_at_ns)
        live.add(frame, replace(samples.PROVENANCE, published_at_ns=captured_at_ns + delay_ms * MS))
    return live


def test_camera_without_gaps_has_its_full_rate_and_no_skipped_frames() -> None:
    live = camera(list(range(100)))
    assert live.fps_in == pytest.approx(20)
    assert live.fps_out == pytest.approx(20)
    assert (live.frames, live.skipped, live.people, live.ages_ms.newest) == (100, 0, 2, 30)


def test_missing_frame_numbers_count_as_skipped() -> None:
    live = camera(list(range(0, 101, 2)))
    assert live.skipped == 50
    assert live.fps_in == pytest.approx(20)
    assert live.fps_out == pytest.approx(10)


def test_too_few_frames_give_no_rate() -> None:
    for seqs in ([], [0], [0, 1, 2]):
        assert camera(seqs).fps_in is None
        assert camera(seqs).fps_out is None
