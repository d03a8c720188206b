"""Counts of a recording."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import samples
from hypothesis import given
from hypothesis import strategies as st

from posebus.messages import Provenance, Renaming
from posebus.views import View
from recordings.results.tally import Ages, PeopleSeen, Tally, percentiles_ms, processing_s, rate

MS = 1_000_000


def provenance(frame_ms: int, track_ms: int) -> Provenance:
    return replace(samples.PROVENANCE, frame_published_at_ns=frame_ms * MS, published_at_ns=track_ms * MS)


def test_processing_time_runs_from_the_first_frame_in_to_the_last_track_out() -> None:
    tally = Tally()
    for seq in range(3):
        tally.add(samples.track_frame(seq, ids=(1, 7)), provenance(100 + seq, 200 + 50 * seq))
    assert tally.frames == 3
    assert tally.identities == {1, 7}
    assert tally.last_seq == 2
    assert tally.processing_s == pytest.approx(0.2)


def test_people_are_counted_by_their_final_numbers() -> None:
    """7 is person 1 in all its frames; 4 is person 1 from frame 45 on, and another one before."""
    people = PeopleSeen()
    for seq in range(50):
        people.add(samples.track_frame(seq, ids=(1, 4)))
    people.add(samples.track_frame(50, ids=(7, 4)))
    assert people.numbers == {1, 4, 7}
    people.add(replace(samples.track_frame(51, ids=(1,)), renamed=(Renaming(7, 1, 50), Renaming(4, 1, 45))))
    assert people.numbers == {1, 4}
    for seq in range(52, 150):
        people.add(samples.track_frame(seq, ids=(1,)))
    assert people.numbers == {1, 4}


def test_inferred_frames_are_counted_by_view() -> None:
    tally = Tally()
    for seq, view in enumerate((None, View(640), View(1280, 2, 1), View(640))):
        tally.add(samples.track_frame(seq), replace(provenance(0, 1), view=view))
    predicted = replace(samples.track_frame(4), inferred=False)
    tally.add(predicted, replace(provenance(0, 1), view=View(640)))
    assert tally.views == {"640": 2, "1280/2x1": 1}


def test_rate_and_length_of_a_recording_follow_from_the_times_of_its_frames() -> None:
    tally = Tally()
    for seq in range(11):
        frame = replace(samples.track_frame(seq), captured_at_ns=5_000 * MS + seq * 40 * MS)
        tally.add(frame, provenance(0, 1))
    assert tally.recorded_fps == pytest.approx(25)
    assert tally.recorded_s == pytest.approx(11 / 25)


def test_a_single_picture_has_no_rate_and_no_length() -> None:
    tally = Tally()
    tally.add(samples.track_frame(0), provenance(0, 1))
    assert (tally.recorded_fps, tally.recorded_s) == (None, 0)


def test_recordings_at_the_same_time_share_their_processing_time() -> None:
    first, second = Tally(), Tally()
    first.add(samples.track_frame(0), provenance(100, 400))
    second.add(samples.track_frame(0), provenance(300, 1100))
    assert processing_s([first, second, Tally()]) == pytest.approx(1.0)


def test_empty_tallies_give_zeros_and_none() -> None:
    assert processing_s([]) == 0
    assert rate(0, 0.0) == 0
    assert percentiles_ms([Ages()]) == {"p50": None, "p95": None, "p99": None}
    assert Ages().newest is None


@given(st.lists(st.floats(0, 1e6, width=32), min_size=1, max_size=50))
def test_percentiles_equal_those_of_numpy_over_all_durations(values: list[float]) -> None:
    parts = [Ages(), Ages()]
    for position, value in enumerate(values):
        parts[position % 2].add(value)
    expected = np.percentile(np.array(values, np.float32), (50, 95, 99))
    assert list(percentiles_ms(parts).values()) == pytest.approx(expected, rel=1e-5, abs=0.06)
