"""Two detections of one body are one person, and two people stay two."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import pytest
from unit.tracking.scenes import SECOND_NS, SIZE_PX, in_state, person, plain, pose_frame, run

from posebus.contract.snapshot import pack_state, unpack_state
from posebus.messages import PoseFrame, Renaming, TrackFrame
from tracking import PoseTracker
from tracking import body_model as model

FPS = 10
FRAMES = 60


def detections(
    people: Sequence[tuple[np.ndarray, float, float]], seq: int, *, keypoints: bool = True, fps: float = FPS
) -> PoseFrame:
    """A frame of people (box of the whole body, share of it that is detected from the top, score).

    Joints below that share have a low confidence.
    """
    boxes = [box for box, _, _ in people]
    frame = pose_frame(boxes, seq, seq / fps, scores=[score for *_, score in people], keypoints=keypoints)
    for row, (box, share, _) in enumerate(people):
        end = box[1] + share * (box[3] - box[1])
        frame.boxes_xyxy_px[row, 3] = end
        if frame.keypoints_px is not None:
            frame.keypoints_px[row, frame.keypoints_px[row, :, 1] > end, 2] = 0.15
    return frame


def walker(seq: int, fps: float = FPS) -> np.ndarray:
    return person(300 + 60 * seq / fps, 360)


def trembling(box: np.ndarray, rng: np.random.Generator, px: float) -> np.ndarray:
    return np.asarray(box + rng.normal(0, px, 4), np.float32)


def jagged(frame: PoseFrame, px: float, seed: int) -> PoseFrame:
    """The frame with an error of this many pixels in every joint."""
    assert frame.keypoints_px is not None
    rng = np.random.default_rng([seed, frame.seq])
    joints = frame.keypoints_px.copy()
    joints[:, :, :2] += rng.normal(0, px, joints[:, :, :2].shape)
    return replace(frame, keypoints_px=joints)


def half(score: float) -> Callable[[int], PoseFrame]:
    return lambda seq: detections([(walker(seq), 1.0, 0.9), (walker(seq), 0.55, score)], seq)


def every_third(score: float) -> Callable[[int], PoseFrame]:
    both = half(score)
    return lambda seq: both(seq) if seq % 3 == 0 else detections([(walker(seq), 1.0, 0.9)], seq)


def squeezed(seq: int) -> PoseFrame:
    """The network fits a whole skeleton into the upper half."""
    upper = walker(seq) - np.array([0, 0, 0, 100], np.float32)
    return detections([(walker(seq), 1.0, 0.9), (upper, 1.0, 0.6)], seq)


SCENES: dict[str, Callable[[int], PoseFrame]] = {
    **{f"half, score {score}": half(score) for score in (0.35, 0.45, 0.65, 0.95)},
    **{f"half in one frame of three, score {score}": every_third(score) for score in (0.45, 0.65)},
    "half with a skeleton of its own": squeezed,
    "equal": lambda seq: detections([(walker(seq), 1.0, 0.9)] * 2, seq),
    "three": lambda seq: detections([(walker(seq), share, 0.7) for share in (0.55, 1.0, 0.8)], seq),
    "equal in the first frame only": lambda seq: detections([(walker(seq), 1.0, 0.9)] * (2 if seq == 0 else 1), seq),
    "half first": lambda seq: detections(
        [(walker(seq), 0.55, 0.7), (walker(seq), 1.0, 0.9)][: 1 if seq < 5 else 2], seq
    ),
    "errors of joints": lambda seq: jagged(half(0.65)(seq), 2.5, 1),
    "errors of boxes": lambda seq: detections(
        [(trembling(walker(seq), np.random.default_rng([seq, i]), 2.0), 1.0, 0.8) for i in range(2)], seq
    ),
    "boxes only, half": lambda seq: replace(half(0.65)(seq), keypoints_px=None),
    "boxes only, equal": lambda seq: detections([(walker(seq), 1.0, 0.9)] * 2, seq, keypoints=False),
}


@pytest.mark.parametrize("scene", SCENES.values(), ids=SCENES)
def test_detections_of_one_body_are_one_person(scene: Callable[[int], PoseFrame]) -> None:
    results = run(scene(seq) for seq in range(FRAMES))
    assert {track.id for result in results for track in result.tracks if track.state == "confirmed"} == {1}
    assert all(in_state(result, "confirmed") == [1] for result in results)
    assert not any(result.renamed for result in results)


def test_track_changes_over_to_the_whole_body_and_stays_there() -> None:
    """The half is detected all the time, the whole with a higher score from the sixth frame on: no jump, no speed."""
    results = run(SCENES["half first"](seq) for seq in range(FRAMES))
    heights = [float(result.tracks[0].box_xyxy_px[3] - result.tracks[0].box_xyxy_px[1]) for result in results]
    assert heights[:5] == pytest.approx([110] * 5, abs=2)
    assert heights[5:] == pytest.approx([200] * (FRAMES - 5), abs=2)
    assert max(abs(float(result.tracks[0].velocity_px_s[1])) for result in results) < 20


PEOPLE = {
    "shoulder to shoulder": (80.0, 0.0, 200.0),
    "shoulders overlap": (48.0, 0.0, 200.0),
    "a quarter of a body aside": (20.0, 0.0, 200.0),
    "behind, a quarter aside": (20.0, -5.0, 180.0),
    "child before adult": (0.0, 40.0, 120.0),
}


@pytest.mark.parametrize("apart", PEOPLE.values(), ids=PEOPLE)
@pytest.mark.parametrize("score", [0.55, 0.9])
def test_two_people_close_together_stay_two(apart: tuple[float, float, float], score: float) -> None:
    """They walk side by side, or one behind the other, for six seconds."""
    dx, dy, height = apart
    frames = []
    for seq in range(FRAMES):
        x = 300 + 60 * seq / FPS
        people = [(person(x, 360), 1.0, 0.9), (person(x + dx, 360 + dy, height), 1.0, score)]
        frames.append(jagged(detections(people, seq), 1.5, 2))
    results = run(frames)
    assert all(in_state(result, "confirmed") == [1, 2] for result in results[2:])
    assert not any(result.renamed for result in results)


def meeting(seconds: float, fps: float = FPS) -> list[PoseFrame]:
    """Two detected people; after 2 s both detections are on one body, for some seconds, then they part."""
    frames = []
    for seq in range(int((seconds + 4) * fps)):
        gap = 5 * max(abs(seq / fps - 2 - seconds / 2) - seconds / 2, 0.0) * 20
        frames.append(detections([(person(500, 360), 1.0, 0.9), (person(500 + gap, 360), 1.0, 0.8)], seq, fps=fps))
    return frames


def test_one_body_for_a_moment_is_two_people() -> None:
    """One walks past behind the other, so that all joints agree for a second."""
    results = run(meeting(1.0))
    assert [in_state(result, "confirmed") for result in results[1:]] == [[1, 2]] * (len(results) - 1)


@pytest.mark.parametrize("fps", [4, 10, 25])
def test_two_tracks_of_one_body_are_merged_and_the_older_id_stays(fps: float) -> None:
    frames = meeting(5.0, fps)
    results = run(frames)
    first = next(place for place, frame in enumerate(frames) if oks(frame) >= 0.7)
    last = next(place for place in range(first, len(frames)) if (place - first) / fps >= model.MERGING.after_s)
    assert [in_state(result, "confirmed") for result in results[1:last]] == [[1, 2]] * (last - 1)
    assert (in_state(results[last], "confirmed"), in_state(results[last], "ended")) == ([1], [2])
    assert results[last].renamed == (Renaming(2, 1, first),)
    one_body = results[last + 1 : int(7 * fps)]
    assert [[(track.id, track.state) for track in result.tracks] for result in one_body] == [[(1, "confirmed")]] * len(
        one_body
    )
    assert [result.renamed for result in results if result.renamed] == [results[last].renamed]


def oks(frame: PoseFrame) -> float:
    """COCO's OKS of the two skeletons of a frame; the area of a body is 0.53 times that of its box."""
    sigmas = np.array([26, 25, 25, 35, 35, 79, 79, 72, 72, 62, 62, 107, 107, 87, 87, 89, 89]) / 1000
    one, other = np.float64(frame.keypoints_px)
    distance2 = ((one - other)[:, :2] ** 2).sum(axis=1)
    return float(np.exp(-distance2 / (2 * 0.53 * 80 * 200 * (2 * sigmas) ** 2)).mean())


def test_merge_in_a_later_epoch_reaches_back_to_no_earlier_one() -> None:
    frames = meeting(5.0)
    again = [replace(frame, epoch=2, seq=frame.seq - 30) for frame in frames[30:]]
    merged = [result for result in run(frames[:30] + again) if result.renamed]
    assert [(result.epoch, result.renamed) for result in merged] == [(2, (Renaming(2, 1, merged[0].seq),))]


def test_merge_of_three_tracks_leaves_the_oldest() -> None:
    frames = []
    for seq in range(70):
        gap = max(20 - seq, 0) * 10
        people = [(person(500 + gap * i, 360), 1.0, 0.9) for i in (0, -1, 1)]
        frames.append(detections(people, seq))
    results = run(frames)
    renamed = [one for result in results for one in result.renamed]
    assert {(one.from_id, one.to_id) for one in renamed} == {(2, 1), (3, 1)}
    assert in_state(results[-1], "confirmed") == [1]


def test_merged_track_follows_the_whole_body() -> None:
    """The older track began at the upper half, which was alone for a second and had other joints than the whole."""
    frames = []
    for seq in range(60):
        frame = detections([(person(500, 360), 0.55, 0.9), (person(500, 360), 1.0, 0.85)][: 2 if seq > 4 else 1], seq)
        assert frame.keypoints_px is not None
        if seq < 15:
            frame.keypoints_px[1:, :, 0] += 40
            frame.boxes_xyxy_px[1:] += np.array([10, -15, 10, 0], np.float32)
        frames.append(frame)
    results = run(frames)
    assert in_state(results[14], "confirmed") == [1, 2]
    assert [one for result in results for one in result.renamed] == [Renaming(2, 1, 15)]
    (track,) = results[-1].tracks
    assert (track.id, track.pose_index) == (1, 1)
    assert track.box_xyxy_px == pytest.approx(person(500, 360), abs=2)


def test_double_is_not_taken_for_a_lost_person_nearby() -> None:
    """One of two people is gone; then the other is detected twice."""
    frames = []
    for seq in range(40):
        here, gone = (person(500, 360), 1.0, 0.9), (person(545, 360), 1.0, 0.9)
        people = [here, gone] if seq < 10 else [here] if seq < 20 else [here, (person(503, 360), 0.9, 0.8)]
        frames.append(detections(people, seq))
    results = run(frames)
    assert in_state(results[9], "confirmed") == [1, 2]
    assert all(in_state(result, "confirmed") == [1] for result in results[20:])
    assert all(track.pose_index is None for result in results[20:] for track in result.tracks if track.id == 2)


def test_half_of_a_person_who_was_missed_for_a_moment_is_that_person() -> None:
    """Nothing is detected for a frame, and then the half alone for two."""
    frames = []
    for seq in range(60):
        share = 0.55 if seq % 20 in (11, 12) else 1.0
        frames.append(detections([(walker(seq), share, 0.9)] if seq % 20 != 10 else [], seq))
    assert {track.id for result in run(frames) for track in result.tracks} == {1}


@pytest.mark.parametrize("at", [25, 30, 34])
def test_tracker_restored_while_a_merge_is_pending_continues_bit_for_bit(at: int) -> None:
    frames = meeting(5.0)
    tracker, successor = PoseTracker(), PoseTracker()
    run(frames[:at], tracker)
    assert tracker.state_dict()["watched"]
    successor.load_state(unpack_state(pack_state(tracker.state_dict())))
    expected, found = run(frames[at:], tracker), run(frames[at:], successor)
    assert [whole(result) for result in found] == [whole(result) for result in expected]
    assert any(result.renamed for result in expected)


def test_snapshot_of_a_release_that_merged_nothing_is_read() -> None:
    tracker, successor = PoseTracker(), PoseTracker()
    frames = meeting(5.0)
    run(frames[:30], tracker)
    state = tracker.state_dict()
    del state["watched"]
    successor.load_state(state)
    assert sum(len(result.renamed) for result in run(frames[30:], successor)) == 1


def test_same_frames_give_the_same_bits() -> None:
    frames = [jagged(frame, 3.0, 5) for frame in meeting(5.0)]
    assert [whole(result) for result in run(frames)] == [whole(result) for result in run(frames)]


def whole(result: TrackFrame) -> tuple[object, ...]:
    return (*plain(result), result.renamed)


def test_three_hundred_detections_of_one_body_are_one_person() -> None:
    frame = detections([(person(500, 360), 1.0, 0.9)] * 300, 0)
    results = run(replace(frame, seq=seq, captured_at_ns=seq * SECOND_NS // FPS) for seq in range(3))
    assert [in_state(result, "confirmed") for result in results] == [[1]] * 3
    assert results[0].size_px == SIZE_PX
