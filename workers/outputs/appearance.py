"""Describe the appearance of people: the colours of torso and legs, read from the picture under their joints.

It needs no network: a fixed pattern of points is laid over the body between shoulders, hips, knees and ankles, the
picture is sampled at these points, and the colours of each part are counted in soft histograms.
`posebus.contract.appearance` defines the layout of the descriptors and how they are compared.

Lighting is compensated twice. Colours are relative to the mean of the whole picture (the grey-world assumption:
G. Buchsbaum, "A spatial processor model for object colour perception", J. Franklin Institute 310, 1980), so that a
change of gain or white balance does not change them. And they are split into lightness and two differences of
logarithms, which a shadow hardly changes.
"""

from __future__ import annotations

import cv2
import numpy as np

from posebus.arrays import BoolArray, Float32Array
from posebus.contract.appearance import BINS, CHANNELS, FEATURES, PARTS, SIZE, joined
from workers.detections import Detections, ImageArray

COCO_KEYPOINTS = 17

HALF_WIDTH = np.float32(0.25)
"""Least half width of a torso, relative to its length: in a side view, left and right joints coincide."""

DARKEST = np.float32(0.16)
"""Added to colours, relative to the picture's mean, before the logarithm, which would amplify noise in darker ones."""

LIGHTNESS_RANGE = (-1.7, 0.7)
COLOUR_RANGE = (-0.7, 0.7)
"""Logarithms of the outermost bins; values beyond are clipped to them."""

OCCLUDER_SCORE = 0.3
"""A person with at least this score occludes the people behind."""

NEARER = np.float32(0.02)
"""A person whose box ends lower than another's, by more than this share of its height, is nearer to the camera."""

REFERENCE_POINTS = 64
"""Points per side of the grid on which the mean of the picture is computed."""

PART_POINTS = 24
"""6 rows of 4 points on each half of the torso, 4 rows of 3 on each limb."""

_FIRST_JOINTS = np.array((5, 11, 11, 12, 13, 14))
_SECOND_JOINTS = np.array((6, 12, 13, 14, 15, 16))
"""Ends of the six segments that carry points: shoulders, hips, left and right thigh, left and right shin."""


def describe(image_rgb: ImageArray, people: Detections, source_size_px: tuple[int, int]) -> Float32Array | None:
    """Return the descriptors of all people, (N, `posebus.contract.appearance.SIZE`), finite; None for other skeletons
    than COCO's.

    `image_rgb` is the decoded picture, u8 (H, W, 3), C-contiguous. `people` are in pixels of the source, whose
    (width, height), `source_size_px`, exceeds the picture's where ingest reduced it. A point's weight is the confidence
    of the joints around it; it is 0 outside the picture and inside the box of a person who is nearer.
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
    """Return finite positions (N, 17, 2) and confidences (N, 17).

    A joint on the picture's edge was clipped to it and lies beyond: its confidence becomes 0, as for one that is not
    finite.
    """
    places, believed = keypoints_px[..., :2], keypoints_px[..., 2]
    seen = (places.min(axis=2) > 0) & _inside(places, size_px) & (believed <= 1)
    if seen.all():
        return places, believed
    return np.where(np.isfinite(places), places, np.float32(0)), np.where(seen, believed, np.float32(0))


def _weights(believed: Float32Array) -> Float32Array:
    """Return the weights (N, P) of the points from the confidences of the joints on both sides of each.

    The nearer joints count most: with the hips behind a table, the upper torso still has weight, the lower one has not.
    """
    stretches = np.minimum(believed[:, _FIRST_JOINTS], believed[:, _SECOND_JOINTS]).T
    return np.minimum(_BETWEEN @ stretches, _NEAREST @ stretches).T


def _inside(points_px: Float32Array, size_px: tuple[int, int]) -> BoolArray:
    within = (points_px >= 0) & (points_px < np.array(size_px, np.float32))
    both: BoolArray = within[..., 0] & within[..., 1]
    return both


def _axes(joints: Float32Array) -> Float32Array:
    """Return the vectors (N, 16, 2) of which each point is a weighted sum.

    They are the middles of shoulders and hips and their half widths; and for the four limbs the upper joints, the
    vectors to the lower joints, and these turned by a right angle.
    """
    first, second = joints[:, _FIRST_JOINTS], joints[:, _SECOND_JOINTS]
    middle = (first[:, :2] + second[:, :2]) * np.float32(0.5)
    half = (second[:, :2] - first[:, :2]) * np.float32(0.5)
    least = _turned(middle[:, :1] - middle[:, 1:]) * HALF_WIDTH
    # The pattern is symmetric, but shoulders and hips must agree on left and right, or the torso is twisted.
    half = np.where((half * least).sum(axis=2, keepdims=True) < 0, -half, half)
    narrow = (half**2).sum(axis=2, keepdims=True) < (least**2).sum(axis=2, keepdims=True)
    way = second[:, 2:] - first[:, 2:]
    return np.concatenate((middle, np.where(narrow, least, half), first[:, 2:], way, _turned(way)), axis=1)


def _turned(vectors: Float32Array) -> Float32Array:
    turned: Float32Array = vectors[..., ::-1] * np.array((-1, 1), np.float32)
    return turned


def _hide(weights: Float32Array, points_px: Float32Array, people: Detections) -> None:
    """Set the weights (N, P) of points inside the box of a nearer person to 0."""
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
    """Return lightness, red-green and blue-yellow at the points, (N, P, 3), in bins from 0 to BINS - 1."""
    height_px, width_px = image_rgb.shape[:2]
    scale = np.array((width_px / source_size_px[0], height_px / source_size_px[1]), np.float32)
    last = np.array((width_px - 1, height_px - 1), np.float32)
    places = np.minimum(np.maximum(points_px * scale, 0), last).astype(np.intp)
    seen = image_rgb.reshape(-1, 3)[(places[..., 1] * width_px + places[..., 0]).ravel()]
    logarithms = np.log(seen / _mean_rgb(image_rgb) + DARKEST)
    bins: Float32Array = np.minimum(np.maximum(logarithms @ _TO_BINS + _FIRST_BIN, 0), BINS - 1)
    return bins.reshape(points_px.shape[0], points_px.shape[1], CHANNELS)


def _mean_rgb(image_rgb: ImageArray) -> Float32Array:
    """Return the mean (3,), at least 1, of a grid of a few thousand points, which is as good as that of all pixels."""
    grid = cv2.resize(image_rgb, (REFERENCE_POINTS, REFERENCE_POINTS), interpolation=cv2.INTER_NEAREST)
    return np.maximum(np.array(cv2.mean(grid)[:3], np.float32), 1)


def _histograms(colours: Float32Array, weights: Float32Array) -> tuple[Float32Array, Float32Array]:
    """Return features (N, parts, FEATURES) and weights (N, parts); each point counts in the two nearest bins."""
    shares = colours[..., None] - np.arange(BINS, dtype=np.float32)
    np.abs(shares, out=shares)
    np.maximum(np.subtract(1, shares, out=shares), 0, out=shares)
    by_part = weights.reshape(-1, len(PARTS), 1, PART_POINTS)
    counts = (by_part @ shares.reshape(-1, len(PARTS), PART_POINTS, FEATURES))[:, :, 0]
    total = by_part.sum(axis=3)
    features = np.sqrt(counts / np.maximum(CHANNELS * total, 1e-6))
    return features, total[:, :, 0] / PART_POINTS


def _pattern() -> tuple[Float32Array, Float32Array]:
    """Return each point's weights of the vectors of `_axes`, (P, 16), and of the six segments, (P, 6)."""
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
    """Return the matrix (3, 3) and offset (3,) that map logarithms of red, green, blue to bins."""
    axes = np.array(((1 / 3, 1, -0.5), (1 / 3, -1, -0.5), (1 / 3, 0, 1)))
    low, high = np.array((LIGHTNESS_RANGE, COLOUR_RANGE, COLOUR_RANGE)).T
    per_unit = (BINS - 1) / (high - low)
    return (axes * per_unit).astype(np.float32), (-low * per_unit).astype(np.float32)


_PLACES, _BETWEEN = _pattern()
_NEAREST = np.round(_BETWEEN)
_TO_BINS, _FIRST_BIN = _binning()
