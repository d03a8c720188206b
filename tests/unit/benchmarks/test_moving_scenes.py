"""The scripted people of moving scenes against arithmetic: speeds, falls, jumps, doubles, sizes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from benchmarks.moving.actors import LYING_M, Actor, stand, stops, straight, toppled, toppling, walks_of
from benchmarks.moving.catalogue import SCENES, chosen_scenes
from benchmarks.moving.film import FOCAL_PX, Film, World, filmed
from benchmarks.moving.groups import doubles, postures, runners, sizes
from posebus.boxes import iou

STILL = Actor(stand(0.0, 10.0))


def centre_x(film: Film, number: int) -> float:
    """The middle of the first person's box in a frame of the truth."""
    (_, left, _, width, _), *_ = film.truth[number]
    return left + width / 2


def test_runner_is_as_fast_in_metres_and_pixels_as_the_script_says() -> None:
    runner = Actor(straight(-5.0, 10.0, 6.0))
    world = World(10.0, 1.0, (1920, 1080), camera_height_m=1.0, tilt_deg=0.0)
    walks = walks_of([runner], world.times_s)
    assert walks.speed_m_s.ravel().tolist() == pytest.approx([6.0] * 10)
    film = filmed([runner], world, 0)
    speed_px_s = (centre_x(film, 10) - centre_x(film, 2)) / 0.8
    # At 10 m a metre is a tenth of the focal length; the box swings with arms and legs.
    assert speed_px_s == pytest.approx(6.0 * FOCAL_PX / 10.0, rel=0.08)


def test_runner_of_a_scene_crosses_the_picture_in_the_time_that_the_speed_gives() -> None:
    film = runners.alone(8.0, 30.0, 0).film
    inside = [number for number, people in enumerate(film.visible) if people]
    # 8 to 13 m away the picture is 13 to 22 m wide.
    assert 13.3 / 8.0 - 0.3 < (inside[-1] - inside[0]) / 30.0 < 21.7 / 8.0 + 0.3


def test_way_passes_through_its_stops_and_changes_speed_within_half_a_second() -> None:
    way = stops((0, 2, 4), (0, 2, 2), (5, 5, 5))
    assert way(np.array([1.0, 3.0]))[:, 0].tolist() == pytest.approx([1.0, 2.0])
    assert way(np.array([2.0]))[0, 0] < 2.0


def test_falling_body_keeps_its_length_and_ends_on_the_ground() -> None:
    head = np.array([[[1.0, 2.0, 1.7]]])
    feet = np.array([[1.0, 2.0, 0.0]])
    fallen = toppled(head, feet, np.array([np.pi / 2]), np.array([np.pi / 2]))[0, 0]
    assert fallen.tolist() == pytest.approx([1.0, 2.0 + 1.7, LYING_M])
    assert toppling(1.0, 0.5)(np.array([1.0, 1.25, 1.5, 2.0])).tolist() == pytest.approx(
        [0.0, np.pi / 8, np.pi / 2, np.pi / 2]
    )


def test_person_who_fell_sideways_is_wider_than_high() -> None:
    fallen = replace(STILL, fall=toppling(0.0, 0.1), fall_to=0.0)
    film = filmed([fallen], World(10.0, 1.0), 0)
    (_, _, _, width, height), *_ = film.truth[10]
    assert width > 2 * height
    box = film.frames[9].boxes_xyxy_px[0]
    assert box[2] - box[0] > 2 * (box[3] - box[1])


def test_jump_is_as_high_as_its_time_in_the_air_allows() -> None:
    up_m = postures.jumping(STILL, np.random.default_rng(0)).up_m(np.arange(0, 6, 0.01))
    assert up_m.max() == pytest.approx(9.81 * 0.6**2 / 8, abs=0.001)
    assert up_m[:200].max() == 0.0


def test_each_body_is_detected_twice_with_the_same_joints() -> None:
    frame = filmed([STILL, replace(STILL, way=stand(2.0, 8.0))], World(10.0, 0.1), 0).frames[0]
    found = doubles.with_doubles(frame, "upper half", 0.45, np.random.default_rng(0))
    assert found.scores.tolist() == pytest.approx([*frame.scores.tolist(), 0.45, 0.45])
    overlap = iou(found.boxes_xyxy_px[:2].astype(float), found.boxes_xyxy_px[2:].astype(float))
    assert overlap.tolist() == pytest.approx([0.55, 0.55], abs=0.06)
    assert found.keypoints_px is not None
    assert np.abs(found.keypoints_px[:2, :11, :2] - found.keypoints_px[2:, :11, :2]).max() < 5
    assert (found.keypoints_px[2:, 11:, 2] < 0.2).all()


def test_size_changes_within_and_between_epochs() -> None:
    change = sizes.CHANGES["1920x1080 to 1280x720"]
    within, between = (sizes.changed(change, new_epoch, 0).film for new_epoch in (False, True))
    before, after = (next(row for row in within.truth[number] if row[0] == 1) for number in (30, 31))
    assert (within.frames[29].size_px, within.frames[30].size_px) == ((1920, 1080), (1280, 720))
    assert before[4] / after[4] == pytest.approx(1.5, rel=0.01)
    assert [(frame.epoch, frame.seq) for frame in between.frames[29:32]] == [(1, 29), (2, 0), (2, 1)]
    assert between.frames[31].captured_at_ns == within.frames[31].captured_at_ns


def test_cropped_picture_shows_the_middle() -> None:
    film = sizes.changed(sizes.CHANGES["16:9 cropped to 4:3"], False, 0).film
    before, after = (next(row for row in film.truth[number] if row[0] == 1) for number in (30, 31))
    assert before[1] - after[1] == pytest.approx((1280 - 960) / 2, abs=3)
    assert before[4] == pytest.approx(after[4], abs=2)


@pytest.mark.parametrize("name", ["runners:6 m/s alone at 5", "sizes:16:9 squeezed to 4:3 in", "doubles:equal in each"])
def test_take_follows_from_its_seed_alone(name: str) -> None:
    (scene,) = chosen_scenes([name])
    one, same, other = ([frame.boxes_xyxy_px.tobytes() for frame in scene.make(seed).film.frames] for seed in (2, 2, 3))
    assert one == same
    assert one != other


def test_scenes_have_different_names_that_an_option_can_hold() -> None:
    names = [(scene.group, scene.name) for scene in SCENES]
    assert len(set(names)) == len(names)
    assert not any("," in name for _, name in names)
    with pytest.raises(SystemExit, match="no scene fits 'shake:99 px'"):
        chosen_scenes(["shake:99 px"])
