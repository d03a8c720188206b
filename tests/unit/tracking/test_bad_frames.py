"""Frames of a caller's own making: refused with ValueError, or tracked like the same frame in float32."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from posebus.messages import CaptureClock, Delivery, PoseFrame, TrackFrame, Uninferred
from tests.unit.tracking.scenes import SIZE_PX, person, pose_frame
from tracking import PoseTracker

FRAMES = 6
COLOURS = np.random.default_rng(1).random((2, 64), np.float32)

Change = Callable[[PoseFrame], PoseFrame]


def walk(seq: int) -> PoseFrame:
    """Two people who walk towards each other."""
    boxes = [person(300 + 8 * seq, 360), person(700 - 8 * seq, 350)]
    return replace(pose_frame(boxes, seq, seq * 0.1), appearance=COLOURS)


def tracked(change: Change = lambda frame: frame) -> list[TrackFrame]:
    tracker = PoseTracker()
    return [tracker.update(change(walk(seq))) for seq in range(FRAMES)]


def changed(convert: Callable[[Any], Any]) -> Change:
    """Every array of a frame, converted."""

    def change(frame: PoseFrame) -> PoseFrame:
        names = ("boxes_xyxy_px", "scores", "keypoints_px", "appearance")
        return replace(frame, **{name: convert(getattr(frame, name)) for name in names})

    return change


def strided(array: np.ndarray) -> np.ndarray:
    """The same values, with gaps between them in memory."""
    wide = np.full((*array.shape[:-1], 2 * array.shape[-1]), np.nan, np.float32)
    wide[..., ::2] = array
    return wide[..., ::2]


@pytest.mark.parametrize(
    "convert",
    [np.float64, np.asfortranarray, strided, lambda array: array.byteswap().view(array.dtype.newbyteorder())],
    ids=["float64", "columns first", "gaps", "bytes swapped"],
)
def test_other_layouts_of_the_same_numbers_give_the_same_tracks(convert: Callable[[Any], Any]) -> None:
    for mine, plain in zip(tracked(changed(convert)), tracked(), strict=True):
        for track, expected in zip(mine.tracks, plain.tracks, strict=True):
            assert (track.id, track.state, track.score) == (expected.id, expected.state, expected.score)
            np.testing.assert_array_equal(track.box_xyxy_px, expected.box_xyxy_px)
            np.testing.assert_array_equal(track.keypoints_px, expected.keypoints_px)


def test_scores_of_other_people_are_refused_and_change_nothing() -> None:
    """They made a kernel read beyond the boxes: memory of something else became a person."""
    tracker, undisturbed = PoseTracker(), PoseTracker()
    for seq in range(FRAMES):
        with pytest.raises(ValueError, match=r"PoseFrame.scores has the shape \(300,\), expected \(2,\)"):
            tracker.update(replace(walk(seq), scores=np.full(300, 0.9, np.float32)))
        mine, expected = tracker.update(walk(seq)), undisturbed.update(walk(seq))
        assert [track.id for track in mine.tracks] == [track.id for track in expected.tracks]


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 1e300])
def test_numbers_that_float32_cannot_hold_lose_their_detection_alone(value: float) -> None:
    def spoil(frame: PoseFrame) -> PoseFrame:
        boxes = frame.boxes_xyxy_px.astype(np.float64)
        boxes[1, 2] = value
        return replace(frame, boxes_xyxy_px=boxes)

    assert [len(frame.tracks) for frame in tracked(spoil)] == [1] * FRAMES


def test_the_number_of_keypoints_may_change_between_frames() -> None:
    tracker = PoseTracker()
    shapes = []
    for seq, count in enumerate((17, 5, None, 0, 133, 17)):
        keypoints = None if count is None else np.zeros((2, count, 3), np.float32)
        (track, _) = tracker.update(replace(walk(seq), keypoints_px=keypoints)).tracks
        shapes.append(None if track.keypoints_px is None else track.keypoints_px.shape)
    assert (shapes[0], shapes[1], shapes[2], shapes[4]) == ((17, 3), (5, 3), None, (133, 3))


def test_colours_of_another_layout_are_ignored() -> None:
    for size in (0, 63, 65, 4096):
        found = tracked(lambda frame, size=size: replace(frame, appearance=np.ones((2, size), np.float32)))
        assert [track.id for track in found[-1].tracks] == [1, 2]


def test_prediction_checks_its_frame_too() -> None:
    bad = Uninferred("yard", 1, 0, 10**23, CaptureClock.FILE, Delivery.LIVE, SIZE_PX, "still")
    with pytest.raises(ValueError, match=r"Uninferred\.captured_at_ns is 1000"):
        PoseTracker().predict(bad)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"boxes_xyxy_px": [[1, 2, 3, 4]]}, r"PoseFrame\.boxes_xyxy_px is of the type list, expected a numpy array"),
        ({"boxes_xyxy_px": np.zeros((2, 5), np.float32)}, r"has the shape \(2, 5\), expected \(\*, 4\)"),
        ({"boxes_xyxy_px": np.array([["a"] * 4] * 2)}, "has the dtype <U1, expected float32"),
        ({"keypoints_px": np.zeros((2, 17, 2), np.float32)}, r"has the shape \(2, 17, 2\), expected \(2, \*, 3\)"),
        ({"size_px": (640.0, 480)}, r"PoseFrame\.size_px is \(640\.0, 480\), expected whole numbers"),
        ({"captured_at_ns": 1.5e9}, r"PoseFrame\.captured_at_ns is 1500000000\.0, expected a whole number"),
        ({"camera": None}, r"PoseFrame\.camera is None, expected a name"),
        ({"pixel_aspect": 0}, r"PoseFrame\.pixel_aspect is 0, expected the width of a pixel divided by its height"),
        ({"camera_motion": np.eye(3)}, r"PoseFrame\.camera_motion is of the type ndarray, expected CameraMotion"),
    ],
)
def test_each_wrong_field_is_named_in_a_sentence_and_changes_nothing(change: dict[str, Any], sentence: str) -> None:
    tracker = PoseTracker()
    tracker.update(walk(0))
    with pytest.raises(ValueError, match=sentence):
        tracker.update(replace(walk(1), **change))
    assert [track.id for track in tracker.update(walk(1)).tracks] == [1, 2]


def test_what_is_no_frame_and_no_settings_is_said_too() -> None:
    anything: Any = {"boxes": []}
    with pytest.raises(ValueError, match="a frame is of the type dict, expected PoseFrame"):
        PoseTracker().update(anything)
    with pytest.raises(ValueError, match="settings is of the type dict, expected TrackerSettings"):
        PoseTracker(anything)


def test_a_frame_that_is_not_newer_gets_no_tracks_and_changes_nothing() -> None:
    tracker = PoseTracker()
    for seq in (0, 2):
        tracker.update(walk(seq))
    assert tracker.update(walk(1)).tracks == ()
    assert [track.id for track in tracker.update(walk(3)).tracks] == [1, 2]
