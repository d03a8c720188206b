"""The people in overlapping tiles, without those twice whom two of them see. Pure.

Of one tile the engine has suppressed doubles already. Two tiles see the same person if what they see agrees where both
look: their boxes, cut to the ground that the tiles share, overlap. A plain IoU would not do, for half a person lies
inside the whole one. The intersection over the smaller box (IOS, with which SAHI merges: Akyon et al., ICIP 2022) is
taken for those alone whom their tile cuts, beside one who is whole in another: legs are narrower than their owner. Else
it would take for one person two, of whom one stands behind the other.

Greedy, from the best: first those whom their tile sees whole, then those that an inner side of their tile cuts. Who is
seen whole drives out all other views of themselves. Who is too large for any tile is put together: the box around all
pieces, and each joint from the piece that is surest of it; outlines are put together in the same way.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from posebus.arrays import BoolArray, Float32Array
from workers.detections import Detections
from workers.images.tiling import Look, Part
from workers.outputs.outline import union

SAME_IOU = 0.5
"""Two boxes, cut to what both tiles see, are of the same person from here on."""
INSIDE_IOS = 0.7
"""Who is cut, and lies to this part in the box of somebody who is whole in another tile, is part of them. If it is
somebody else, that tile sees them too."""
SHARED_LEAST = 0.15
"""Of the smaller box, so much has to lie on shared ground: in the sliver that two tiles share at a corner, the feet of
one and the shoulder of another may look the same."""
CUT_PX = 8
"""In pixels of the network's input: whose box ends this near to an inner side of the tile counts as cut. That is the
finest cell of the network's grid, so boxes of people who are cut end hardly farther away."""


@dataclass(frozen=True, slots=True)
class _Seen:
    """Everybody in all tiles, best first, in pixels of the picture: of which tile (N,), that tile's region (N, 4), and
    whether an inner side of it cuts them (N,)."""

    people: Detections
    tile: npt.NDArray[np.intp]
    regions: Float32Array
    is_cut: BoolArray


def people_of_look(
    look: Look, found: Sequence[Detections], source_size_px: tuple[int, int], max_people: int
) -> Detections:
    """The people of a view, in pixels of the source, clipped to it: `found` is what the network gave for each part."""
    if not look.view.tiled:
        return look.parts[0].fit.people_to_source(found[0], source_size_px)
    merged = merge(look, found)
    best = np.argsort(-merged.scores, kind="stable")[:max_people]
    size = np.array(source_size_px, np.float32)
    scale = size / np.array(look.image_size_px, np.float32)
    boxes: Float32Array = np.clip(merged.boxes_xyxy_px[best].reshape(-1, 2, 2) * scale, np.float32(0), size)
    keypoints = merged.keypoints_px[best]
    keypoints[..., :2] = np.clip(keypoints[..., :2] * scale, np.float32(0), size)
    masks = None
    if merged.masks is not None:
        masks = tuple(np.clip(merged.masks[row] * scale, 0.0, size).astype(np.float32) for row in best.tolist())
    return Detections(boxes.reshape(-1, 4), merged.scores[best], keypoints, masks)


def merge(look: Look, found: Sequence[Detections]) -> Detections:
    """Everybody once, in pixels of the picture, in no particular order; `found` is in pixels of the network's input."""
    seen = _everybody(look, found)
    boxes, keypoints = seen.people.boxes_xyxy_px.copy(), seen.people.keypoints_px.copy()
    same = _same(seen)
    free = np.ones(len(seen.tile), np.bool_)
    masks = None if seen.people.masks is None else list(seen.people.masks)
    kept = []
    for first in range(len(free)):
        if not free[first]:
            continue
        group = _group(first, same, free, seen)
        free[group] = False
        kept.append(first)
        if seen.is_cut[first]:
            pieces = seen.people.boxes_xyxy_px[group]
            boxes[first, :2], boxes[first, 2:] = pieces[:, :2].min(axis=0), pieces[:, 2:].max(axis=0)
            joints = seen.people.keypoints_px[group]
            surest = joints[..., 2].argmax(axis=0)
            keypoints[first] = joints[surest, np.arange(joints.shape[1])]
            if masks is not None:
                masks[first] = union([masks[piece] for piece in group.tolist()])
    outlines = None if masks is None else tuple(masks[row] for row in kept)
    return Detections(boxes[kept], seen.people.scores[kept], keypoints[kept], outlines)


def _group(first: int, same: BoolArray, free: BoolArray, seen: _Seen) -> npt.NDArray[np.intp]:
    """`first` and those who are the same person; with a cut one, also the pieces that only other pieces touch."""
    group = np.zeros(len(free), np.bool_)
    group[first] = True
    reached = group | (same[first] & free)
    while seen.is_cut[first] and (reached != group).any():
        group = reached
        # One tile gives one piece: a second one is somebody else.
        taken = np.isin(seen.tile, seen.tile[group])
        reached = group | (same[group].any(axis=0) & free & ~taken)
    return np.flatnonzero(reached)


def _everybody(look: Look, found: Sequence[Detections]) -> _Seen:
    people = [_placed(part, one) for part, one in zip(look.parts, found, strict=True)]
    tile = np.repeat(np.arange(len(found)), [len(one.scores) for one in found])
    regions = np.array([part.region_px for part in look.parts], np.float32)[tile]
    boxes = np.concatenate([one.boxes_xyxy_px for one in people])
    scores = np.concatenate([one.scores for one in people])
    is_cut = _is_cut(look, boxes, regions)
    order = np.lexsort((-scores, is_cut))
    keypoints = np.concatenate([one.keypoints_px for one in people])
    masks = None
    if all(one.masks is not None for one in people):
        everybody = [mask for one in people for mask in one.masks or ()]
        masks = tuple(everybody[row] for row in order.tolist())
    ordered = Detections(boxes[order], scores[order], keypoints[order], masks)
    return _Seen(ordered, tile[order], regions[order], is_cut[order])


def _placed(part: Part, people: Detections) -> Detections:
    """In pixels of the picture. Joints beyond the tile stay there: a clipped one would look as if it were seen."""
    left, top, right, bottom = part.region_px
    fit = part.fit
    offset = np.array(fit.offset_px, np.float32)
    scale = np.array((right - left, bottom - top), np.float32) / np.array(fit.resized_px, np.float32)
    corner = np.array((left, top), np.float32)
    region = np.array(part.region_px, np.float32)
    corners = (people.boxes_xyxy_px.reshape(-1, 2, 2) - offset) * scale + corner
    keypoints = people.keypoints_px.copy()
    keypoints[..., :2] = (keypoints[..., :2] - offset) * scale + corner
    boxes: Float32Array = np.clip(corners, region[:2], region[2:])
    masks = None
    if people.masks is not None:
        masks = tuple(((mask - offset) * scale + corner).astype(np.float32) for mask in people.masks)
    return Detections(boxes.reshape(-1, 4), people.scores, keypoints, masks)


def _is_cut(look: Look, boxes: Float32Array, regions: Float32Array) -> BoolArray:
    part = look.parts[0]
    near_px = CUT_PX * (part.region_px[2] - part.region_px[0]) / part.fit.resized_px[0]
    width_px, height_px = look.image_size_px
    first, last = boxes[:, :2] - regions[:, :2] < near_px, regions[:, 2:] - boxes[:, 2:] < near_px
    inner_first = regions[:, :2] > 0
    inner_last = regions[:, 2:] < np.array((width_px, height_px), np.float32)
    is_cut: BoolArray = np.any((first & inner_first) | (last & inner_last), axis=1)
    return is_cut


def _same(seen: _Seen) -> BoolArray:
    """(N, N): whether two boxes, of different tiles, are of the same person."""
    boxes, regions = seen.people.boxes_xyxy_px, seen.regions
    number = len(boxes)
    same = np.zeros((number, number), np.bool_)
    area = _areas(boxes)
    for row in range(number):
        shared = _common(regions[row], regions)
        mine, theirs = _common(boxes[row], shared), _common(boxes, shared)
        smaller = np.minimum(area[row], area)
        visible = np.minimum(_areas(mine), _areas(theirs)) >= SHARED_LEAST * smaller
        both = _areas(_common(mine, theirs))
        agree = both >= SAME_IOU * (_areas(mine) + _areas(theirs) - both)
        if not seen.is_cut[row]:
            agree |= seen.is_cut & (both >= INSIDE_IOS * _areas(theirs))
        same[row] = (seen.tile != seen.tile[row]) & visible & (smaller > 0) & agree
    return same


def _common(first: Float32Array, second: Float32Array) -> Float32Array:
    """What boxes or regions (4,) or (N, 4) share; without area where that is nothing."""
    start = np.maximum(first[..., :2], second[..., :2])
    return np.concatenate((start, np.maximum(start, np.minimum(first[..., 2:], second[..., 2:]))), axis=-1)


def _areas(boxes: Float32Array) -> Float32Array:
    areas: Float32Array = (boxes[..., 2] - boxes[..., 0]) * (boxes[..., 3] - boxes[..., 1])
    return areas
