"""What people wear, from the picture under their joints: a descriptor of the colours of torso and legs per person.

No network: a fixed pattern of points is laid over the body between shoulders, hips, knees and ankles, the picture is
read at these points, and the colours of each part are counted in soft histograms. `posebus.contract.appearance` has the
layout of what comes out, and how it is compared.

Light is allowed for twice. Colours are taken relative to the mean of the whole picture (the grey-world assumption:
G. Buchsbaum, "A spatial processor model for object colour perception", J. Franklin Institute 310, 1980), so a change
of gain or white balance leaves them as they are. And they are split into lightness and two differences of logarithms,
which a shadow hardly moves.
"""

from __future__ import annotations

import cv2
import numpy as np

from posebus.arrays import BoolArray, Float32Array
from posebus.contract.appearance import BINS, CHANNELS, FEATURES, PARTS, SIZE, joined
from workers.detections import Detections, ImageArray

COCO_KEYPOINTS = 17

HALF_WIDTH = np.float32(0.25)
"""Half the width of a torso, in lengths of it, at least: seen from the side, shoulders and hips lie on one another."""

DARKEST = np.float32(0.16)
"""Added to colours, relative to the mean of the picture, before the logarithm: among darker ones it would be noise."""

LIGHTNESS_RANGE = (-1.7, 0.7)
COLOUR_RANGE = (-0.7, 0.7)
"""Logarithms that the outermost bins stand for; what lies beyond counts as there."""

OCCLUDER_SCORE = 0.3
"""Who is seen with this score hides those behind."""

NEARER = np.float32(0.02)
"""Whose box ends lower than another's, by more than this part of its height, stands nearer to the camera."""

REFERENCE_POINTS = 64
"""Points per side of the grid on which the mean of the picture is taken."""

PART_POINTS = 24
"""6 rows of 4 points on each half of the torso, 4 rows of 3 on each limb."""

_FIRST_JOINTS = np.array((5, 11, 11, 12, 13, 14))
_SECOND_JOINTS = np.array((6, 12, 13, 14, 15, 16))
"""Ends of the six stretches that carry points: shoulders, hips, left and right thigh, left and right shin."""


def describe(image_rgb: ImageArray, people: Detections, source_size_px: tuple[int, int]) -> Float32Array | None:
    """The descriptors of all people: (N, `posebus.contract.appearance.SIZE`), finite; None for skeletons other than
    COCO's.

    `image_rgb` is the decoded picture, u8 (H, W, 3), C-contiguous. `people` are in pixels of the source, whose
    (width, height) is `source_size_px`: more than the picture's where ingest reduced it. A point counts as much as the
    joints around it are believed; not at all outside the picture, and inside the box of somebody who stands nearer.
    """
    if people.keypoints_px.shape[1] != COCO_KEYPOINTS:
        return None
    if not len(people.scores):
        return np.empty((0, SIZE), np.float32)
    joints, believed = _joints(people.keypoints_px, source_size_px)
    points_px = _PLACES @ _axes(joints)
    weights = _weights(believed) * _inside(points_px, source_size_px)
    _hide(weights, points_px, people)
    return joined(*_histograms(_colours(image_rgb, points_px, source_size_px), weights))


def _joints(keypoints_px: Float32Array, size_px: tuple[int, int]) -> tuple[Float32Array, Float32Array]:
    """Finite places (N, 17, 2) and confidences (N, 17). A joint on the picture's edge was clipped to it, and lies
    somewhere beyond: it is not believed, and nor is one that is not finite."""
    places, believed = keypoints_px[..., :2], keypoints_px[..., 2]
    seen = (places.min(axis=2) > 0) & _inside(places, size_px) & (believed <= 1)
    if seen.all():
        return places, believed
    return np.where(np.isfinite(places), places, np.float32(0)), np.where(seen, believed, np.float32(0))


def _weights(believed: Float32Array) -> Float32Array:
    """(N, P): how sure it is that a point lies where it should. It takes the joints on both sides of it, the nearer
    ones above all: with hips behind a table the upper torso is still found, the lower one is not."""
    stretches = np.minimum(believed[:, _FIRST_JOINTS], believed[:, _SECOND_JOINTS]).T
    return np.minimum(_BETWEEN @ stretches, _NEAREST @ stretches).T


def _inside(points_px: Float32Array, size_px: tuple[int, int]) -> BoolArray:
    within = (points_px >= 0) & (points_px < np.array(size_px, np.float32))
    both: BoolArray = within[..., 0] & within[..., 1]
    return both


def _axes(joints: Float32Array) -> Float32Array:
    """Vectors (N, 16, 2) of which every point is a sum: the middles of shoulders and hips, half their widths; and of
    the four limbs the upper joints, the ways to the lower ones, and those turned by a right angle."""
    first, second = joints[:, _FIRST_JOINTS], joints[:, _SECOND_JOINTS]
    middle = (first[:, :2] + second[:, :2]) * np.float32(0.5)
    half = (second[:, :2] - first[:, :2]) * np.float32(0.5)
    least = _turned(middle[:, :1] - middle[:, 1:]) * HALF_WIDTH
    # Left and right are the same to the pattern, but above and below must agree on them, or the torso is twisted.
    half = np.where((half * least).sum(axis=2, keepdims=True) < 0, -half, half)
    narrow = (half**2).sum(axis=2, keepdims=True) < (least**2).sum(axis=2, keepdims=True)
    way = second[:, 2:] - first[:, 2:]
    return np.concatenate((middle, np.where(narrow, least, half), first[:, 2:], way, _turned(way)), axis=1)


def _turned(vectors: Float32Array) -> Float32Array:
    turned: Float32Array = vectors[..., ::-1] * np.array((-1, 1), np.float32)
    return turned


def _hide(weights: Float32Array, points_px: Float32Array, people: Detections) -> None:
    """Set the weights (N, P) of those points to 0 that lie inside the box of somebody nearer."""
    boxes = people.boxes_xyxy_px
    left, top, right, bottom = boxes.T
    hides = bottom + NEARER * (top - bottom) > bottom[:, None]
    hides &= (left < right[:, None]) & (right > left[:, None]) & (top < bottom[:, None])
    hides &= people.scores >= OCCLUDER_SCORE
    hidden, hiding = np.nonzero(hides)
    if not len(hidden):
        return
    points, box = points_px[hidden], boxes[hiding, None]
    within = (points > box[..., :2]) & (points < box[..., 2:])
    behind = within[..., 0] & within[..., 1]
    starts = np.flatnonzero(np.diff(hidden, prepend=-1))
    weights[hidden[starts]] *= ~np.logical_or.reduceat(behind, starts)


def _colours(image_rgb: ImageArray, points_px: Float32Array, source_size_px: tuple[int, int]) -> Float32Array:
    """(N, P, 3): lightness, red against green and blue against yellow at the points, in bins from 0 to BINS - 1."""
    height_px, width_px = image_rgb.shape[:2]
    scale = np.array((width_px / source_size_px[0], height_px / source_size_px[1]), np.float32)
    last = np.array((width_px - 1, height_px - 1), np.float32)
    places = np.minimum(np.maximum(points_px * scale, 0), last).astype(np.intp)
    seen = image_rgb.reshape(-1, 3)[(places[..., 1] * width_px + places[..., 0]).ravel()]
    logarithms = np.log(seen / _mean_rgb(image_rgb) + DARKEST)
    bins: Float32Array = np.minimum(np.maximum(logarithms @ _TO_BINS + _FIRST_BIN, 0), BINS - 1)
    return bins.reshape(points_px.shape[0], points_px.shape[1], CHANNELS)


def _mean_rgb(image_rgb: ImageArray) -> Float32Array:
    """(3,), at least 1, on a grid: a picture of a few thousand points says as much as the whole."""
    grid = cv2.resize(image_rgb, (REFERENCE_POINTS, REFERENCE_POINTS), interpolation=cv2.INTER_NEAREST)
    return np.maximum(np.array(cv2.mean(grid)[:3], np.float32), 1)


def _histograms(colours: Float32Array, weights: Float32Array) -> tuple[Float32Array, Float32Array]:
    """Features (N, parts, FEATURES) and weights (N, parts); every point goes into the two bins beside its colour."""
    shares = colours[..., None] - np.arange(BINS, dtype=np.float32)
    np.abs(shares, out=shares)
    np.maximum(np.subtract(1, shares, out=shares), 0, out=shares)
    by_part = weights.reshape(-1, len(PARTS), 1, PART_POINTS)
    counts = (by_part @ shares.reshape(-1, len(PARTS), PART_POINTS, FEATURES))[:, :, 0]
    total = by_part.sum(axis=3)
    features = np.sqrt(counts / np.maximum(CHANNELS * total, 1e-6))
    return features, total[:, :, 0] / PART_POINTS


def _pattern() -> tuple[Float32Array, Float32Array]:
    """Each point as a sum of the vectors of `_axes`, (P, 16), and how it lies between the six stretches, (P, 6)."""
    rows, columns = np.meshgrid(np.linspace(0.04, 0.96, 12), np.linspace(-0.9, 0.9, 4), indexing="ij")
    down, across = rows.ravel(), columns.ravel()
    points = len(PARTS) * PART_POINTS
    places, between = np.zeros((points, 16)), np.zeros((points, 6))
    places[:48, :4] = np.stack((1 - down, down, (1 - down) * across, down * across), axis=1)
    between[:48, :2] = places[:48, :2]
    rows, columns = np.meshgrid(np.linspace(0.1, 0.9, 4), np.linspace(-0.1, 0.1, 3), indexing="ij")
    for limb in range(4):
        own = slice(48 + 12 * limb, 60 + 12 * limb)
        places[own, 4 + limb :: 4] = np.stack((np.ones(12), rows.ravel(), columns.ravel()), axis=1)
        between[own, 2 + limb] = 1
    return places.astype(np.float32), between.astype(np.float32)


def _binning() -> tuple[Float32Array, Float32Array]:
    """(3, 3) and (3,): logarithms of red, green, blue times the first plus the second are places among the bins."""
    axes = np.array(((1 / 3, 1, -0.5), (1 / 3, -1, -0.5), (1 / 3, 0, 1)))
    low, high = np.array((LIGHTNESS_RANGE, COLOUR_RANGE, COLOUR_RANGE)).T
    per_unit = (BINS - 1) / (high - low)
    return (axes * per_unit).astype(np.float32), (-low * per_unit).astype(np.float32)


_PLACES, _BETWEEN = _pattern()
_NEAREST = np.round(_BETWEEN)
_TO_BINS, _FIRST_BIN = _binning()
