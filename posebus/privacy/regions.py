"""Where the heads of people are, by their keypoints; else the upper part of their boxes. Pure.

A head that is blurred beside its place is worse than one that is blurred too widely, so every doubt makes the region
larger. Regions are boxes (M, 4) of x1, y1, x2, y2; a person has one or several of them.
"""

from __future__ import annotations

from itertools import combinations
from math import hypot

import numpy as np

from posebus.arrays import BoolArray, Float32Array
from posebus.coco import COCO_KEYPOINT_NAMES, VISIBLE
from posebus.messages import Track, TrackFrame, TrackState

CLEAR_CONFIDENCE = 0.5
"""A keypoint of at least this confidence is seen; the network guesses the others."""
CLEAR_POINTS = 2
"""So many points of the face have to be seen: one alone may be another person's, or a mistake."""
UPPER_PART = 0.4
"""Of the height of a standing person's box: head, neck and shoulders, also of a person who looks down."""
UPPER_WIDTHS = 0.9
"""Of the box's width: a person who is cut off below the chest, who sits or lies, has the head in more of the box."""
REACH = 0.8
"""From the middle of the face to each side of its region, in heights of the head: hair and a hat are inside."""
LARGEST_PART = 0.75
"""Of the box's longer side: no head is higher, even if misplaced keypoints say so."""
LEAST_PX = 3.0
"""Half of the side of the smallest region."""
BRIDGE_NS = 500_000_000
"""For so long before the first picture of a person, after the last, and between two of them, the head is covered."""

_FACE = tuple(range(5))
_KEYPOINTS = len(COCO_KEYPOINT_NAMES)
_HEADS_A_DISTANCE = {
    (1, 2): 3.6,  # between the eyes
    (3, 4): 1.5,  # between the ears
    (0, 3): 2.0, (0, 4): 2.0, (1, 3): 2.4, (2, 4): 2.4,  # along the head seen from the side
    (5, 6): 0.65,  # between the shoulders
    (0, 5): 0.8, (0, 6): 0.8, (3, 5): 0.9, (4, 6): 0.9,  # from face to shoulder
    (5, 11): 0.46, (6, 12): 0.46,  # the trunk
}  # fmt: skip
"""Heights of the head, from chin to crown, for a distance between two joints: proportions of an adult's body.

Seen at an angle, a distance looks shorter and never longer, so the largest of all heights is the head's.
"""
_BODY_HEIGHTS = 0.13
"""Height of the head of a standing person, as a part of the box's height."""


def head_regions(
    boxes_xyxy_px: Float32Array, keypoints_px: Float32Array | None, predicted: BoolArray | None = None
) -> Float32Array:
    """Return regions (M, 4), in the pixels of the boxes, that cover the heads of N people.

    boxes_xyxy_px: (N, 4); keypoints_px: (N, K, 3) rows of x, y, confidence, in COCO's order if K is 17, or None;
    predicted: (N,), whether a person was not detected in this picture, so that keypoints say too little.
    Without a head that is clearly seen, the region is the upper part of the box, which for people who do not stand is
    most of it, and the places of the face that the network supposes. Boxes that are not finite are left out.
    """
    regions: list[tuple[float, float, float, float]] = []
    for index, box in enumerate(boxes_xyxy_px):
        if not np.isfinite(box).all():
            continue
        rows = None if keypoints_px is None else keypoints_px[index]
        if rows is not None and (len(rows) != _KEYPOINTS or not np.isfinite(rows).all()):
            rows = None
        head = None if rows is None else _by_keypoints(box.tolist(), rows.tolist())
        if head is not None:
            regions.append(head.region)
        if head is None or not head.is_clear or (predicted is not None and predicted[index]):
            regions.append(_upper_part(*box.tolist()))
    return np.array(regions, np.float32).reshape(-1, 4)


def track_regions(track: Track) -> Float32Array:
    """Return regions (M, 4), in source pixels, that cover the head of one track, in any state."""
    keypoints = track.keypoints_px
    if keypoints is not None and track.keypoint_visibility is not None:
        # Smoothed keypoints keep the confidence of the network where the joint is hidden now.
        confidences = np.where(track.keypoint_visibility == VISIBLE, np.maximum(keypoints[:, 2], CLEAR_CONFIDENCE), 0)
        keypoints = np.column_stack([keypoints[:, :2], confidences]).astype(np.float32)
    predicted = np.array([is_predicted(track)])
    return head_regions(track.box_xyxy_px[None], None if keypoints is None else keypoints[None], predicted)


def is_predicted(track: Track) -> bool:
    """Return whether a track was not detected in its frame."""
    return track.coasted or track.state in (TrackState.LOST, TrackState.ENDED)


def frame_regions(frame: TrackFrame) -> Float32Array:
    """Return regions (M, 4), in source pixels, that cover the heads of all tracks of a frame, in any state."""
    found = [track_regions(track) for track in frame.tracks]
    return np.concatenate(found) if found else np.zeros((0, 4), np.float32)


def scaled(regions: Float32Array, size_px: tuple[int, int], to_px: tuple[int, int]) -> Float32Array:
    """Return `regions` (M, 4) of a picture of `size_px` (width, height) in a copy of it of another size."""
    factors = np.array([to_px[0] / size_px[0], to_px[1] / size_px[1]] * 2, np.float32)
    return np.asarray(regions * factors, np.float32)


class _Head:
    """The region around a face; `is_clear`: enough of the face is seen, in or near the person's box."""

    def __init__(self, region: tuple[float, float, float, float], *, is_clear: bool) -> None:
        self.region = region
        self.is_clear = is_clear


def _by_keypoints(box: list[float], rows: list[list[float]]) -> _Head | None:
    """Return the head by the keypoints (17 rows), None where all of the face lies far from the box."""
    longer_px = max(box[2] - box[0], box[3] - box[1])
    near_px = 0.15 * longer_px
    inside = [point for point in _FACE if _is_near(rows[point], box, near_px)]
    clear = [point for point in inside if rows[point][2] >= CLEAR_CONFIDENCE]
    is_clear = len(clear) >= CLEAR_POINTS
    points = clear if is_clear else inside
    if not points:
        return None
    across = [rows[point][0] for point in points]
    down = [rows[point][1] for point in points]
    reach_px = max(LEAST_PX, REACH * _head_height_px(box, rows))
    middle = (min(across) + max(across)) / 2, (min(down) + max(down)) / 2
    margin_px = reach_px / 2
    return _Head(
        (
            min(middle[0] - reach_px, min(across) - margin_px),
            min(middle[1] - reach_px, min(down) - margin_px),
            max(middle[0] + reach_px, max(across) + margin_px),
            max(middle[1] + reach_px, max(down) + margin_px),
        ),
        is_clear=is_clear,
    )


def _head_height_px(box: list[float], rows: list[list[float]]) -> float:
    width_px, height_px = box[2] - box[0], box[3] - box[1]
    heights_px = [_BODY_HEIGHTS * max(width_px, height_px)]
    seen = [index for index, row in enumerate(rows) if row[2] >= CLEAR_CONFIDENCE]
    for first, second in combinations(seen, 2):
        heads = _HEADS_A_DISTANCE.get((first, second))
        if heads is not None:
            heights_px.append(heads * hypot(rows[first][0] - rows[second][0], rows[first][1] - rows[second][1]))
    return min(max(heights_px), LARGEST_PART * max(width_px, height_px))


def _is_near(row: list[float], box: list[float], near_px: float) -> bool:
    return box[0] - near_px <= row[0] <= box[2] + near_px and box[1] - near_px <= row[1] <= box[3] + near_px


def _upper_part(left: float, top: float, right: float, bottom: float) -> tuple[float, float, float, float]:
    width_px, height_px = right - left, bottom - top
    part_px = min(height_px, max(UPPER_PART * height_px, UPPER_WIDTHS * width_px))
    above_px = 0.05 * height_px  # the network's boxes often cut hair
    return left - 0.05 * width_px, top - above_px, right + 0.05 * width_px, top + part_px
