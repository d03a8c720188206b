"""What rules take of a frame: people whose numbers can be right, each once, at a time that can be one. Pure.

The tracker reports no others. But rules remember what they see, some of it as averages, so that one wrong number of one
frame, by whatever way it came, would spoil what they say of that person from then on.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from posebus.arrays import Float64Array
from posebus.messages import Track, TrackFrame, TrackState
from tracking.compiled import compiled

MOST_PX = 1e9
"""Coordinates beyond this are no places in a picture."""
MOST_NS = 2**62
"""Times beyond this, 146 years before and after 1970, are none."""


def sound_time(frame: TrackFrame) -> TrackFrame | None:
    """Return the frame, with its time as a whole number, or None if its time is none."""
    time_ns = frame.captured_at_ns
    if type(time_ns) is int and -MOST_NS < time_ns < MOST_NS:
        return frame
    if not math.isfinite(time_ns) or not -MOST_NS < time_ns < MOST_NS:
        return None
    return replace(frame, captured_at_ns=int(time_ns))


def sound_frame(frame: TrackFrame) -> TrackFrame:
    """Return the frame without the people who cannot be as they are reported: they count as not seen in it.

    These have a number in box or keypoints that is not finite, a box without a width or height, or the number of a
    track before them. A track that has ended stays, whatever its box is.
    """
    ids: set[int] = set()
    found = []
    for one in frame.tracks:
        if one.id not in ids and (one.state == TrackState.ENDED or _is_sound(one)):
            ids.add(one.id)
            found.append(one)
    return replace(frame, tracks=tuple(found))


def corners_px(track: Track) -> list[float] | None:
    """The corners of a track's box, None if they are none."""
    box = np.asarray(track.box_xyxy_px, np.float64)
    if box.shape != (4,) or not (np.abs(box) <= MOST_PX).all() or not (box[2:] > box[:2]).all():
        return None
    corners: list[float] = box.tolist()
    return corners


def joints_of(track: Track) -> Float64Array | None:
    """The keypoints (K, 3) of a track, None if it has none, or wrong ones."""
    if track.keypoints_px is None:
        return None
    joints = np.array(track.keypoints_px, np.float64)
    return joints if joints.ndim == 2 and joints.shape[1] == 3 and (np.abs(joints) <= MOST_PX).all() else None


def _is_sound(track: Track) -> bool:
    return corners_px(track) is not None and (track.keypoints_px is None or joints_of(track) is not None)


@compiled
def are_sound(boxes_px: Float64Array, joints_px: Float64Array) -> bool:
    """Whether that is so of all boxes (N, 4) and keypoints (N, K, 3)."""
    for row in range(len(boxes_px)):
        box = boxes_px[row]
        if not (box[2] > box[0] and box[3] > box[1]):
            return False
        for corner in range(4):
            if not abs(box[corner]) <= MOST_PX:
                return False
        for joint in range(joints_px.shape[1]):
            for column in range(3):
                if not abs(joints_px[row, joint, column]) <= MOST_PX:
                    return False
    return True
