"""MOTChallenge files: reading, matching and scores."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmarks.common.hota import score, without_distractors
from benchmarks.common.mot import Rows, corners_of, read_distractors, read_mot
from posebus.boxes import iou_matrix


def test_iou_of_boxes_given_as_left_top_width_height() -> None:
    one = np.array([[0, 0, 10, 10], [5, 0, 10, 10], [0, 0, 0, 0]], float)
    np.testing.assert_allclose(iou_matrix(corners_of(one), corners_of(one[:1]))[:, 0], [1, 1 / 3, 0])
    assert iou_matrix(corners_of(one), corners_of(np.zeros((0, 4)))).shape == (3, 0)


def test_truth_rows_that_do_not_count_are_left_out(tmp_path: Path) -> None:
    path = tmp_path / "clip.gt.txt"
    path.write_text("1,1,0,0,10,10,1,1,1\n1,2,0,0,10,10,0,7,1\n\n2,1,5,0,10,10,1,1,1\n")
    assert dict(read_mot(path, truth=True)) == {1: [(1, 0, 0, 10, 10)], 2: [(1, 5, 0, 10, 10)]}
    assert dict(read_distractors(path)) == {1: [(2, 0, 0, 10, 10)]}


def test_world_coordinates_of_mot15_are_not_read_as_classes(tmp_path: Path) -> None:
    path = tmp_path / "clip.gt.txt"
    path.write_text("1,1,0,0,10,10,1,7,8,12\n")
    assert not read_distractors(path)


def test_malformed_line_is_reported_with_its_number(tmp_path: Path) -> None:
    path = tmp_path / "clip.gt.txt"
    path.write_text("1,1,0,0,10,10,1\nframe,id,left,top,width,height,conf\n")
    with pytest.raises(SystemExit, match=r"clip\.gt\.txt, line 2"):
        read_mot(path)


def test_detection_on_a_distractor_is_not_scored() -> None:
    truth: Rows = {1: [(1, 0, 0, 40, 100)], 2: [(1, 0, 0, 40, 100)]}
    distractors: Rows = {1: [(9, 200, 0, 40, 100)]}
    result: Rows = {
        1: [(5, 2, 0, 40, 100), (6, 202, 0, 40, 100)],
        2: [(5, 2, 0, 40, 100), (6, 202, 0, 40, 100)],
    }
    kept = without_distractors(truth, distractors, result)
    assert kept == {1: [(5, 2, 0, 40, 100)], 2: result[2]}
    assert score(truth, kept)["MOTA"] == pytest.approx(0.5)


def test_perfect_result_scores_one_and_empty_result_zero() -> None:
    truth: Rows = {number: [(1, number, 0, 40, 100)] for number in range(1, 5)}
    assert score(truth, truth)["HOTA"] == pytest.approx(1.0)
    assert score(truth, {})["HOTA"] == 0
