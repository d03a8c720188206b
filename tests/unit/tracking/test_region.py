"""People outside of a camera's region are not reported, and the identities of those inside do not depend on it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from fractions import Fraction

import cv2
import numpy as np
import pytest
from unit.tracking.scenes import BLUE, RED, SIZE_PX, dressed, person, pose_frame

from posebus.bus.pose_consumer import PoseEntry
from posebus.bus.registry import CameraRecord, camera_value, read_record
from posebus.config.cameras.region import Region, read_region
from posebus.config.policies import Policies
from posebus.config.settings import TrackerSettings
from posebus.contract.snapshot import pack_state, unpack_state
from posebus.errors import MalformedMessage
from posebus.messages import Delivery, PoseFrame, Probe, Track, TrackFrame, TrackState
from posebus.views import View
from tests.samples import PROVENANCE
from tracking.camera_tracking import CameraTracking
from tracking.geometry import outside_by
from tracking.region import MARGIN, only_inside
from tracking.tracks import no_tracks

FPS = 10
HEIGHT = 200.0
LEFT_HALF: Region = (((0.0, 0.0), (0.5, 0.0), (0.5, 1.0), (0.0, 1.0)),)
MIDDLE_PX = SIZE_PX[0] / 2


def inside(frame: PoseFrame, region: Region, source_px: tuple[int, int] | None = None) -> list[bool]:
    """Which people of a first frame are inside."""
    kept = only_inside(frame, source_px or frame.size_px, region, no_tracks(), 0.1)
    return [score > 0 for score in kept.scores.tolist()]


def standing(feet_x: float, feet_y: float) -> np.ndarray:
    """A person (4,) whose box ends at this point."""
    return person(feet_x, feet_y - HEIGHT / 2, HEIGHT)


def tracker(region: Region | None) -> CameraTracking:
    return CameraTracking("yard", Delivery.LOSSLESS, TrackerSettings(), region=region)


def follow(tracking: CameraTracking, frames: Sequence[PoseFrame]) -> list[TrackFrame]:
    found = []
    for frame in frames:
        tracking.push(PoseEntry("yard", f"{frame.epoch}-{frame.seq}".encode(), frame, PROVENANCE, None), 0.0)
        found += [tracks for tracks, _ in tracking.advance(0.0).tracks]
    return found


def walk(*paths: Callable[[float], float], seconds: float, feet_y: float = 500.0) -> list[PoseFrame]:
    """People whose feet are at `path(time_s)` along x."""
    times_s = [seq / FPS for seq in range(round(seconds * FPS))]
    return [
        pose_frame([standing(path(time_s), feet_y) for path in paths], seq, time_s)
        for seq, time_s in enumerate(times_s)
    ]


def reported(frame: TrackFrame) -> list[Track]:
    return [track for track in frame.tracks if track.state == TrackState.CONFIRMED and not track.coasted]


def test_distances_are_those_that_opencv_measures() -> None:
    rng = np.random.default_rng(5)
    for corners in (3, 5, 9):
        angles = np.sort(rng.uniform(0, 2 * np.pi, corners))
        star = np.stack([np.cos(angles), np.sin(angles)], axis=1) * rng.uniform(20, 100, (corners, 1)) + 100
        points = rng.uniform(0, 200, (300, 2))
        contour = star.astype(np.float32)
        signed = np.array([cv2.pointPolygonTest(contour, point, True) for point in points.tolist()])
        np.testing.assert_allclose(outside_by(points, [contour.astype(float)]), np.maximum(0, -signed), atol=0.01)
    two = [np.array([[0, 0], [10, 0], [10, 10], [0, 10.0]]), np.array([[50, 0], [60, 0], [60, 10], [50, 10.0]])]
    assert outside_by(np.array([[5, 5], [55, 5], [30, 5], [0, 0.0]]), two).tolist() == [0, 0, 20, 0]


def test_feet_are_the_ankles_or_else_the_lower_edge_of_the_box() -> None:
    floor: Region = (((0.0, 0.8), (1.0, 0.8), (1.0, 1.0), (0.0, 1.0)),)  # from y = 576 on
    frame = pose_frame([standing(300, 600), standing(600, 600)], 0, 0.0)  # ankles at 590
    assert frame.keypoints_px is not None
    assert inside(frame, floor) == [True, True]
    ankles = frame.keypoints_px.copy()
    ankles[0, 15:17, 1] = 560  # a box may end below the feet, such as in a puddle
    assert inside(replace(frame, keypoints_px=ankles), floor) == [False, True]
    ankles[0, 15:17, 2] = 0.1  # but joints that are not seen say nothing
    assert inside(replace(frame, keypoints_px=ankles), floor) == [True, True]
    ankles[0, 15] = (300, 590, 0.9)  # one ankle is enough
    assert inside(replace(frame, keypoints_px=ankles), floor) == [True, True]
    assert inside(replace(frame, keypoints_px=None), floor) == [True, True]
    cut_off = pose_frame([standing(300, 800)], 0, 0.0)  # feet are below the picture
    assert inside(cut_off, floor) == [True]


def test_a_region_in_fractions_follows_the_size_and_one_in_pixels_does_not() -> None:
    pixels = read_region([[0, 0], [640, 0], [640, 720], [0, 720]])
    assert pixels is not None
    frame = pose_frame([standing(600, 500), standing(700, 500)], 0, 0.0)
    assert inside(frame, LEFT_HALF) == inside(frame, pixels) == [True, False]
    larger = replace(frame, size_px=(2560, 1440))
    assert inside(larger, LEFT_HALF) == [True, True]
    assert inside(larger, pixels) == [True, False]


def test_a_region_in_pixels_means_those_of_the_source_where_they_are_oblong() -> None:
    narrow = read_region([[0, 0], [320, 0], [320, 720], [0, 720]])
    assert narrow is not None
    people = pose_frame([standing(300, 500), standing(340, 500)], 0, 0.0)
    oblong = replace(people, size_px=(640, 720), pixel_aspect=Fraction(2), keypoints_px=None)
    found = follow(tracker(narrow), [replace(oblong, seq=seq, captured_at_ns=seq * 10**8) for seq in range(5)])
    (track,) = reported(found[-1])
    assert track.pose_index == 0
    assert track.box_xyxy_px[0] == pytest.approx(oblong.boxes_xyxy_px[0, 0], abs=1)


def test_people_are_reported_while_they_are_inside_and_rows_stay_those_of_the_poses() -> None:
    frames = walk(lambda t: 900 - 100 * t, lambda t: 1100.0, lambda t: 200.0, seconds=5)
    found = follow(tracker(LEFT_HALF), frames)
    for seq, frame in enumerate(found):
        feet_x = 900 - 10 * seq
        if seq >= 2 and abs(feet_x - MIDDLE_PX) > 15:
            assert [track.pose_index for track in reported(frame)] == ([2, 0] if feet_x < MIDDLE_PX else [2])
        assert 1 not in [track.pose_index for track in frame.tracks]


def test_a_person_at_the_border_keeps_the_number_and_is_never_lost() -> None:
    rng = np.random.default_rng(2)
    jitter = rng.normal(0, 0.3 * MARGIN * HEIGHT, 100)
    frames = walk(lambda t: MIDDLE_PX - 2 + jitter[round(t * FPS)], seconds=10)
    hidden = [replace(frame, keypoints_px=_without_ankles(frame)) if frame.seq % 3 else frame for frame in frames]
    outside = sum(jitter > 2)
    assert outside > 30
    found = follow(tracker(LEFT_HALF), hidden)
    first = next(seq for seq, frame in enumerate(found) if reported(frame))
    assert first < 5
    assert {(track.id, track.state, track.coasted) for frame in found[first + 2 :] for track in frame.tracks} == {
        (1, TrackState.CONFIRMED, False)
    }


def _without_ankles(frame: PoseFrame) -> np.ndarray:
    assert frame.keypoints_px is not None
    joints = frame.keypoints_px.copy()
    joints[:, 15:17, 2] = 0.05
    return joints


def test_a_person_who_walks_out_is_lost_and_one_who_comes_back_in_time_keeps_the_number() -> None:
    def there_and_back(time_s: float) -> float:
        return 500 + 120 * time_s if time_s < 2 else 740 - 120 * (time_s - 2)

    frames = [dressed(frame, (RED, BLUE)) for frame in walk(there_and_back, lambda t: 200.0, seconds=4)]
    found = follow(tracker(LEFT_HALF), frames)
    states = [{track.id: track.state for track in frame.tracks} for frame in found]
    assert states[5] == {1: TrackState.CONFIRMED, 2: TrackState.CONFIRMED}
    assert states[21] == {2: TrackState.CONFIRMED}
    assert TrackState.LOST in [state.get(1) for state in states[10:21]]
    assert states[-1] == {1: TrackState.CONFIRMED, 2: TrackState.CONFIRMED}


def test_a_person_outside_does_not_take_the_place_of_a_tracked_one_beside_the_border() -> None:
    """Both boxes overlap the track; only the one that overlaps it most may be kept for it."""
    beside = MARGIN * HEIGHT / 2
    frames = walk(lambda t: MIDDLE_PX - 5, seconds=1)
    frames += [
        replace(frame, seq=frame.seq + 10, captured_at_ns=frame.captured_at_ns + 10**9)
        for frame in walk(lambda t: MIDDLE_PX - 5, lambda t: MIDDLE_PX + beside, seconds=1)
    ]
    found = follow(tracker(LEFT_HALF), frames)
    assert all([(track.id, track.pose_index) for track in reported(frame)] == [(1, 0)] for frame in found[2:])


def test_a_region_that_is_drawn_or_changed_later_keeps_the_numbers_of_people_inside() -> None:
    frames = walk(lambda t: 200 + 20 * t, lambda t: 1100.0, seconds=6)
    tracking = tracker(None)
    before = follow(tracking, frames[:20])
    tracking.region = LEFT_HALF
    between = follow(tracking, frames[20:40])
    tracking.region = (((0.1, 0.1), (0.9, 0.1), (0.9, 1.0), (0.1, 1.0)),)
    after = follow(tracking, frames[40:])
    numbers = [[track.id for track in reported(part[-1])] for part in (before, between, after)]
    assert numbers == [[1, 2], [1], [1, 2]]


def test_a_tracker_that_takes_over_at_any_frame_continues_with_the_same_result() -> None:
    rng = np.random.default_rng(3)
    jitter = rng.normal(0, 10, 60)
    frames = walk(lambda t: MIDDLE_PX - 2 + jitter[round(t * FPS)], lambda t: 700 - 40 * t, seconds=6)
    whole = [_numbers(frame) for frame in follow(tracker(LEFT_HALF), frames)]
    for cut in range(1, 60, 7):
        first = tracker(LEFT_HALF)
        begun = follow(first, frames[:cut])
        second = tracker(LEFT_HALF)
        second.load_state(unpack_state(pack_state(first.state_dict())))
        assert [_numbers(frame) for frame in [*begun, *follow(second, frames[cut:])]] == whole


def _numbers(frame: TrackFrame) -> list[tuple[int, str, bytes]]:
    return [(track.id, track.state, track.box_xyxy_px.tobytes()) for track in frame.tracks]


def test_no_larger_input_is_chosen_for_people_outside() -> None:
    frame = pose_frame([standing(300, 500), standing(1000, 500)], 0, 0.0)
    probe = Probe(View(1280), frame.boxes_xyxy_px, frame.scores)
    kept = only_inside(replace(frame, probes=(probe,)), frame.size_px, LEFT_HALF, no_tracks(), 0.1)
    assert [score > 0 for score in kept.probes[0].scores.tolist()] == [True, False]


def test_frames_without_people_and_boxes_that_are_no_boxes_pass() -> None:
    assert inside(pose_frame([], 0, 0.0), LEFT_HALF) == []
    broken = pose_frame([standing(300, 500), standing(300, 500)], 0, 0.0)
    boxes = broken.boxes_xyxy_px.copy()
    boxes[0] = np.nan
    assert inside(replace(broken, boxes_xyxy_px=boxes, keypoints_px=None), LEFT_HALF) == [False, True]


def test_the_registry_carries_the_region_to_the_tracker() -> None:
    region = read_region([[[0, 0], [0.5, 0], [0.5, 1]], [[0.75, 0.25], [1, 1], [0.5, 1]]])
    record = CameraRecord("door", Delivery.LIVE, "network", Policies(imgsz="auto"), region)
    assert read_record("door", camera_value(record).encode()) == record
    without = CameraRecord("door", Delivery.LIVE, "network")
    assert b"region" not in camera_value(without).encode()  # as releases before it write it
    assert read_record("door", camera_value(without).encode()) == without
    for wrong in (
        "7",
        "[]",
        "[[0, 0], [1, 1]]",
        "[[[0, 0], [1, 1]]]",
        '[[["a", 0], [1, 0], [1, 1]]]',
        "[[[0], [1], [2]]]",
    ):
        with pytest.raises(MalformedMessage):
            read_record("door", b'{"delivery": "live", "source": "file", "region": ' + wrong.encode() + b"}")
