"""The motion of the camera, in pictures that are moved by known amounts: the true place of each point is computed."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import cv2
import numpy as np
import pytest

from ingest.camera_motion.estimator import MotionEstimator
from ingest.camera_motion.follower import MotionFollower
from ingest.camera_motion.geometry import small_size_px
from ingest.sources import CapturedImage
from ingest.sources.decoding.pixels import RowsImage
from posebus.arrays import Float64Array, UInt8Array
from posebus.messages import CameraMotion, CaptureClock

WIDTH, HEIGHT = 1280, 720
SIZE_PX = WIDTH, HEIGHT
TENTH_NS = 100_000_000
CORNERS = np.array(((0, WIDTH, WIDTH, 0), (0, 0, HEIGHT, HEIGHT), (1, 1, 1, 1)), np.float64)


def scenery(seed: int = 1, side: int = 2400) -> UInt8Array:
    """A place to look at: blotches of all sizes, as in a street."""
    rng = np.random.default_rng(seed)
    place = np.full((side, side), 120.0, np.float32)
    for scale, contrast in ((8, 70), (24, 70), (80, 60), (240, 40)):
        cells = math.ceil(side / scale)
        rough = rng.uniform(-1, 1, (cells, cells)).astype(np.float32)
        place += contrast * np.asarray(cv2.resize(rough, (side, side), interpolation=cv2.INTER_LINEAR))
    return np.clip(place, 0, 255).astype(np.uint8)


PLACE, ELSEWHERE = scenery(1), scenery(2)


@dataclass(frozen=True)
class Look:
    """Where the camera looks: shift in px, zoom and turn, about the middle of the picture."""

    x: float = 0.0
    y: float = 0.0
    zoom: float = 1.0
    turn_deg: float = 0.0

    def from_place(self, size_px: tuple[int, int] = SIZE_PX) -> Float64Array:
        """The map (3, 3) from pixels of the place to those of a picture of this size."""
        scale = size_px[0] / WIDTH * self.zoom
        cos, sin = (scale * one(math.radians(self.turn_deg)) for one in (math.cos, math.sin))
        linear = np.array(((cos, -sin), (sin, cos)))
        middle = 1200 + np.array((self.x, self.y))
        shift = np.array(size_px) / 2 - linear @ middle
        return np.vstack((np.column_stack((linear, shift)), (0, 0, 1)))


def small_picture(look: Look, place: UInt8Array = PLACE, size_px: tuple[int, int] = SIZE_PX) -> UInt8Array:
    """The small grey picture: drawn at its own size, from a place that is as smooth as a picture that was reduced."""
    width, height = small_size_px(size_px)
    scale = size_px[0] / width
    # A pixel of the small picture is the mean of those of the source: whole numbers are its middles.
    to_small = np.array(((1 / scale, 0, -0.5), (0, 1 / scale, -0.5), (0, 0, 1)))
    middles = np.array(((1, 0, 0.5), (0, 1, 0.5), (0, 0, 1)))
    drawn = to_small @ look.from_place(size_px) @ middles
    smooth = cv2.blur(place, (max(1, round(scale)), max(1, round(scale))))
    picture = cv2.warpAffine(smooth, drawn[:2], (width, height), flags=cv2.INTER_LINEAR)
    return np.asarray(picture, np.uint8)


def matrix_of(motion: CameraMotion) -> Float64Array:
    return np.array((*motion.matrix, 0, 0, 1)).reshape(3, 3)


def error_px(motion: CameraMotion, first: Look, look: Look) -> float:
    """How far a corner of the picture is from where the motion says it is, at most."""
    true = look.from_place() @ np.linalg.inv(first.from_place())
    apart = ((matrix_of(motion) - true) @ CORNERS)[:2]
    return float(np.hypot(*apart).max())


def followed(
    pictures: Iterable[UInt8Array], step_ns: int = TENTH_NS, estimator: MotionEstimator | None = None
) -> list[CameraMotion]:
    estimator = estimator or MotionEstimator()
    return [estimator.update(picture, SIZE_PX, index * step_ns) for index, picture in enumerate(pictures)]


def shaken(index: int) -> Look:
    x, y = np.random.default_rng(index).uniform(-40, 40, 2) if index else (0.0, 0.0)
    return Look(x, y)


MOVES: dict[str, Callable[[int], Look]] = {
    "shake of 40 px": shaken,
    "pan of 100 px a frame": lambda index: Look(100.0 * min(4, max(0, index - 2))),
    "pan of 4 px a frame": lambda index: Look(4.0 * index, -1.0 * index),
    "zoom by 15 % a frame": lambda index: Look(zoom=1.15 ** min(5, max(0, index - 2))),
    "zoom out by 13 % a frame": lambda index: Look(zoom=1.15 ** -min(5, max(0, index - 2))),
    "turn by 3 degrees a frame": lambda index: Look(turn_deg=3.0 * index),
    "all at once": lambda index: Look(20.0 * index, 5.0 * index, 1.01**index, 0.5 * index),
}


@pytest.mark.parametrize("move", MOVES)
def test_a_moving_camera_is_followed_to_three_pixels_in_1280(move: str) -> None:
    looks = [MOVES[move](index) for index in range(16)]
    motions = followed(small_picture(look) for look in looks)
    assert {motion.shot for motion in motions} == {0}
    assert max(error_px(motion, looks[0], look) for motion, look in zip(motions, looks, strict=True)) < 3.0
    assert min(motion.certainty for motion in motions) > 0.5


def test_the_matrix_of_a_still_camera_stays_exactly_the_same_while_people_pass_and_light_changes() -> None:
    rng = np.random.default_rng(3)
    for look in (Look(), Look(300, 100)):  # the second one after a move
        estimator = MotionEstimator()
        if look != Look():
            followed((small_picture(Look(75 * index, 25 * index)) for index in range(5)), estimator=estimator)
        pictures = []
        for index in range(30):
            picture = small_picture(look)
            for person in range(4):
                left = (17 * person + (3 + person) * index) % 140
                picture[30:85, left : left + 15] = rng.integers(0, 255, (55, 15))
            light = 1 + 0.3 * math.sin(index)
            pictures.append(np.clip(picture * light + rng.normal(0, 2, picture.shape), 0, 255).astype(np.uint8))
        motions = followed(pictures, estimator=estimator)
        assert {motion.shot for motion in motions} == {0}
        assert len({motion.matrix for motion in motions[8:]}) == 1, "it may take a moment until the camera rests"
        assert motions[-1].certainty > 0.9


def test_a_slow_pan_is_not_taken_for_standing_still() -> None:
    """2 px a second: each step is far below the error of the estimate."""
    looks = [Look(0.08 * index) for index in range(250)]
    motions = followed((small_picture(look) for look in looks), step_ns=TENTH_NS * 4 // 10)
    assert error_px(motions[-1], looks[0], looks[-1]) < 5.0
    assert motions[-1].matrix[2] < -15.0


def test_a_cut_begins_a_new_shot_and_its_matrix_begins_anew() -> None:
    looks = [shaken(index) for index in range(12)]
    places = [PLACE] * 6 + [ELSEWHERE] * 6
    motions = followed(small_picture(look, place) for look, place in zip(looks, places, strict=True))
    assert [motion.shot for motion in motions] == [0] * 6 + [1] * 6
    assert motions[6] == CameraMotion(1, (1.0, 0.0, 0.0, 0.0, 1.0, 0.0), 1.0)
    assert max(error_px(motion, looks[6], look) for motion, look in zip(motions[6:], looks[6:], strict=True)) < 3.0


def test_a_camera_that_jumps_to_where_nothing_overlaps_begins_a_new_shot() -> None:
    motions = followed(small_picture(Look(-550 if index < 5 else 550, 0, 1.2)) for index in range(10))
    assert [motion.shot for motion in motions] == [0] * 5 + [1] * 5


def test_half_the_view_connects_two_pictures_after_a_jump() -> None:
    looks = [Look(), Look(), Look(500, 0), Look(500, 0)]
    motions = followed(small_picture(look) for look in looks)
    assert [motion.shot for motion in motions] == [0] * 4
    assert error_px(motions[-1], looks[0], looks[-1]) < 3.0


def test_pictures_that_show_nothing_have_no_certainty_and_end_no_shot() -> None:
    black, white = np.zeros((90, 160), np.uint8), np.full((90, 160), 255, np.uint8)
    looks = [shaken(index) for index in range(9)]
    pictures = [small_picture(look) for look in looks]
    for index, blank in ((3, black), (4, black), (7, white)):
        pictures[index] = blank
    motions = followed(pictures)
    assert {motion.shot for motion in motions} == {0}
    assert [motion.certainty == 0 for motion in motions] == [index in (3, 4, 7) for index in range(9)]
    assert motions[3].matrix == motions[4].matrix == motions[2].matrix
    for index in (2, 5, 6, 8):
        assert error_px(motions[index], looks[0], looks[index]) < 3.0


def test_a_stream_that_begins_in_the_dark_is_followed_from_its_first_picture_that_shows_anything() -> None:
    looks = [shaken(index) for index in range(6)]
    motions = followed([np.zeros((90, 160), np.uint8), *map(small_picture, looks)])
    assert {motion.shot for motion in motions} == {0}
    assert [motion.certainty == 0 for motion in motions[1:]] == [True] + [False] * 5
    assert error_px(motions[-1], looks[0], looks[-1]) < 3.0


def test_noise_in_the_dark_is_no_place() -> None:
    rng = np.random.default_rng(4)
    motions = followed(rng.normal(8, 2, (90, 160)).clip(0, 255).astype(np.uint8) for _ in range(10))
    assert {motion.shot for motion in motions} == {0}


@pytest.mark.parametrize("hidden", [0.5, 0.7])
def test_what_comes_in_front_of_the_camera_is_no_cut(hidden: float) -> None:
    """A truck with a texture of its own, which drives in, stops and drives off."""
    truck = small_picture(Look(), ELSEWHERE)
    pictures = []
    for index in range(30):
        picture = small_picture(Look())
        covered = round(160 * hidden * min(1, index / 10, (29 - index) / 10))
        if covered:
            picture[:, :covered] = truck[:, -covered:]
        pictures.append(picture)
    motions = followed(pictures)
    assert {motion.shot for motion in motions} == {0}
    assert {motion.matrix for motion in motions} == {(1.0, 0.0, 0.0, 0.0, 1.0, 0.0)}


@pytest.mark.parametrize("damage", ["exposure", "noise", "compression", "blur"])
def test_bad_pictures_of_a_shaken_camera_are_followed(damage: str) -> None:
    rng = np.random.default_rng(5)

    def damaged(picture: UInt8Array, index: int) -> UInt8Array:
        if damage == "exposure":
            return np.clip(picture * (1 + 0.4 * math.sin(index)) + 15 * math.cos(index), 0, 255).astype(np.uint8)
        if damage == "noise":
            return np.clip(picture + rng.normal(0, 6, picture.shape), 0, 255).astype(np.uint8)
        if damage == "compression":
            _, data = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, 20])
            return np.asarray(cv2.imdecode(data, cv2.IMREAD_GRAYSCALE), np.uint8)
        return np.asarray(cv2.blur(picture, (1 + 2 * (index % 3), 1)), np.uint8)

    looks = [shaken(index) for index in range(12)]
    motions = followed(damaged(small_picture(look), index) for index, look in enumerate(looks))
    assert {motion.shot for motion in motions} == {0}
    errors = [error_px(motion, looks[0], look) for motion, look in zip(motions, looks, strict=True)]
    assert sorted(errors)[-2] < 6.0


@pytest.mark.parametrize(("before_px", "after_px"), [((1920, 1080), (1280, 720)), ((1280, 720), (640, 360))])
def test_another_size_of_the_picture_is_part_of_the_matrix(
    before_px: tuple[int, int], after_px: tuple[int, int]
) -> None:
    estimator = MotionEstimator()
    for index in range(4):
        before = estimator.update(small_picture(Look(), size_px=before_px), before_px, index * TENTH_NS)
    for index in range(4, 8):
        after = estimator.update(small_picture(Look(), size_px=after_px), after_px, index * TENTH_NS)
    scale = after_px[0] / before_px[0]
    corner = matrix_of(after) @ (before_px[0], before_px[1], 1)
    assert before.matrix == (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)
    assert (before.shot, after.shot) == (0, 0)
    assert after.matrix[0] == pytest.approx(scale, rel=0.005)
    assert corner[:2] == pytest.approx(after_px, abs=3)


def test_another_shape_of_pixels_begins_a_new_shot() -> None:
    estimator = MotionEstimator()
    assert estimator.update(small_picture(Look()), SIZE_PX, 0).shot == 0
    assert estimator.update(small_picture(Look()), SIZE_PX, 1, Fraction(8, 3)).shot == 1


def test_an_estimator_that_is_restored_says_the_same_and_has_the_same_state() -> None:
    looks = [MOVES["all at once"](index) for index in range(8)] + [MOVES["all at once"](7)] * 6
    pictures = [small_picture(look) for look in looks] + [small_picture(Look(), ELSEWHERE)] * 2
    uninterrupted = followed(pictures)
    estimator = MotionEstimator()
    for index, picture in enumerate(pictures):
        assert estimator.update(picture, SIZE_PX, index * TENTH_NS) == uninterrupted[index]
        successor = MotionEstimator()
        successor.load(estimator.state, estimator.reference)
        assert (successor.state, successor.reference) == (estimator.state, estimator.reference)
        estimator = successor


@pytest.mark.parametrize(
    "change",
    [
        {"shot": -1},
        {"shot": None},
        {"size_px": [0, 5]},
        {"reference_size_px": [64, 48]},
        {"to_picture": [0, 0, 0, 0, 0, 0]},
        {"to_picture": [1, 0, 0, 0, 1]},
        {"matrix": ["x"] * 6},
        {"matrix": [0] * 6},
        {"aspect": [1, 0]},
    ],
)
def test_a_damaged_state_is_refused_in_one_sentence(change: dict[str, Any]) -> None:
    import json

    estimator = MotionEstimator()
    estimator.update(small_picture(Look()), SIZE_PX, 0)
    damaged = json.dumps({**json.loads(estimator.state), **change})
    with pytest.raises(ValueError, match="this is no state of a camera's motion"):
        MotionEstimator().load(damaged, estimator.reference)
    with pytest.raises(ValueError, match="this is no state of a camera's motion"):
        MotionEstimator().load(estimator.state, "AAAA")


@pytest.mark.parametrize("size_px", [(1, 1), (3, 2), (5, 300), (20, 20), (4000, 2)])
def test_tiny_pictures_are_taken(size_px: tuple[int, int]) -> None:
    width, height = small_size_px(size_px)
    estimator, rng = MotionEstimator(), np.random.default_rng(6)
    for index in range(4):
        estimator.update(rng.integers(0, 255, (height, width)).astype(np.uint8), size_px, index)
    successor = MotionEstimator()
    successor.load(estimator.state, estimator.reference)
    assert successor.state == estimator.state


def captured(look: Look, index: int) -> CapturedImage:
    drawn = cv2.warpAffine(PLACE, look.from_place()[:2], SIZE_PX, flags=cv2.INTER_LINEAR)
    image = RowsImage(np.ascontiguousarray(cv2.cvtColor(drawn, cv2.COLOR_GRAY2BGR)))
    return CapturedImage(image, index * TENTH_NS, CaptureClock.FILE)


def test_a_follower_reads_pictures_of_the_source_and_begins_anew_with_an_epoch() -> None:
    follower = MotionFollower(wanted=True, live=False)
    looks = [Look(), Look(60, -20), Look(-30, 10)]
    motions = [follower.follow(captured(look, index)) for index, look in enumerate(looks)]
    for motion, look in zip(motions, looks, strict=True):
        assert motion is not None
        assert error_px(motion, looks[0], look) < 3.0
    assert follower.state
    assert follower.reference
    follower.begin_epoch()
    first = follower.follow(captured(looks[1], 3))
    assert first == CameraMotion(0, (1.0, 0.0, 0.0, 0.0, 1.0, 0.0), 1.0)


def test_a_follower_reports_how_fast_the_view_moves_and_its_shots() -> None:
    follower = MotionFollower(wanted=True, live=True)
    assert follower.report() is None
    for index in range(8):
        follower.follow(captured(Look(30.0 * index), index))
    report = follower.report()
    assert report is not None
    assert report.px_per_s == pytest.approx(300, rel=0.02), "30 px in each tenth of a second"
    assert report.shots == 1


def test_a_live_camera_has_no_state_and_an_unwanted_motion_is_none() -> None:
    live = MotionFollower(wanted=True, live=True)
    assert live.follow(captured(Look(), 0)) is not None
    assert live.state == live.reference == ""
    off = MotionFollower(wanted=False, live=False)
    assert off.follow(captured(Look(), 0)) is None
    assert off.state == off.reference == ""


def test_a_picture_that_is_cut_to_another_shape_shows_the_same_view() -> None:
    """The middle of 1280 x 720, 960 x 720: its pixels lie 160 px farther to the left."""
    estimator = MotionEstimator()
    wide = small_picture(Look())
    for index in range(4):
        estimator.update(wide, SIZE_PX, index * TENTH_NS)
    cropped_px = 960, 720
    narrow = Look().from_place()
    narrow[0, 2] -= 160
    scale = cropped_px[0] / small_size_px(cropped_px)[0]
    to_small = np.array(((1 / scale, 0, 0.5 / scale - 0.5), (0, 1 / scale, 0.5 / scale - 0.5), (0, 0, 1)))
    smooth = cv2.blur(PLACE, (round(scale), round(scale)))
    picture = cv2.warpAffine(smooth, (to_small @ narrow)[:2], small_size_px(cropped_px), flags=cv2.INTER_LINEAR)
    motion = estimator.update(np.asarray(picture, np.uint8), cropped_px, 4 * TENTH_NS)
    assert motion.shot == 0
    assert motion.certainty > 0.5
    assert motion.matrix == pytest.approx((1, 0, -160, 0, 1, 0), abs=5)
    assert motion.matrix[0] == pytest.approx(1, abs=0.01)


def test_a_picture_of_which_little_arrived_is_no_cut() -> None:
    """The top of another view, and grey below, as after lost packets; for a second and more it is another view."""
    pictures = [small_picture(Look()) for _ in range(30)]
    for index in (5, 6, 13, *range(18, 30)):
        pictures[index] = np.full_like(pictures[index], 128)
        pictures[index][:30] = small_picture(Look(), ELSEWHERE)[:30]
    shots = [motion.shot for motion in followed(pictures)]
    assert shots == [0] * 28 + [1] * 2
