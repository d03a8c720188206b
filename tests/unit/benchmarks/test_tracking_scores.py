"""The bound of given detections, the scored frames, and peers that fail."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.common.annotated import AnnotatedClip, scored
from benchmarks.common.clips import Clip
from benchmarks.common.mot import Rows
from benchmarks.tracking.peers import TRACKERS, Contender, TrackerSpec, chosen
from benchmarks.tracking.scores import BOUND, bound, compared, stressed
from posebus.messages import PoseFrame

Box = tuple[float, float, float, float]


def frame(seq: int, *boxes: Box) -> PoseFrame:
    """A frame with detections of left, top, width, height."""
    array = np.array([(x, y, x + w, y + h) for x, y, w, h in boxes], np.float32).reshape(-1, 4)
    scores = np.full(len(boxes), 0.9, np.float32)
    return PoseFrame("yard", 1, seq, seq * 40_000_000, (640, 480), array, scores, None)


def scene(truth: Rows, frames: list[PoseFrame]) -> AnnotatedClip:
    return AnnotatedClip(Clip("yard", None, 25.0, frames), truth)


def one(fps: float) -> Contender:
    """A tracker that gives everyone the identity 1."""
    return Contender(
        prepare=lambda frame, picture: (frame.boxes_xyxy_px,),
        update=lambda boxes: boxes,
        people=lambda boxes: [(1, box) for box in boxes],
    )


def broken(fps: float) -> Contender:
    """A tracker that fails on its second frame."""

    def update(frame: PoseFrame) -> None:
        if frame.seq:
            raise ValueError("no more")

    return Contender(lambda frame, picture: (frame,), update, lambda answer: [])


def test_bound_gives_each_detection_the_identity_of_the_matching_person() -> None:
    truth: Rows = {1: [(7, 0, 0, 40, 100), (8, 30, 0, 40, 100)]}
    rows = bound(truth, [frame(0, (32, 0, 40, 100), (2, 0, 40, 100), (300, 0, 40, 100))])
    assert sorted(rows[1]) == [(7, 2, 0, 40, 100), (8, 32, 0, 40, 100)]


def test_bound_matches_as_many_as_possible_and_not_greedily() -> None:
    # The nearest pair (8, first box; IoU 0.9) would leave 7 without its only box.
    truth: Rows = {1: [(7, 0, 0, 40, 100), (8, 12, 0, 40, 100)]}
    rows = bound(truth, [frame(0, (10, 0, 40, 100), (24, 0, 40, 100))])
    assert [row[0] for row in sorted(rows[1])] == [7, 8]


def test_bound_leaves_out_detections_that_overlap_by_less_than_half() -> None:
    assert bound({1: [(7, 0, 0, 40, 100)]}, [frame(0, (20, 0, 40, 100)), frame(1, (0, 0, 40, 100))]) == {1: [], 2: []}


def test_dropped_frames_are_not_scored() -> None:
    truth: Rows = {number: [(1, 10.0 * number, 0, 40, 100)] for number in range(1, 11)}
    frames = [frame(number - 1, truth[number][0][1:]) for number in truth]
    kept = frames[::3]
    found = scored(scene(truth, frames), bound(truth, kept), kept)
    assert found["HOTA"] == pytest.approx(1.0)
    assert found["Frag"] == 0


def test_frames_after_the_last_annotated_one_are_not_scored() -> None:
    truth: Rows = {1: [(1, 0, 0, 40, 100)], 2: [(1, 0, 0, 40, 100)]}
    assert [kept.seq for kept in scene(truth, [frame(seq) for seq in range(5)]).frames] == [0, 1]


def test_failing_peer_is_left_out_and_the_others_are_compared(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(TRACKERS, "one", TrackerSpec(one))
    monkeypatch.setitem(TRACKERS, "broken", TrackerSpec(broken))
    truth: Rows = {number: [(1, 0, 0, 40, 100)] for number in range(1, 9)}
    yard = scene(truth, [frame(seq, (0, 0, 40, 100)) for seq in range(8)])
    steps: list[str] = []
    plain = compared(yard, ["broken", "one"], 2, steps.append)
    assert list(plain) == [BOUND, "one"]
    assert plain["one"]["HOTA"] == pytest.approx(1.0)
    assert plain["one"]["us_per_frame"] > 0
    assert "broken fails on yard" in capsys.readouterr().err
    hard = stressed(yard, plain, steps.append)
    assert all(list(lines) == [BOUND, "one"] for lines in hard.values())
    assert hard["no keypoints"]["one"]["HOTA"] == plain["one"]["HOTA"]


def test_families_and_names_choose_each_tracker_once() -> None:
    assert chosen(["norfair", "posebus"]) == ["norfair", "posebus", "posebus+corrected", "posebus-no-colours"]
    assert chosen(["roboflow-sort", "roboflow"]).count("roboflow-sort") == 1
    with pytest.raises(SystemExit, match="no tracker is called 'deepsort'"):
        chosen(["deepsort"])
