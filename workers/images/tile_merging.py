"""Merge per-tile detections; remove duplicates in the overlaps. Pure.

Within a tile the engine has suppressed duplicates already. Detections of two tiles are the same person if they agree
where both tiles can see: their boxes, clipped to the region that the tiles share, overlap. A plain IoU would not do,
because half a person lies inside the whole one. The intersection over the smaller box (IOS, with which SAHI merges:
Akyon et al., ICIP 2022) decides only between a box that its tile cuts and one that is whole in another tile: legs are
narrower than the person. Everywhere else IOS would merge a person with another one behind them.

Greedy, by score: first the boxes that are whole in their tile, then those that an inner side of their tile cuts. A
whole box suppresses all other detections of the same person. A person too large for any tile is composed: the box
around all pieces, each joint from the piece with the highest confidence for it, and the union of the outlines.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from posebus.arrays import BoolArray, Float32Array
from workers.detections import Detections
from workers.images.tiling import Tile, ViewPlan
from workers.outputs.outline import union

SAME_IOU = 0.5
"""Two boxes, clipped to the region that both tiles share, are the same person from this IoU on."""
INSIDE_IOS = 0.7
"""A cut box of which this part lies in a whole box of another tile is a piece of that person. If it is another person,
the other tile has detected them, too."""
SHARED_LEAST = 0.15
"""At least this part of the smaller box must lie in the shared region: in the sliver that two tiles share at a corner,
the feet of one person and the shoulder of another may coincide."""
CUT_PX = 8
"""A box that ends this near (in pixels of the network's input) to an inner side of its tile counts as cut. That is the
finest cell of the network's grid, so boxes of cut people hardly ever end farther away."""


@dataclass(frozen=True, slots=True)
class _AllTiles:
    """The detections of all tiles in pixels of the picture: whole ones first, then cut ones, each by score.

    tile: (N,) number of the tile. regions: (N, 4) that tile's region. is_cut: (N,) whether an inner side of the tile
    cuts the person.
    """

    people: Detections
    tile: npt.NDArray[np.intp]
    regions: Float32Array
    is_cut: BoolArray


def people_of_view(
    plan: ViewPlan, found: Sequence[Detections], source_size_px: tuple[int, int], max_people: int
) -> Detections:
    """Return the people of a view in pixels of the source, clipped to it; `found` is the engine's output per tile."""
    if not plan.view.tiled:
        return plan.tiles[0].fit.people_to_source(found[0], source_size_px)
    merged = merge(plan, found)
    best = np.argsort(-merged.scores, kind="stable")[:max_people]
    size = np.array(source_size_px, np.float32)
    scale = size / np.array(plan.image_size_px, np.float32)
    boxes: Float32Array = np.clip(merged.boxes_xyxy_px[best].reshape(-1, 2, 2) * scale, np.float32(0), size)
    keypoints = merged.keypoints_px[best]
    keypoints[..., :2] = np.clip(keypoints[..., :2] * scale, np.float32(0), size)
    masks = None
    if merged.masks is not None:
        masks = tuple(np.clip(merged.masks[row] * scale, 0.0, size).astype(np.float32) for row in best.tolist())
    return Detections(
        boxes_xyxy_px=boxes.reshape(-1, 4), scores=merged.scores[best], keypoints_px=keypoints, masks=masks
    )


def merge(plan: ViewPlan, found: Sequence[Detections]) -> Detections:
    """Return each person once, in pixels of the picture and in no particular order.

    `found` has the detections of each tile in pixels of the network's input.
    """
    every = _collected(plan, found)
    boxes, keypoints = every.people.boxes_xyxy_px.copy(), every.people.keypoints_px.copy()
    same = _same_person(every)
    free = np.ones(len(every.tile), np.bool_)
    masks = None if every.people.masks is None else list(every.people.masks)
    kept = []
    for first in range(len(free)):
        if not free[first]:
            continue
        group = _group(first, same, free, every)
        free[group] = False
        kept.append(first)
        if every.is_cut[first]:
            pieces = every.people.boxes_xyxy_px[group]
            boxes[first, :2], boxes[first, 2:] = pieces[:, :2].min(axis=0), pieces[:, 2:].max(axis=0)
            joints = every.people.keypoints_px[group]
            most_confident = joints[..., 2].argmax(axis=0)
            keypoints[first] = joints[most_confident, np.arange(joints.shape[1])]
            if masks is not None:
                masks[first] = union([masks[piece] for piece in group.tolist()])
    outlines = None if masks is None else tuple(masks[row] for row in kept)
    return Detections(
        boxes_xyxy_px=boxes[kept], scores=every.people.scores[kept], keypoints_px=keypoints[kept], masks=outlines
    )


def _group(first: int, same: BoolArray, free: BoolArray, every: _AllTiles) -> npt.NDArray[np.intp]:
    """Return `first` and all detections of the same person; of a cut one also pieces that only other pieces touch."""
    group = np.zeros(len(free), np.bool_)
    group[first] = True
    reached = group | (same[first] & free)
    while every.is_cut[first] and (reached != group).any():
        group = reached
        # A tile holds one piece of a person: a second detection in it is another person.
        in_used_tile = np.isin(every.tile, every.tile[group])
        reached = group | (same[group].any(axis=0) & free & ~in_used_tile)
    return np.flatnonzero(reached)


def _collected(plan: ViewPlan, found: Sequence[Detections]) -> _AllTiles:
    people = [_to_picture(tile, one) for tile, one in zip(plan.tiles, found, strict=True)]
    number = np.repeat(np.arange(len(found)), [len(one.scores) for one in found])
    regions = np.array([tile.region_px for tile in plan.tiles], np.float32)[number]
    boxes = np.concatenate([one.boxes_xyxy_px for one in people])
    scores = np.concatenate([one.scores for one in people])
    is_cut = _is_cut(plan, boxes, regions)
    order = np.lexsort((-scores, is_cut))
    keypoints = np.concatenate([one.keypoints_px for one in people])
    masks = None
    if all(one.masks is not None for one in people):
        every_mask = [mask for one in people for mask in one.masks or ()]
        masks = tuple(every_mask[row] for row in order.tolist())
    ordered = Detections(boxes_xyxy_px=boxes[order], scores=scores[order], keypoints_px=keypoints[order], masks=masks)
    return _AllTiles(people=ordered, tile=number[order], regions=regions[order], is_cut=is_cut[order])


def _to_picture(tile: Tile, people: Detections) -> Detections:
    """Return `people` in pixels of the picture, boxes clipped to the tile.

    Joints beyond the tile stay there: a clipped joint would pass for one that was observed.
    """
    left, top, right, bottom = tile.region_px
    fit = tile.fit
    offset = np.array(fit.offset_px, np.float32)
    scale = np.array((right - left, bottom - top), np.float32) / np.array(fit.resized_px, np.float32)
    corner = np.array((left, top), np.float32)
    region = np.array(tile.region_px, np.float32)
    corners = (people.boxes_xyxy_px.reshape(-1, 2, 2) - offset) * scale + corner
    keypoints = people.keypoints_px.copy()
    keypoints[..., :2] = (keypoints[..., :2] - offset) * scale + corner
    boxes: Float32Array = np.clip(corners, region[:2], region[2:])
    masks = None
    if people.masks is not None:
        masks = tuple(((mask - offset) * scale + corner).astype(np.float32) for mask in people.masks)
    return Detections(boxes_xyxy_px=boxes.reshape(-1, 4), scores=people.scores, keypoints_px=keypoints, masks=masks)


def _is_cut(plan: ViewPlan, boxes: Float32Array, regions: Float32Array) -> BoolArray:
    """(N,): whether an inner side of the tile cuts the person."""
    tile = plan.tiles[0]
    near_px = CUT_PX * (tile.region_px[2] - tile.region_px[0]) / tile.fit.resized_px[0]
    width_px, height_px = plan.image_size_px
    first, last = boxes[:, :2] - regions[:, :2] < near_px, regions[:, 2:] - boxes[:, 2:] < near_px
    inner_first = regions[:, :2] > 0
    inner_last = regions[:, 2:] < np.array((width_px, height_px), np.float32)
    is_cut: BoolArray = np.any((first & inner_first) | (last & inner_last), axis=1)
    return is_cut


def _same_person(every: _AllTiles) -> BoolArray:
    """(N, N): whether two boxes, of different tiles, are of the same person."""
    boxes, regions = every.people.boxes_xyxy_px, every.regions
    number = len(boxes)
    same = np.zeros((number, number), np.bool_)
    area = _areas(boxes)
    for row in range(number):
        shared = _intersection(regions[row], regions)
        mine, theirs = _intersection(boxes[row], shared), _intersection(boxes, shared)
        smaller = np.minimum(area[row], area)
        visible = np.minimum(_areas(mine), _areas(theirs)) >= SHARED_LEAST * smaller
        both = _areas(_intersection(mine, theirs))
        agree = both >= SAME_IOU * (_areas(mine) + _areas(theirs) - both)
        if not every.is_cut[row]:
            agree |= every.is_cut & (both >= INSIDE_IOS * _areas(theirs))
        same[row] = (every.tile != every.tile[row]) & visible & (smaller > 0) & agree
    return same


def _intersection(first: Float32Array, second: Float32Array) -> Float32Array:
    """Return the intersections of boxes or regions (4,) or (N, 4); empty ones have no area."""
    start = np.maximum(first[..., :2], second[..., :2])
    return np.concatenate((start, np.maximum(start, np.minimum(first[..., 2:], second[..., 2:]))), axis=-1)


def _areas(boxes: Float32Array) -> Float32Array:
    areas: Float32Array = (boxes[..., 2] - boxes[..., 0]) * (boxes[..., 3] - boxes[..., 1])
    return areas
