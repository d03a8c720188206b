"""A camera that moves although no frame has `camera_motion`: the detections together show it."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import replace

import numpy as np
import pytest
from unit.tracking.moving import Matrix, confirmed, seen, shift, truthful, zoom
from unit.tracking.scenes import person, plain, pose_frame, run

from posebus.messages import PoseFrame
from tracking import PoseTracker

PLACES = ((300.0, 330.0, 200.0), (600.0, 380.0, 220.0), (760.0, 350.0, 190.0))


def standing(seq: int, people: int = 3, fps: float = 10.0) -> PoseFrame:
    """People who stand, with an error of a pixel or two in their boxes."""
    tremble = np.random.default_rng(seq).normal(0.0, 1.0, (3, 2))
    boxes = [person(x + dx, y + dy, height) for (x, y, height), (dx, dy) in zip(PLACES, tremble, strict=True)]
    return pose_frame(boxes[:people], seq, seq / fps)


def shake(reach: float, fps: float) -> Callable[[int], Matrix]:
    """Three times a second sideways, less often and less far upwards."""
    return lambda seq: shift(
        reach * math.sin(6 * math.pi * seq / fps), 0.6 * reach * math.cos(4.8 * math.pi * seq / fps)
    )


CAMERAS: dict[str, Callable[[int], Matrix]] = {
    "shake": shake(40.0, 10.0),
    "pan": lambda seq: shift(60.0 * min(max(seq - 10, 0), 8)),
    "whip pan": lambda seq: shift(100.0 * min(max(seq - 10, 0), 4)),
    "zoom": lambda seq: zoom(1.0 + 0.2 * min(max(seq - 10, 0), 5), (500.0, 360.0)),
    "preset": lambda seq: shift(150.0 * (seq >= 10)),
}


@pytest.mark.parametrize("camera", CAMERAS)
@pytest.mark.parametrize("people", [2, 3])
def test_people_keep_their_ids(camera: str, people: int) -> None:
    results = run(seen(standing(seq, people), CAMERAS[camera](seq)) for seq in range(25))
    assert truthful(results, people)
    assert confirmed(results)[-1] == list(range(1, people + 1))


@pytest.mark.parametrize("fps", [10.0, 25.0])
def test_a_shaken_camera_shows_no_more_people_than_there_are(fps: float) -> None:
    results = run(seen(standing(seq, fps=fps), shake(40.0, fps)(seq)) for seq in range(int(4 * fps)))
    assert confirmed(results) == [[1, 2, 3]] * len(results)


def test_velocities_are_those_of_the_scene() -> None:
    """Three people stand still while the picture moves by 1000 px a second; then the camera stops."""
    results = run(seen(standing(seq), CAMERAS["whip pan"](seq)) for seq in range(17))
    for result in results[11:]:
        assert max(np.hypot(*track.velocity_px_s) for track in result.tracks) < 60.0


def test_a_missed_person_moves_with_the_picture() -> None:
    """The third one is not detected from the jump on, and found again where the jump took them."""
    frames = [seen(standing(seq, 3 if seq < 10 or seq > 14 else 2), CAMERAS["preset"](seq)) for seq in range(20)]
    results = run(frames)
    assert confirmed(results)[-1] == [1, 2, 3]
    third = next(track for track in results[11].tracks if track.id == 3)
    np.testing.assert_allclose(third.box_xyxy_px, person(910.0, 350.0, 190.0), atol=8.0)


def test_people_missed_in_a_shake_are_found_by_the_motion_of_one_person() -> None:
    """Once the camera is known to shake, one person is enough for a frame."""
    frames = [seen(standing(seq), shake(40.0, 10.0)(seq)) for seq in range(30)]
    for seq in (12, 13, 20):
        keep = [seq % 3]
        frames[seq] = replace(
            frames[seq],
            boxes_xyxy_px=frames[seq].boxes_xyxy_px[keep],
            scores=frames[seq].scores[keep],
            keypoints_px=frames[seq].keypoints_px[keep],  # type: ignore[index]
        )
    results = run(frames)
    assert {track.id for result in results for track in result.tracks} == {1, 2, 3}
    assert confirmed(results)[-1] == [1, 2, 3]


def walkers(offsets: Iterable[tuple[float, float, float]]) -> list[PoseFrame]:
    return [
        pose_frame([person(x + dx, y, height) for (x, y, height), dx in zip(PLACES, moved, strict=True)], seq, seq / 10)
        for seq, moved in enumerate(offsets)
    ]


def test_one_person_who_jumps_is_not_the_camera() -> None:
    """Two stand, the third one is 150 px farther at once: only with the others would that be the camera."""
    frames = walkers([(0.0, 0.0, 150.0 * (seq >= 10)) for seq in range(15)])
    tracker = PoseTracker()
    results = run(frames, tracker)
    for result in results:
        places = {track.id: track.box_xyxy_px for track in result.tracks}
        np.testing.assert_allclose(places[1], person(300.0, 330.0), atol=2.0)
        np.testing.assert_allclose(places[2], person(600.0, 380.0, 220.0), atol=2.0)


def test_two_of_three_who_walk_off_together_are_not_the_camera() -> None:
    """At 1.5 body heights a second from standing; the third one stands behind a pillar for a while."""
    frames = walkers([(32.0 * max(seq - 10, 0), 32.0 * max(seq - 10, 0), 0.0) for seq in range(18)])
    frames = [frame if not 11 <= frame.seq <= 14 else without(frame, 2) for frame in frames]
    results = run(frames)
    third = next(track for track in results[14].tracks if track.id == 3)
    np.testing.assert_allclose(third.box_xyxy_px, person(760.0, 350.0, 190.0), atol=4.0)
    assert confirmed(results)[-1] == [1, 2, 3]


def without(frame: PoseFrame, row: int) -> PoseFrame:
    kept = [place for place in range(len(frame.scores)) if place != row]
    assert frame.keypoints_px is not None
    return replace(
        frame,
        boxes_xyxy_px=frame.boxes_xyxy_px[kept],
        scores=frame.scores[kept],
        keypoints_px=frame.keypoints_px[kept],
    )


def test_people_who_leave_while_others_enter_are_not_the_camera() -> None:
    """Two go out at the right in one frame, two come in at the left: they are others."""
    before = [pose_frame([person(1200, 300), person(1150, 420, 210)], seq, seq / 10) for seq in range(10)]
    after = [pose_frame([person(60, 330, 170), person(110, 380, 230)], seq, seq / 10) for seq in range(10, 20)]
    results = run(before + after)
    assert confirmed(results)[-1] == [3, 4]


def test_a_certain_motion_outweighs_two_people() -> None:
    """The frame says with certainty that the picture stood still: then both have moved."""

    def frames(certainty: float) -> list[PoseFrame]:
        still = [standing(seq, 2) for seq in range(15)]
        moved = [seen(frame, CAMERAS["preset"](frame.seq)) for frame in still]
        still_motion = seen(still[0], shift(0.0), announced=True, certainty=certainty).camera_motion
        return [replace(frame, camera_motion=still_motion) for frame in moved]

    assert confirmed(run(frames(0.0)))[-1] == [1, 2]
    assert confirmed(run(frames(1.0)))[10] != [1, 2]


def test_a_motion_that_was_estimated_wrongly_is_taken_back() -> None:
    """Something large passed the camera, and ingest took it for a pan of 90 px; three people stayed in place."""
    frames = [seen(standing(seq), shift(0.0 if seq < 10 else 90.0), announced=True, certainty=0.3) for seq in range(15)]
    real = [replace(standing(seq), camera_motion=frames[seq].camera_motion) for seq in range(15)]
    results = run(real)
    assert truthful(results, 3)
    assert confirmed(results)[-1] == [1, 2, 3]


def test_the_same_frames_give_the_same_bits() -> None:
    frames = [seen(standing(seq), CAMERAS["zoom"](seq)) for seq in range(20)]
    assert [plain(result) for result in run(frames)] == [plain(result) for result in run(frames)]


@pytest.mark.parametrize("fps", [5.0, 10.0])
def test_two_who_run_towards_each_other_are_no_zoom(fps: float) -> None:
    """At 4 heights a second: seen twice, a zoom out around the middle would bring both where they are detected."""

    def running(seq: int) -> PoseFrame:
        way = 800.0 * seq / fps
        return pose_frame([person(100.0 + way, 350.0, 200.0), person(1180.0 - way, 370.0, 200.0)], seq, seq / fps)

    results = run(running(seq) for seq in range(int(fps * 0.6) + 1))
    assert truthful(results, 2)
