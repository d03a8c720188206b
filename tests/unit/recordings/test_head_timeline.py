"""Heads stay covered in pictures in which a person is missed: from the pictures around, before and after."""

from __future__ import annotations

import numpy as np

from posebus.arrays import Float32Array
from posebus.messages import Track, TrackFrame
from recordings.privacy.timeline import HeadTimeline

STEP_NS = 40_000_000
SIZE_PX = (400, 300)


def track(x_px: float, *, coasted: bool = False, state: str = "confirmed") -> Track:
    """A person 50 pixels wide and 150 high whose left side is at `x_px`, without keypoints."""
    return Track(7, np.array([x_px, 100, x_px + 50, 250], np.float32), 0.9, None, state, 1.0, coasted=coasted)


def frame(seq: int, *tracks: Track) -> TrackFrame:
    return TrackFrame("door", 1, seq, seq * STEP_NS, SIZE_PX, tracks)


def covered(regions: Float32Array, x_px: float) -> bool:
    """Return whether the head of a person whose box begins at `x_px` is in one region, from side to side."""
    return any(r[0] <= x_px and r[2] >= x_px + 50 and r[1] <= 100 and r[3] >= 150 for r in regions)


def at(timeline: HeadTimeline, seq: int) -> Float32Array:
    return timeline.at(seq * STEP_NS, SIZE_PX)


def test_head_is_covered_before_the_first_detection_and_after_the_last() -> None:
    frames = [frame(seq, *([track(100)] if 20 <= seq <= 40 else [])) for seq in range(80)]
    timeline = HeadTimeline(frames)
    shown = [covered(at(timeline, seq), 100) for seq in range(80)]
    # Half a second is twelve and a half pictures here.
    assert shown == [20 - 12 <= seq <= 40 + 12 for seq in range(80)]


def test_person_who_walks_is_covered_where_they_are_while_missed() -> None:
    missed = {*range(10), *range(25, 35), *range(50, 60)}
    frames = [frame(seq, *([] if seq in missed else [track(4.0 * seq)])) for seq in range(60)]
    timeline = HeadTimeline(frames)
    assert all(covered(at(timeline, seq), 4.0 * seq) for seq in range(60))


def test_wrong_prediction_does_not_uncover_a_head() -> None:
    frames = [frame(seq, track(200, coasted=True) if 5 <= seq < 10 else track(100)) for seq in range(20)]
    timeline = HeadTimeline(frames)
    regions = {seq: at(timeline, seq) for seq in range(20)}
    assert all(covered(regions[seq], 100) for seq in range(20))
    assert all(covered(regions[seq], 200) for seq in range(5, 10)), "the prediction may be right as well"
    assert not covered(regions[10], 200)


def test_picture_without_a_frame_of_its_own_is_covered_by_those_around() -> None:
    timeline = HeadTimeline([frame(0, track(100)), frame(5, track(110))])
    assert covered(timeline.at(3 * STEP_NS, SIZE_PX), 105)


def test_regions_follow_the_size_of_the_picture() -> None:
    (whole,) = HeadTimeline([frame(0, track(100))]).at(0, SIZE_PX)
    (half,) = HeadTimeline([frame(0, track(100))]).at(0, (200, 150))
    np.testing.assert_allclose(half * 2, whole, rtol=1e-5)


def test_recording_without_people_has_no_heads() -> None:
    timeline = HeadTimeline([frame(seq) for seq in range(5)])
    assert [len(at(timeline, seq)) for seq in range(5)] == [0] * 5
    assert HeadTimeline([]).at(0, SIZE_PX).shape == (0, 4)
