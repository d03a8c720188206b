"""Moving scenes: camera paths, rendered pictures, the judgement of identities, and the tables."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from benchmarks.common.mot import Rows
from benchmarks.moving import paths
from benchmarks.moving.actors import Actor, stand
from benchmarks.moving.camera import moved, moved_boxes, moved_rows, path_of, with_true_motion
from benchmarks.moving.contenders import CORRECTED, OURS, TRUE_MOTION, contenders, correct, followed
from benchmarks.moving.estimates import Estimates
from benchmarks.moving.film import Film, World, filmed
from benchmarks.moving.judging import Judgement, judged
from benchmarks.moving.pictures import pictures
from benchmarks.moving.report import MovingReport, scenes_in
from benchmarks.moving.table import Outcome, as_json, before_table, common, group_table, perfect_table, scene_table
from benchmarks.moving.take import Take
from posebus.messages import PoseFrame, Renaming

SIZE_PX = (640, 480)
BOX = (100.0, 50.0, 140.0, 150.0)
STILL = Actor(stand(0.0, 10.0))


def frame_of(*boxes: tuple[float, ...], seq: int = 0) -> PoseFrame:
    """A frame of 640x480 with detections of score 0.8, all joints in the middle of their box."""
    corners = np.array(boxes, np.float32).reshape(-1, 4)
    joints = np.full((len(corners), 17, 3), 0.9, np.float32)
    joints[..., :2] = ((corners[:, :2] + corners[:, 2:]) / 2)[:, None]
    scores = np.full(len(corners), 0.8, np.float32)
    return PoseFrame("c", 1, seq, seq * 100_000_000, SIZE_PX, corners, scores, joints)


def shifted(*shifts_px: tuple[float, float]) -> np.ndarray:
    """Matrices of a camera whose picture is shifted by these pixels."""
    x, y = np.array(shifts_px, float).T
    return paths.shifts(x, y)


def test_camera_moves_boxes_joints_and_truth_by_the_same_pixels() -> None:
    path = path_of(shifted((0, 0), (30, -20)), SIZE_PX)
    first, second = moved([frame_of(BOX), frame_of(BOX, seq=1)], path)
    assert first.boxes_xyxy_px.tolist() == [list(BOX)]
    assert second.boxes_xyxy_px.tolist() == [[130, 30, 170, 130]]
    assert second.keypoints_px is not None
    assert second.keypoints_px[0, 0].tolist() == pytest.approx([150, 80, 0.9])
    assert second.scores.tolist() == first.scores.tolist()
    assert moved_rows([(7, 100, 50, 40, 100)], path, 1) == [(7, 130, 30, 40, 100)]


def test_what_the_border_cuts_is_clipped_less_sure_and_left_out_where_little_remains() -> None:
    path = path_of(shifted((-120, 0), (-139, 0)), SIZE_PX)
    half, gone = moved([frame_of(BOX), frame_of(BOX)], path)
    assert half.boxes_xyxy_px.tolist() == [[0, 50, 20, 150]]
    assert 0.5 < half.scores[0] < 0.8
    assert len(gone.scores) == 0
    assert len(moved_rows([(1, 100, 50, 40, 100)], path, 0)) == 1
    assert moved_rows([(1, 100, 50, 40, 100)], path, 1) == []


def test_joint_outside_the_picture_is_hardly_believed() -> None:
    frame = frame_of(BOX)
    assert frame.keypoints_px is not None
    frame.keypoints_px[0, 3, 0] = 105
    (cut,) = moved([frame], path_of(shifted((-110, 0)), SIZE_PX))
    assert cut.keypoints_px is not None
    assert cut.keypoints_px[0, 3].tolist() == pytest.approx([0, 100, 0.309], abs=0.01)  # logit(0.9) - 3
    assert cut.keypoints_px[0, 4, 2] == pytest.approx(0.9)


def test_box_doubles_with_the_zoom_and_lies_down_when_the_picture_is_turned() -> None:
    matrices = paths.scaled(np.array([2.0, 1.0]), (320.0, 240.0), np.array([0.0, np.pi / 2]))
    box = np.array([BOX])
    assert moved_boxes(box, matrices[0])[0].tolist() == pytest.approx([-120, -140, -40, 60])
    # A quarter turn maps (x, y) around the middle to (-y, x): width and height are exchanged.
    assert moved_boxes(box, matrices[1])[0].tolist() == pytest.approx([410, 20, 510, 60])


def test_true_motion_is_relative_to_the_first_frame_of_the_shot() -> None:
    shots = np.array([0, 0, 1, 1])
    path = path_of(shifted((5, 0), (15, -3), (900, 0), (902, 1)), SIZE_PX, shots)
    found = [frame.camera_motion for frame in with_true_motion([frame_of(seq=place) for place in range(4)], path)]
    assert [motion.shot for motion in found if motion] == [0, 0, 1, 1]
    shifts = [(motion.matrix[2], motion.matrix[5]) for motion in found if motion]
    assert np.ravel(shifts).tolist() == pytest.approx([0, 0, 10, -3, 0, 0, 2, 1])


@pytest.mark.parametrize("fps", [10, 25])
def test_pan_ends_after_its_time_at_its_distance(fps: float) -> None:
    times_s = np.arange(0, 5, 1 / fps)
    x_px = paths.pan(times_s, 400.0, 3.0, 0.4)[:, 0, 2]
    assert (x_px[times_s <= 3.0] == 0).all()
    assert x_px[times_s > 3.4].tolist() == pytest.approx([400.0] * int((times_s > 3.4).sum()))
    assert (np.diff(x_px) >= 0).all()


def test_jump_happens_in_the_first_frame_of_its_time() -> None:
    assert paths.progress(np.array([2.9, 3.0, 3.1]), 3.0, 0.0).tolist() == [0, 1, 1]


def test_shake_has_its_amplitude_and_frequency_at_any_rate() -> None:
    times_s = np.arange(0, 10, 0.01)
    x_px = paths.shake(times_s, 40.0, np.random.default_rng(0))[:, 0, 2]
    assert np.abs(x_px).max() == pytest.approx(40.0, abs=0.5)
    crossings = int((np.diff(np.sign(x_px)) != 0).sum())
    assert crossings == pytest.approx(2 * 3 * 10, abs=1)
    slow = paths.shake(times_s[::10], 40.0, np.random.default_rng(0))[:, 0, 2]
    assert slow.tolist() == pytest.approx(x_px[::10].tolist())


def test_zoom_ends_at_its_factor_around_the_middle() -> None:
    matrix = paths.zoom(np.array([0.0, 9.0]), 2.0, 3.0, 0.5, (320.0, 240.0))[1]
    assert (matrix @ [320, 240, 1]).tolist() == pytest.approx([320, 240, 1])
    assert (matrix @ [330, 240, 1]).tolist() == pytest.approx([340, 240, 1])


def tracks_of(*frames: dict[int, float]) -> Rows:
    """Rows whose boxes are 40x100 px and begin at the given x, by frame number from 1."""
    return {
        number: [(track, x, 100.0, 40.0, 100.0) for track, x in now.items()] for number, now in enumerate(frames, 1)
    }


TRUTH = tracks_of(*[{1: 0.0, 2: 200.0}] * 10)
SEEN = [frozenset({1, 2})] * 10


@pytest.mark.parametrize(
    ("result", "expected"),
    [
        ([{5: 0, 6: 200}] * 10, (1.0, 1.0, 0, 0, 0, True)),
        ([{5: 0, 6: 200}] * 5 + [{7: 0, 6: 200}] * 5, (1.5, 1.0, 0, 0, 0, False)),
        ([{5: 0, 6: 200}] * 5 + [{6: 0, 5: 200}] * 5, (2.0, 1.0, 2, 0, 0, False)),
        ([{5: 0, 6: 200, 7: 400}] * 10, (1.0, 1.0, 0, 1, 1, False)),
        ([{5: 0, 6: 200}] * 8 + [{5: 0}] * 2, (1.0, 0.9, 0, 0, 0, True)),
        ([{5: 0, 6: 200}] * 4 + [{5: 0}] * 6, (1.0, 0.7, 0, 0, 0, False)),
        ([{}] * 10, (0.0, 0.0, 0, 0, -2, False)),
    ],
    ids=["perfect", "new number", "exchanged", "extra track", "missed briefly", "missed mostly", "nothing"],
)
def test_identities_are_judged(result: list[dict[int, float]], expected: tuple[float, ...]) -> None:
    found = judged(TRUTH, SEEN, tracks_of(*result), 10.0)
    assert (found.ids, found.covered, found.takeovers, found.extra, found.most, found.perfect) == pytest.approx(
        expected
    )
    assert found.visible == 2.0


def test_number_counts_only_if_it_lasts_and_people_only_if_they_are_in_the_focus() -> None:
    result = [{5: 0, 6: 200}] * 4 + [{5: 0, 7: 200}] + [{5: 0, 6: 200}] * 5
    assert not judged(TRUTH, SEEN, tracks_of(*result), 10.0).perfect
    assert judged(TRUTH, SEEN, tracks_of(*result), 20.0).perfect
    assert judged(TRUTH, SEEN, tracks_of(*result), 10.0, frozenset({1})).perfect


def test_people_who_stand_in_one_place_keep_the_tracks_that_they_had() -> None:
    truth = tracks_of({1: 0, 2: 200}, {1: 100, 2: 104}, {1: 200, 2: 0})
    result = tracks_of({5: 0, 6: 200}, {5: 104, 6: 100}, {5: 200, 6: 0})
    assert judged(truth, [frozenset({1, 2})] * 3, result, 5.0).perfect
    exchanged = tracks_of({5: 0, 6: 200}, {6: 104, 5: 100}, {6: 200, 5: 0})
    assert not judged(truth, [frozenset({1, 2})] * 3, exchanged, 5.0).perfect


def test_exchange_of_numbers_is_corrected_since_its_frame_of_the_same_epoch() -> None:
    frames = [replace(frame_of(seq=seq), epoch=epoch) for epoch, seq in ((1, 0), (2, 0), (2, 1), (2, 2))]
    rows = tracks_of({1: 0, 2: 9}, {1: 0, 2: 9}, {1: 0, 2: 9}, {1: 0, 2: 9})
    correct(rows, frames, 3, (Renaming(1, 2, 1), Renaming(2, 1, 1)))
    assert [[row[0] for row in rows[number]] for number in (1, 2, 3, 4)] == [[1, 2], [1, 2], [2, 1], [1, 2]]


def test_our_tracker_keeps_one_number_before_a_still_camera_and_gets_the_motion_of_a_moving_one() -> None:
    take = Take(filmed([STILL], World(10.0, 1.0), 0), 10.0)
    found = followed(contenders([OURS]), take)
    assert set(found) == {OURS, CORRECTED}
    assert judged(take.film.truth, take.film.visible, found[OURS], 10.0).perfect
    moving = replace(take, path=path_of(shifted(*[(3.0 * place, 0.0) for place in range(10)]), (1280, 720)))
    assert set(followed([TRUE_MOTION], moving)) == {TRUE_MOTION}


def test_pictures_move_as_the_camera_does() -> None:
    empty = Film([replace(frame_of(), size_px=(320, 240))] * 2, {1: [], 2: []}, [frozenset()] * 2)
    take = Take(empty, 10.0, path_of(shifted((0, 0), (12, -7)), (320, 240)))
    first, second = (cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY).astype(np.float64) for picture in pictures(take))
    window = cv2.createHanningWindow((320, 240), cv2.CV_64F)
    (x_px, y_px), _ = cv2.phaseCorrelate(first, second, window)
    assert (x_px, y_px) == pytest.approx((12, -7), abs=0.5)


def test_ingest_finds_the_motion_in_the_pictures() -> None:
    pytest.importorskip("ingest.camera_motion")
    size_px = (640, 480)
    frames = [frame_of(seq=seq) for seq in range(3)]
    still = Film(frames, {number: [] for number in (1, 2, 3)}, [frozenset()] * 3)
    take = Take(still, 10.0, path_of(shifted((0, 0), (12, -7), (30, -16)), size_px))
    estimates = Estimates()
    found = [estimates.motion(frame, picture) for frame, picture in zip(frames, pictures(take), strict=True)]
    assert [motion.shot for motion in found] == [0, 0, 0]
    assert [found[2].matrix[2], found[2].matrix[5]] == pytest.approx([30, -16], abs=1.5)


def outcome(tracker: str, seed: int, scene: str = "pan") -> Outcome:
    return Outcome("g", scene, tracker, seed, Judgement(1.0, 1.0, 0, 0, 3.0, 3.0, 0, seed % 2 == 0), 0.8, 0.9)


def test_trackers_are_compared_over_the_takes_that_all_of_them_ran() -> None:
    ran = [outcome("a", seed) for seed in range(4)] + [outcome("b", seed) for seed in range(2)]
    alone = [outcome("a", 3, "still")]
    assert common([*ran, *alone]) == [*ran[:2], *ran[4:], *alone]
    table = group_table("g", common(ran))
    assert table.title == "g: 1 scenes, 2 takes"
    assert [row[:3] for row in table.rows] == [["a", "50 %", "1.00"], ["b", "50 %", "1.00"]]


def test_results_are_compared_with_earlier_ones(tmp_path: Path) -> None:
    now = MovingReport([outcome("posebus", seed) for seed in range(4)])
    now.write(tmp_path)
    before = scenes_in(tmp_path / "results.json")
    assert [(row["tracker"], row["takes"], row["perfect"]) for row in before] == [("posebus", 4, 0.5)]
    table = before_table(before, as_json([outcome("posebus", 0), outcome("posebus+motion", 1)]))
    assert table.header == ["", "before", "posebus", "posebus+motion"]
    assert table.rows == [["g", "50 %", "100 %", "0 %"]]
    with pytest.raises(SystemExit, match="is no results"):
        scenes_in(tmp_path / "results.md")


def test_table_shows_group_scene_and_tracker() -> None:
    table = scene_table("g", [outcome("posebus", 0), outcome("norfair", 1, "zoom")])
    assert [row[:2] for row in table.rows] == [["pan: posebus", "100 %"], ["zoom: norfair", "0 %"]]
    assert perfect_table([outcome("posebus", 0)]).rows == [["posebus", "100 %"]]
