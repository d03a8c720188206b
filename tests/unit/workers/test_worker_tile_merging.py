"""Merging the detections of overlapping tiles: each person once, and whole where possible."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from posebus.views import View
from workers.detections import Detections
from workers.images.tile_merging import people_of_view
from workers.images.tiling import ViewPlan, plan_view

SIZE_PX = (1000, 400)
PLAN = plan_view(SIZE_PX, View(640, 2, 1), 32)
"""Two tiles, 572 wide: 0 to 572 and 428 to 1000."""
NOSE = 0
Box = tuple[float, float, float, float]


def detected_in(plan: ViewPlan, tile: int, people: Sequence[tuple[Box, float]]) -> Detections:
    """Return `people` (box, score), given in pixels of the picture, as the network would detect them in this tile.

    Boxes are clipped to the tile and in pixels of the network's input. All joints are at the middle of the whole box;
    their confidence is the score.
    """
    region, fit = np.array(plan.tiles[tile].region_px, np.float32), plan.tiles[tile].fit
    scale = np.array(fit.resized_px, np.float32) / (region[2:] - region[:2])
    boxes = np.array([box for box, _ in people], np.float32).reshape(-1, 2, 2)
    points = (boxes.mean(axis=1) - region[:2]) * scale + np.array(fit.offset_px, np.float32)
    boxes = (np.clip(boxes, region[:2], region[2:]) - region[:2]) * scale + np.array(fit.offset_px, np.float32)
    scores = np.array([score for _, score in people], np.float32)
    keypoints = np.zeros((len(people), 17, 3), np.float32)
    keypoints[..., :2] = points[:, None]
    keypoints[..., 2] = scores[:, None]
    return Detections(boxes.reshape(-1, 4).astype(np.float32), scores, keypoints)


def merged(*tiles: Sequence[tuple[Box, float]], plan: ViewPlan = PLAN, max_people: int = 300) -> Detections:
    found = [detected_in(plan, number, people) for number, people in enumerate(tiles)]
    return people_of_view(plan, found, plan.image_size_px, max_people)


def test_person_whole_in_both_tiles_is_kept_once_with_the_better_score() -> None:
    found = merged([((480, 100, 520, 200), 0.6)], [((482, 102, 522, 202), 0.8)])
    assert found.scores.tolist() == pytest.approx([0.8])
    assert found.boxes_xyxy_px[0] == pytest.approx([482, 102, 522, 202], abs=0.1)
    assert found.keypoints_px[0, NOSE] == pytest.approx([502, 152, 0.8], abs=0.1)


def test_whole_box_wins_over_a_cut_one_with_a_better_score() -> None:
    person = (520, 50, 620, 350)  # cut by the first tile, at 572
    found = merged([(person, 0.9)], [(person, 0.4)])
    assert found.scores.tolist() == pytest.approx([0.4])
    assert found.boxes_xyxy_px[0] == pytest.approx(person, abs=0.1)


def test_legs_detected_in_another_tile_are_merged_into_the_whole_person() -> None:
    plan = plan_view((400, 1000), View(640, 1, 2), 32)
    found = merged([((100, 300, 220, 560), 0.8)], [((140, 400, 180, 560), 0.5)], plan=plan)
    assert len(found.scores) == 1
    assert found.boxes_xyxy_px[0] == pytest.approx([100, 300, 220, 560], abs=0.1)


def test_person_larger_than_any_tile_is_composed_from_pieces() -> None:
    plan = plan_view((400, 1000), View(640, 1, 3), 32)
    giant = (100, 10, 300, 990)
    found = merged([(giant, 0.5)], [(giant, 0.9)], [(giant, 0.7)], plan=plan)
    assert found.scores.tolist() == pytest.approx([0.9])
    assert found.boxes_xyxy_px[0] == pytest.approx(giant, abs=0.5)
    assert found.keypoints_px[0, NOSE] == pytest.approx([200, 500, 0.9], abs=0.5)


def test_neighbours_in_the_overlap_stay_two_people() -> None:
    first, second = ((470, 100, 510, 220), 0.9), ((490, 100, 530, 220), 0.8)  # IoU 1/3
    found = merged([first, second], [first, second])
    assert len(found.scores) == 2
    assert sorted(found.boxes_xyxy_px[:, 0].tolist()) == pytest.approx([470, 490], abs=0.1)


def test_occluded_person_detected_in_one_tile_only_is_kept() -> None:
    front, behind = ((450, 50, 560, 350), 0.9), ((480, 60, 530, 200), 0.5)  # all of it inside the other box
    found = merged([front], [front, behind])
    assert len(found.scores) == 2


def test_two_detections_of_one_tile_are_never_merged() -> None:
    twins = [((100, 100, 150, 200), 0.9), ((102, 100, 152, 200), 0.8)]
    assert len(merged(twins, []).scores) == 2


def test_person_at_the_edge_of_the_picture_counts_as_whole() -> None:
    found = merged([((0, 100, 60, 200), 0.9)], [((940, 100, 1000, 200), 0.8)])
    assert found.boxes_xyxy_px[:, 0].tolist() == pytest.approx([0, 940], abs=0.1)


def test_person_in_the_corner_of_four_tiles_is_kept_once() -> None:
    plan = plan_view((1000, 1000), View(640, 2, 2), 32)
    person = ((480, 470, 520, 550), 0.7)
    found = merged(*([person] for _ in range(4)), plan=plan)
    assert len(found.scores) == 1


def test_crowd_keeps_every_person_sorted_by_score() -> None:
    plan = plan_view((1920, 1080), View(640, 3, 2), 32)
    rng = np.random.default_rng(0)
    crowd = [((x, y, x + 30, y + 80), 0.3 + 0.6 * rng.random()) for x in range(5, 1880, 45) for y in range(5, 990, 95)]
    tiles = []
    for tile in plan.tiles:
        left, top, right, bottom = tile.region_px
        inside = [one for one in crowd if left < one[0][2] - 6 and right > one[0][0] + 6]
        tiles.append([one for one in inside if top < one[0][3] - 15 and bottom > one[0][1] + 15])
    assert sum(map(len, tiles)) > 1.3 * len(crowd)
    found = merged(*tiles, plan=plan, max_people=1000)
    assert len(found.scores) == len(crowd)
    assert (np.diff(found.scores) <= 0).all()
    assert sorted(map(tuple, found.boxes_xyxy_px.round().tolist())) == sorted(box for box, _ in crowd)
    assert len(merged(*tiles, plan=plan, max_people=20).scores) == 20


def test_no_detections_merge_to_none() -> None:
    found = merged([], [])
    assert (found.boxes_xyxy_px.shape, found.keypoints_px.shape) == ((0, 4), (0, 17, 3))


def test_people_are_returned_in_pixels_of_a_larger_source() -> None:
    found = [detected_in(PLAN, 0, [((100, 100, 150, 200), 0.9)]), detected_in(PLAN, 1, [])]
    people = people_of_view(PLAN, found, (2000, 800), 300)
    assert people.boxes_xyxy_px[0] == pytest.approx([200, 200, 300, 400], abs=0.2)
    assert people.keypoints_px[0, NOSE] == pytest.approx([250, 300, 0.9], abs=0.2)
    assert people.boxes_xyxy_px.dtype == people.keypoints_px.dtype == people.scores.dtype == np.float32


def with_outlines(found: Detections) -> Detections:
    """Return `found` with each person's box as the outline."""
    outlines = tuple(box[[0, 1, 2, 1, 2, 3, 0, 3]].reshape(4, 2) for box in found.boxes_xyxy_px)
    return replace(found, masks=outlines)


def test_outlines_are_kept_and_those_of_pieces_are_united() -> None:
    plan = plan_view((400, 1000), View(640, 1, 3), 32)
    giant, child = (100, 10, 300, 990), (20, 20, 60, 120)
    pieces = [[(giant, 0.5), (child, 0.8)], [(giant, 0.9)], [(giant, 0.7)]]
    found = people_of_view(
        plan,
        [with_outlines(detected_in(plan, number, one)) for number, one in enumerate(pieces)],
        plan.image_size_px,
        300,
    )
    assert found.masks is not None
    assert found.scores.tolist() == pytest.approx([0.9, 0.8])
    for box, outline in zip(found.boxes_xyxy_px, found.masks, strict=True):
        assert outline.dtype == np.float32
        assert [*outline.min(axis=0), *outline.max(axis=0)] == pytest.approx(box.tolist(), abs=6)


def test_outlines_are_dropped_unless_every_tile_has_them() -> None:
    found = [with_outlines(detected_in(PLAN, 0, [((10, 10, 60, 120), 0.9)])), detected_in(PLAN, 1, [])]
    assert people_of_view(PLAN, found, SIZE_PX, 300).masks is None
