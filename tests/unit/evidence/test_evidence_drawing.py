"""Snapshots: heads are blurred before anything is drawn, zones and lines of rules are shown, bad input is refused."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import cv2
import numpy as np
import pytest

from evidence.drawing import as_jpeg, decoded, draw_moment
from posebus.bus.evidence.ring import RingPicture
from posebus.errors import BadPicture
from posebus.messages import Track, TrackFrame
from posebus.subscribing.moment import EventMoment
from recordings.results.rule_shapes import HIGHLIGHT

SOURCE_PX, IMAGE_PX = (1280, 720), (640, 360)
HEAD = slice(40, 80), slice(300, 340)  # rows, columns of the reduced picture
FEET = slice(300, 330), slice(300, 340)


def moment(people: int = 1, image_bgr: Any = None, image_px: tuple[int, int] = IMAGE_PX) -> EventMoment:
    """A chequered picture with a person in its middle, whose head is at HEAD."""
    if image_bgr is None:
        rows, columns = np.indices(IMAGE_PX[::-1])
        image_bgr = np.repeat(((rows // 4 + columns // 4) % 2 * 200 + 20).astype(np.uint8)[..., None], 3, axis=2)
    keypoints = np.full((17, 3), 0.9, np.float32)
    keypoints[:5, 0], keypoints[:5, 1] = (640, 650, 630, 665, 615), (122, 112, 112, 120, 120)
    keypoints[5:, 0] = np.tile((690, 590), 6)
    keypoints[5:, 1] = np.repeat(np.linspace(220, 640, 6), 2)
    box = np.array((560, 70, 720, 680), np.float32)
    track = Track(3, box, 0.9, keypoints, "confirmed", 1.0, keypoint_visibility=np.full(17, 2, np.uint8))
    jpeg = cv2.imencode(".jpg", image_bgr, [cv2.IMWRITE_JPEG_QUALITY, 95])[1].tobytes()
    picture = RingPicture(1, 9, 9, SOURCE_PX, image_px, jpeg)
    tracks = TrackFrame("door", 1, 9, 9, SOURCE_PX, (track,) * people)
    return EventMoment(picture, tracks, (tracks,))


def contrast(image_bgr: Any, place: tuple[slice, slice]) -> float:
    """How much of the chequers is left: the mean difference between neighbours of a field's distance."""
    grey = image_bgr[place].astype(float).mean(axis=2)
    return float(np.abs(grey[:, 4:] - grey[:, :-4]).mean())


def test_heads_are_blurred_and_the_rest_is_not() -> None:
    drawn, plain = draw_moment(moment(), {}), decoded(moment().picture)
    assert contrast(plain, HEAD) > 100
    changed = np.abs(drawn.astype(int) - plain.astype(int)).max(axis=2)
    assert contrast(drawn, HEAD) < 0.4 * contrast(plain, HEAD)  # what is left are the lines of the skeleton
    assert changed[:, :250].max() == 0
    assert contrast(draw_moment(moment(), {}, blur=False), HEAD) > contrast(drawn, HEAD) + 30


def test_a_person_who_was_missed_in_this_frame_is_blurred_by_the_frames_around() -> None:
    missed, seen = moment(0), moment(1).tracks
    around = tuple(replace(seen, seq=9 + step, captured_at_ns=9 + step * 100_000_000) for step in (-1, 1))
    drawn = draw_moment(replace(missed, around=(around[0], missed.tracks, around[1])), {})
    assert contrast(drawn, HEAD) < 0.2 * contrast(decoded(missed.picture), HEAD)


def test_without_people_the_picture_is_as_it_was() -> None:
    assert np.array_equal(draw_moment(moment(0), {}), decoded(moment(0).picture))


@pytest.mark.parametrize("points", [[[100, 600], [500, 600]], [[100 / 1280, 600 / 720], [500 / 1280, 600 / 720]]])
def test_the_rule_of_the_event_stands_out_in_pixels_and_in_parts_of_the_picture(points: Any) -> None:
    rules = {"gate": {"kind": "line", "points": points}, "other": {"kind": "line", "points": [[100, 100], [500, 100]]}}
    drawn = draw_moment(moment(0), rules, {"gate"})
    row = drawn[300, 60:240].astype(int)
    assert np.abs(row - HIGHLIGHT).max() < 12
    quiet = drawn[50, 60:240].astype(int)
    assert np.ptp(quiet, axis=1).max() < 12
    assert np.abs(quiet - decoded(moment(0).picture)[50, 60:240].astype(int)).mean() > 20


@pytest.mark.parametrize(
    "rule",
    [
        None,
        7,
        {},
        {"points": None},
        {"points": []},
        {"points": [[1, 2]]},
        {"points": [[1, 2], [3]]},
        {"points": [["a", "b"], ["c", "d"]]},
        {"points": [[float("nan"), 1], [2, 3]]},
        {"points": [[1e30, 1], [2, 3]]},
        {"points": [[0, 0], [1, 1]] * 400},
        {"points": {"x": 1}},
    ],
)
def test_rules_without_a_shape_and_damaged_ones_are_not_drawn(rule: Any) -> None:
    assert np.array_equal(draw_moment(moment(0), {"gate": rule}, {"gate"}), decoded(moment(0).picture))


@pytest.mark.parametrize("image_px", [(641, 360), (60_000, 60_000)])
def test_a_picture_of_another_size_is_refused(image_px: tuple[int, int]) -> None:
    with pytest.raises(BadPicture):
        draw_moment(moment(image_px=image_px), {})


def test_a_damaged_picture_is_refused() -> None:
    good = moment()
    picture = RingPicture(1, 9, 9, SOURCE_PX, IMAGE_PX, good.picture.jpeg[:100])
    with pytest.raises(BadPicture):
        draw_moment(EventMoment(picture, good.tracks, good.around), {})


def test_the_file_names_its_frame_and_can_be_read_by_others() -> None:
    jpeg = as_jpeg(draw_moment(moment(), {}), moment())
    assert b'{"camera": "door", "epoch": 1, "seq": 9, "captured_at_ns": 9}' in jpeg[:120]
    assert cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR).shape == (360, 640, 3)
