"""Synthetic scenes: plausible walking, occlusion, and detections with the errors of a real network."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from scipy.optimize import linear_sum_assignment

from benchmarks.scenes import scene as scenes
from benchmarks.scenes.bodies import bodies_of
from benchmarks.scenes.calibration import matched_bodies
from benchmarks.scenes.camera import Camera, camera_of
from benchmarks.scenes.detections import SyntheticDetections
from benchmarks.scenes.kinds import CORRIDOR, KINDS, PLAZA, RUNNERS, SHOP, STREET, Pillar, SceneKind
from benchmarks.scenes.noise import LastingNoise
from benchmarks.scenes.occlusion import visibility_of
from benchmarks.scenes.scene import Truth, crowd, scene
from benchmarks.scenes.walkers import People, Walks, walk
from posebus.boxes import iou_matrix
from posebus.messages import PoseFrame

SHORT = replace(STREET, seconds=4.0)
ACROSS = Camera((640, 480), 700.0, 1.6, 0.0)
LEFT_ANKLE, RIGHT_ANKLE = 15, 16


def plain(frames: list[PoseFrame]) -> list[tuple[object, ...]]:
    """The frames with arrays as bytes, so that two lists can be compared bit for bit."""
    return [
        (frame.seq, frame.boxes_xyxy_px.tobytes(), frame.scores.tobytes(), np.asarray(frame.keypoints_px).tobytes())
        for frame in frames
    ]


def corners(rows: list[tuple[int, float, float, float, float]]) -> np.ndarray:
    """Boxes (N, 4) of rows of the truth, left, top, right, bottom."""
    boxes = np.array([row[1:] for row in rows], float).reshape(-1, 4)
    return np.column_stack([boxes[:, :2], boxes[:, :2] + boxes[:, 2:]])


def people_at(
    places_m: list[tuple[float, float]], frames: int = 1, speed_m_s: float = 0.0, dt_s: float = 0.04
) -> Walks:
    """People who walk to the right from the given places (x, y), one row per frame."""
    x, y = np.array(places_m).T
    times = np.arange(frames)[:, None] * dt_s
    still = np.zeros((frames, len(places_m)))
    people = People(np.full(len(x), 1.75), np.ones(len(x)), np.ones((len(x), 3)))
    return Walks(
        person=np.tile(np.arange(len(x)), (frames, 1)),
        x_m=x + speed_m_s * times,
        y_m=y + still,
        heading=still,
        speed_m_s=still + speed_m_s,
        phase=still + 2 * np.pi * np.sqrt(speed_m_s / 1.3) * times,
        bend=still,
        sit=still,
        people=people,
    )


def test_scene_is_the_same_for_the_same_seed_and_differs_for_another_one() -> None:
    frames, truth = scene(SHORT, 3)
    again, truth_again = scene(SHORT, 3)
    assert plain(frames) == plain(again)
    assert truth == truth_again
    assert truth != scene(SHORT, 4)[1]


@pytest.mark.parametrize("kind", KINDS.values(), ids=lambda kind: kind.name)
def test_frames_and_truth_are_well_formed(kind: SceneKind) -> None:
    frames, truth = scene(replace(kind, seconds=3.0), 0)
    assert list(truth) == list(range(1, len(frames) + 1))
    assert len(frames) == round(3.0 * kind.fps)
    assert [frame.captured_at_ns for frame in frames] == [round(seq / kind.fps * 1e9) for seq in range(len(frames))]
    size = np.tile(kind.size_px, 2)
    for frame in frames:
        count = len(frame.scores)
        assert frame.keypoints_px is not None
        assert frame.boxes_xyxy_px.shape == (count, 4)
        assert frame.keypoints_px.shape == (count, 17, 3)
        for array in (frame.boxes_xyxy_px, frame.scores, frame.keypoints_px):
            assert array.dtype == np.float32
            assert array.flags.c_contiguous
            assert np.isfinite(array).all()
        assert (frame.boxes_xyxy_px >= 0).all()
        assert (frame.boxes_xyxy_px <= size).all()
        assert (frame.boxes_xyxy_px[:, 2:] > frame.boxes_xyxy_px[:, :2]).all()
        assert ((frame.scores >= 0.05) & (frame.scores <= 1)).all()
        assert ((frame.keypoints_px[..., 2] >= 0) & (frame.keypoints_px[..., 2] <= 1)).all()
    for rows in truth.values():
        assert len({row[0] for row in rows}) == len(rows)
        boxes = corners(rows)
        assert (boxes[:, 2:] > boxes[:, :2]).all()
        assert (boxes >= -0.1).all()
        assert (boxes <= size + 0.1).all()


@pytest.mark.parametrize("people", [10, 40])
def test_crowd_has_about_the_requested_number_of_people(people: int) -> None:
    in_view = [len(rows) for seed in range(3) for rows in crowd(people, 2.0, 5.0, seed)[1].values()]
    assert np.mean(in_view) == pytest.approx(people, rel=0.2)


def test_truth_does_not_depend_on_frame_rate_or_detector() -> None:
    exact = replace(STREET, seconds=3.0, hand_drawn=False)
    truth = scene(exact, 1)[1]
    slow = scene(replace(exact, fps=5.0, detector=replace(exact.detector, skill=-1.0)), 1)[1]
    assert [truth[5 * number - 4] for number in slow] == list(slow.values())


def test_larger_picture_shows_the_same_view() -> None:
    small = replace(SHORT, hand_drawn=False)
    large = replace(small, size_px=(3840, 2880))
    rows, rows_large = (scene(kind, 0)[1][50] for kind in (small, large))
    assert [row[0] for row in rows] == [row[0] for row in rows_large]
    np.testing.assert_allclose(6 * corners(rows), corners(rows_large), atol=0.5)


def heights_by_person(truth: Truth) -> dict[int, list[float]]:
    """Heights of the people who do not touch the picture's border, by person."""
    heights: dict[int, list[float]] = {}
    for rows in truth.values():
        for number, left, top, _, height in rows:
            if left > 1 and top > 1:
                heights.setdefault(number, []).append(height)
    return heights


def test_kinds_of_scenes_have_different_body_heights() -> None:
    street, plaza, corridor = (
        heights_by_person(scene(replace(kind, seconds=15.0), 0)[1]) for kind in (STREET, PLAZA, CORRIDOR)
    )
    low, high = np.percentile(np.concatenate(list(street.values())), (10, 90))
    assert 130 < low < high < 400
    low, high = np.percentile(np.concatenate(list(plaza.values())), (10, 90))
    assert 35 < low < high < 95
    assert max(max(heights) / min(heights) for heights in corridor.values()) > 2.5


def test_people_run_stop_and_bend_only_in_the_kinds_with_these_settings() -> None:
    running, shopping = (
        walk(kind, camera_of(kind), np.random.default_rng(0)) for kind in (RUNNERS, replace(SHOP, seconds=30.0))
    )
    assert np.median(running.speed_m_s) > 2.8
    assert np.mean(shopping.speed_m_s < 0.1) > 0.1
    assert shopping.bend.max() > 0.9
    assert shopping.sit.max() > 0.9
    assert walk(STREET, camera_of(STREET), np.random.default_rng(0)).bend.max() == 0


def test_people_do_not_walk_through_each_other() -> None:
    walks = walk(STREET, camera_of(STREET), np.random.default_rng(0))
    gap = np.hypot(walks.x_m[:, :, None] - walks.x_m[:, None], walks.y_m[:, :, None] - walks.y_m[:, None])
    both = (walks.person[:, :, None] >= 0) & (walks.person[:, None] >= 0)
    first, second = np.triu_indices(walks.person.shape[1], 1)
    distances = gap[:, first, second][both[:, first, second]]
    assert np.mean(distances < 0.25) < 0.002


def test_one_foot_stays_in_place_while_the_other_swings() -> None:
    walks = people_at([(-2.0, 6.0)], frames=50, speed_m_s=1.3)
    ankles = bodies_of(walks, ACROSS).points_px[:, [LEFT_ANKLE, RIGHT_ANKLE]]
    moved_px = np.abs(np.diff(ankles[..., 0], axis=0))
    body_px = 700.0 * 1.3 * 0.04 / 6.0
    assert moved_px.min(axis=1).max() < 0.4 * body_px
    assert moved_px.max(axis=1).mean() > body_px


def test_nearer_body_occludes_the_one_behind_it() -> None:
    bodies = bodies_of(people_at([(0.0, 5.0), (0.03, 6.0), (1.5, 6.0)]), ACROSS)
    visibility = visibility_of(bodies, np.zeros(3, np.intp), ACROSS, ())
    assert visibility.visible[[0, 2]].tolist() == pytest.approx([1.0, 1.0])
    assert visibility.visible[1] < 0.3
    assert visibility.hider.tolist() == [-1, 0, -1]
    assert visibility.joints[[0, 2]].all()
    assert visibility.joints[1].mean() < 0.3


def test_bodies_of_different_frames_do_not_occlude_each_other() -> None:
    bodies = bodies_of(people_at([(0.0, 5.0), (0.03, 6.0)]), ACROSS)
    assert visibility_of(bodies, np.arange(2), ACROSS, ()).visible.tolist() == pytest.approx([1.0, 1.0])


def test_board_occludes_the_legs_behind_it_and_the_visible_box_ends_above_it() -> None:
    bodies = bodies_of(people_at([(0.0, 6.0), (0.0, 5.0)]), ACROSS)
    visibility = visibility_of(bodies, np.arange(2), ACROSS, (Pillar(0.0, 5.5, 2.0, 0.9),))
    whole = bodies.boxes_px()
    assert 0.3 < visibility.visible[0] < 0.8
    assert visibility.visible[1] == pytest.approx(1.0)
    assert not visibility.open_joints[0, 13:].any()
    assert visibility.seen_px[0, 3] < whole[0, 3] - 50


def test_visible_box_of_a_leaving_body_ends_at_the_border() -> None:
    bodies = bodies_of(people_at([(-2.3, 5.0)]), ACROSS)
    visibility = visibility_of(bodies, np.zeros(1, np.intp), ACROSS, ())
    assert 0.05 < visibility.inside[0] < 0.95
    assert visibility.seen_px[0, 0] == 0.0


def test_box_of_a_whole_body_holds_all_its_joints() -> None:
    bodies = bodies_of(people_at([(0.0, 5.0)], frames=25, speed_m_s=1.5), ACROSS)
    boxes, joints = bodies.boxes_px()[:, None], bodies.points_px[:, :17]
    assert (joints > boxes[..., :2]).all()
    assert (joints < boxes[..., 2:]).all()


def scores_by_visible_part(kind: SceneKind, parts: tuple[float, ...]) -> list[list[float]]:
    """Scores of the detections, by the visible part of their bodies; 0 for missed bodies.

    A body belongs to the last of `parts` (rising) that its visible part reaches.
    """
    frames, _ = scene(kind, 0)
    truths = [scene(replace(kind, min_visible=part), 0)[1] for part in parts]
    scores: list[list[float]] = [[] for _ in parts]
    for frame in frames:
        rows = truths[0][frame.seq + 1]
        overlap = iou_matrix(corners(rows), frame.boxes_xyxy_px.astype(float))
        bodies, found = linear_sum_assignment(np.where(overlap > 0.3, overlap, 0.0), maximize=True)
        pairs = zip(bodies.tolist(), found.tolist(), strict=True)
        got = {body: float(frame.scores[box]) for body, box in pairs if overlap[body, box] > 0.3}
        for place, row in enumerate(rows):
            level = max(index for index, truth in enumerate(truths) if row in truth[frame.seq + 1])
            scores[level].append(got.get(place, 0.0))
    return scores


def test_fully_visible_bodies_are_detected_and_occluded_ones_are_not() -> None:
    kind = replace(STREET, people=9.0, seconds=8.0, detector=replace(STREET.detector, clutter=0.0))
    hidden, half, full = (np.array(scores) for scores in scores_by_visible_part(kind, (0.0, 0.2, 0.9)))
    assert 0.8 < np.median(full) < 0.9
    assert np.mean(full > 0.3) > 0.95
    assert 0.5 < np.mean(half > 0.3) < 0.9
    assert np.mean(hidden > 0.3) < 0.3
    assert np.median(half[half > 0]) < np.median(full) - 0.03


def test_synthetic_network_errs_as_the_real_one_does_on_the_street() -> None:
    """Figures of TUD-Stadtmitte in `benchmarks.scenes.detector`, with room for the randomness of two short scenes."""
    bodies = matched_bodies(scene(replace(STREET, seconds=12.0), seed) for seed in range(2))
    full, found = bodies.visible > 0.9, bodies.scores > 0
    assert np.mean(found[full]) > 0.95
    assert np.median(bodies.scores[full & found]) == pytest.approx(0.85, abs=0.03)
    assert 0.6 < np.mean(~found[bodies.visible < 0.3]) < 0.95
    assert 0.2 < np.mean(~found[(bodies.visible > 0.3) & (bodies.visible < 0.7)]) < 0.5
    deviation = bodies.errors()[full & found & bodies.whole].std(axis=0)
    assert deviation == pytest.approx([0.036, 0.02, 0.036, 0.02], rel=0.6)
    first, second = (bodies.found[rows] for rows in bodies.follow(1))
    size = first[:, 3:] - first[:, 1:2]
    assert np.median(np.abs(second - first) / size, axis=0).max() < 0.02
    legs, wrists = (np.median(bodies.joints[full & found][:, joints, 2]) for joints in (slice(11, 17), slice(9, 11)))
    assert legs > 0.95
    assert 0.4 < wrists < 0.75


def test_truth_box_is_visible_where_no_lower_one_covers_it() -> None:
    frame = replace(scene(replace(SHORT, seconds=0.1), 0)[0][0], seq=0)
    behind, in_front, alone = (
        (1, 100.0, 100.0, 50.0, 150.0),
        (2, 100.0, 180.0, 50.0, 150.0),
        (3, 400.0, 0.0, 50.0, 150.0),
    )
    bodies = matched_bodies([([frame], {1: [behind, in_front, alone]})])
    assert bodies.visible.tolist() == pytest.approx([0.53, 1.0, 1.0], abs=0.05)


def test_people_too_small_for_the_network_are_missed() -> None:
    blind = replace(PLAZA, seconds=10.0, detector=replace(PLAZA.detector, imgsz=640, clutter=0.0))
    keen = replace(blind, detector=replace(blind.detector, imgsz=1920))
    found = [sum(float((frame.scores > 0.25).sum()) for frame in scene(kind, 0)[0]) for kind in (blind, keen)]
    assert found[0] < 0.4 * found[1]


def test_joints_lie_in_their_boxes() -> None:
    frames, _ = scene(replace(SHORT, detector=replace(STREET.detector, clutter=0.0)), 0)
    inside = []
    for frame in frames:
        assert frame.keypoints_px is not None
        side = 0.1 * (frame.boxes_xyxy_px[:, None, 2:] - frame.boxes_xyxy_px[:, None, :2])
        at = frame.keypoints_px[..., :2]
        within = (at > frame.boxes_xyxy_px[:, None, :2] - side) & (at < frame.boxes_xyxy_px[:, None, 2:] + side)
        inside.append(within.all(axis=2)[(frame.keypoints_px[..., 2] > 0.5) & (frame.scores > 0.5)[:, None]])
    assert np.concatenate(inside).mean() > 0.97


def test_detector_without_keypoints_gives_none() -> None:
    frames, _ = scene(replace(SHORT, detector=replace(STREET.detector, keypoints=False)), 0)
    assert all(frame.keypoints_px is None for frame in frames)


def test_truth_leaves_out_people_below_the_requested_visibility() -> None:
    all_people, visible = (scene(replace(SHORT, min_visible=part), 0)[1] for part in (0.0, 0.5))
    kept = sum(map(len, visible.values())) / sum(map(len, all_people.values()))
    assert 0.6 < kept < 0.97
    assert all(set(visible[number]) <= set(all_people[number]) for number in all_people)


@pytest.mark.parametrize("fps", [5.0, 25.0, 60.0])
def test_errors_last_equally_long_at_any_frame_rate(fps: float) -> None:
    noise = LastingNoise(np.random.default_rng(0), (round(60 * fps), 40), 1 / fps).lasting(1.0).reshape(-1, 40)
    assert noise.std() == pytest.approx(1.0, abs=0.1)
    later = round(0.2 * fps), round(3 * fps)
    soon, late = (float((noise[step:] * noise[:-step]).mean()) for step in later)
    assert soon > 0.8
    assert abs(late) < 0.15


def test_weaker_of_two_boxes_on_the_same_body_is_suppressed() -> None:
    boxes = np.array([[0, 0, 50, 100], [2, 0, 52, 100], [40, 0, 90, 100]], float)
    found = SyntheticDetections(boxes, np.array([0.6, 0.8, 0.5]), np.zeros((3, 17, 3))).published((640, 480))
    assert found.boxes_px[:, 0].tolist() == [2, 40]
    assert found.scores.tolist() == [0.8, 0.5]


def test_drawing_writes_a_picture_of_every_frame(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["scenes", str(tmp_path / "out"), "--kind", "plaza", "--seconds", "1"])
    scenes.main()
    pictures = sorted((tmp_path / "out").iterdir())
    assert len(pictures) == 7
    drawn = cv2.imread(str(pictures[0]))
    assert drawn is not None
    assert drawn.shape == (576, 768, 3)
    assert len(np.unique(drawn.reshape(-1, 3), axis=0)) > 5
