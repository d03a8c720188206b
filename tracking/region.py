"""The region of a camera: which detections are of people whose feet are in it. Pure.

The region is applied to detections, before they are tracked: people outside cost nothing more, they never get a number,
and those inside are not compared with them. A person who leaves the region is lost, as at the border of the picture,
and keeps the number if the person is back in time (`tracker.lost_s`). There is no state of its own here, so that a
tracker that takes over continues in the same way, and a region that is changed renames only people who are outside.

**Feet.** A person stands where the ankles are, if the network sees them, and else where the box ends at the bottom:
it is the lowest point that is visible, also where something hides the rest. Joints further up say less, since how far
the feet are below the hips depends on the posture and on the height of the camera; before a person is tracked, a wrong
guess would leave out a person who is inside. Feet below the picture count at its border.

**At the border** of the region the feet of a person who stands jitter by some pixels, and legs are hidden now and then.
So a person who is tracked leaves it only when neither ankles nor box are within a margin around it. A person who is not
tracked enters it without a margin.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from posebus.arrays import BoolArray, Float64Array
from posebus.boxes import iou_matrix
from posebus.config.cameras.region import Region, is_in_fractions
from posebus.messages import PoseFrame, Probe
from tracking import body_model as model
from tracking.compiled import plain
from tracking.feet import ankles_px, lower_edges_px
from tracking.geometry import ON_SIDE_PX, outside_by
from tracking.motion import kalman
from tracking.tracks import LOST, Tracks

MARGIN = 0.15
"""How far outside the feet of a tracked person may be, in lengths of the longer side of the box: more than feet jitter,
less than a step."""
SAME_IOU = 0.3
"""A detection whose box overlaps a track's by this much may be the person of that track."""
LONGEST_STEP_S = 1.0
"""Tracks are predicted over no longer time here; after a longer one, people enter the region anew."""


def only_inside(
    frame: PoseFrame, source_size_px: tuple[int, int], region: Region, tracks: Tracks, elapsed_s: float
) -> PoseFrame:
    """Return `frame` with a score of 0 for all people outside `region`, which nothing uses then; rows stay.

    Args:
        frame: in square pixels.
        source_size_px: (width, height) of the picture in pixels of the source, in which a region is that is not in
            fractions.
        region: its polygons.
        tracks: the camera's tracks after the last frame before.
        elapsed_s: seconds since that frame.
    """
    polygons = _in_pixels(region, source_size_px, frame.size_px)
    size = np.array(frame.size_px, float)
    boxes = frame.boxes_xyxy_px.astype(float)
    lowest = np.clip(lower_edges_px(boxes), 0.0, size)
    ankles = np.clip(ankles_px(frame.keypoints_px, lowest), 0.0, size)
    ankles_by = outside_by(ankles, polygons)
    inside = ankles_by <= ON_SIDE_PX
    near = np.minimum(ankles_by, outside_by(lowest, polygons)) <= MARGIN * _lengths(boxes)
    if (near & ~inside).any():
        inside |= near & _tracked(boxes, tracks, elapsed_s)
    probes = tuple(_probe(probe, polygons, size) for probe in frame.probes)
    return replace(frame, scores=np.where(inside, frame.scores, 0).astype(np.float32), probes=probes)


def _in_pixels(region: Region, source_size_px: tuple[int, int], size_px: tuple[int, int]) -> list[Float64Array]:
    """Return the polygons in pixels of a picture of `size_px`."""
    unit = (1, 1) if is_in_fractions(region) else source_size_px
    scale = np.array(size_px, float) / np.array(unit, float)
    return [np.array(polygon, float) * scale for polygon in region]


def _lengths(boxes: Float64Array) -> Float64Array:
    """Return the longer side (N,) of each box (N, 4)."""
    longer: Float64Array = (boxes[:, 2:] - boxes[:, :2]).max(axis=1, initial=0.0)
    return longer


def _tracked(boxes: Float64Array, tracks: Tracks, elapsed_s: float) -> BoolArray:
    """Return which of the boxes (N, 4) overlaps a track most, one for each track that was not lost before."""
    found = np.zeros(len(boxes), np.bool_)
    tracks = tracks.select(tracks.state < LOST)
    if not len(tracks) or not 0.0 <= elapsed_s <= LONGEST_STEP_S:
        return found
    states = kalman.predict(tracks.filter_states, elapsed_s, tracks.body_px, plain(model.MOTION))
    centres, halves = states[kalman.POSITION, :, :2], states[kalman.POSITION, :, 2:] / 2
    overlaps = iou_matrix(np.concatenate([centres - halves, centres + halves], axis=1), boxes)
    best = overlaps.argmax(axis=1)
    found[best[overlaps.max(axis=1) >= SAME_IOU]] = True
    return found


def _probe(probe: Probe, polygons: list[Float64Array], size: Float64Array) -> Probe:
    """Return a probe without the people outside, so that no larger input is chosen for them."""
    feet = np.clip(lower_edges_px(probe.boxes_xyxy_px.astype(float)), 0.0, size)
    inside = outside_by(feet, polygons) <= ON_SIDE_PX
    return replace(probe, scores=np.where(inside, probe.scores, 0).astype(np.float32))
