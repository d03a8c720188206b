"""What the tracker knows after a frame, as the contract's TrackFrame."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from posebus.arrays import BoolArray, Float64Array, Int64Array
from posebus.config.settings import TrackerSettings
from posebus.messages import PoseFrame, Track, TrackFrame, TrackState, Uninferred
from tracking.boxes import MIN_SIDE_PX
from tracking.compiled import compiled
from tracking.detections import Detections
from tracking.identities.track import LOST, Tracks
from tracking.motion import smoothing
from tracking.motion.kalman import POSITION, VELOCITY
from tracking.motion.smoothing import SEEN_CONFIDENCE

STATE_NAMES = tuple(str(state) for state in TrackState)

HIDDEN, SEEN = 1, 2
"""COCO's visibility flags of keypoints; 0 is not known."""

Singles = npt.NDArray[np.float32]
Flags = npt.NDArray[np.uint8]
Indices = npt.NDArray[np.intp]


def report(
    frame: PoseFrame | Uninferred,
    tracks: Tracks,
    taken: Indices,
    lost: BoolArray,
    detections: Detections,
    settings: TrackerSettings,
) -> TrackFrame:
    """`tracks` (T,) in `frame`; `taken` is the detection that each was seen as, -1 for unseen; `lost` is who has just
    been lost; of the tracks beyond the length of either, neither is true.

    Who is seen has the smoothed skeleton and a box between the detection's and the filter's. Who is not has the
    predicted box and the last skeleton carried along with it, score and confidences fading with time. Who has been
    lost for longer than `report_lost_s` is not mentioned until found again or ended, but everybody once when lost.
    """
    taken, lost = _filled(taken, len(tracks), -1), _filled(lost, len(tracks), False)
    told = Told(tracks.state, tracks.seen_ns, tracks.unseen_from_ns, tracks.beliefs, tracks.joints)
    times_ns = (frame.captured_at_ns, round(settings.lost_s * 1e9), round(settings.report_lost_s * 1e9))
    fading, boxes_px, joints_px, visibility, velocities_px_s = tell(
        told, taken, lost, detections.corners, times_ns, smoothing.BOX_SHARE
    )
    inferred = isinstance(frame, PoseFrame)
    if not inferred:
        # As a detector cuts them: whoever walks out grows narrower.
        for axis, end_px in enumerate(frame.size_px):
            boxes_px[:, axis].clip(0.0, end_px - MIN_SIDE_PX, out=boxes_px[:, axis])
            boxes_px[:, 2 + axis].clip(MIN_SIDE_PX, end_px, out=boxes_px[:, 2 + axis])
    known = tracks.joints.shape[1] > 0 and not (isinstance(frame, PoseFrame) and frame.keypoints_px is None)
    reported = []
    for place, (number, state, seen_as, share, score, born_ns) in enumerate(
        zip(
            *(column.tolist() for column in (tracks.ids, tracks.state, taken, fading, tracks.score, tracks.born_ns)),
            strict=True,
        )
    ):
        if share < 0.0:
            continue
        reported.append(
            Track(
                number,
                boxes_px[place],
                score * share,
                joints_px[place] if known else None,
                STATE_NAMES[state],
                (frame.captured_at_ns - born_ns) / 1e9,
                velocities_px_s[place],
                visibility[place] if known else None,
                int(detections.rows[seen_as]) if seen_as >= 0 else None,
                seen_as < 0,
            )
        )
    return TrackFrame(
        frame.camera, frame.epoch, frame.seq, frame.captured_at_ns, frame.size_px, tuple(reported), inferred
    )


def _filled(column: npt.NDArray[Any], length: int, value: Any) -> npt.NDArray[Any]:
    """A column (T,) made `length` long with `value`."""
    missing = length - len(column)
    return np.concatenate((column, np.full(missing, value, column.dtype))) if missing else column


class Told(NamedTuple):
    """The columns of `Tracks` that a report is made of."""

    state: Int64Array
    seen_ns: Int64Array
    unseen_from_ns: Int64Array
    beliefs: Float64Array
    joints: Float64Array


@compiled
def tell(
    tracks: Told,
    taken: Indices,
    lost: BoolArray,
    corners: Float64Array,
    times_ns: tuple[int, int, int],
    shares: tuple[float, ...],
) -> tuple[Float64Array, Singles, Singles, Flags, Singles]:
    """How much of their score tracks keep (T,), -1 for those not to be mentioned; boxes (T, 4), joints (T, K, 3), their
    visibility (T, K) and velocities (T, 2). times_ns: now, how long lost ones live and how long they are mentioned;
    shares: of the filter in centre x, y, width and height of who is seen."""
    now_ns, lost_ns, report_lost_ns = times_ns
    count, joints = tracks.joints.shape[:2]
    fading = np.ones(count)
    boxes_px = np.empty((count, 4), np.float32)
    joints_px = np.empty((count, joints, 3), np.float32)
    visibility = np.zeros((count, joints), np.uint8)
    velocities = np.empty((count, 2), np.float32)
    for track in range(count):
        position = tracks.beliefs[POSITION, track]
        velocities[track] = tracks.beliefs[VELOCITY, track, :2]
        seen = taken[track] >= 0
        if not seen:
            unseen_ns = now_ns - tracks.seen_ns[track]
            missed_ns = now_ns - tracks.unseen_from_ns[track]
            if tracks.state[track] == LOST and missed_ns > report_lost_ns and not lost[track]:
                fading[track] = -1.0
                continue
            fading[track] = min(max(1.0 - unseen_ns / lost_ns, 0.0), 1.0)
        for axis in range(2):
            centre, length = position[axis], max(position[2 + axis], MIN_SIDE_PX)
            if seen:
                low, high = corners[taken[track], axis], corners[taken[track], 2 + axis]
                centre += (1.0 - shares[axis]) * ((low + high) / 2.0 - centre)
                length += (1.0 - shares[2 + axis]) * (high - low - length)
            boxes_px[track, axis], boxes_px[track, 2 + axis] = centre - length / 2.0, centre + length / 2.0
        for joint in range(joints):
            x, y, confidence = tracks.joints[track, joint]
            joints_px[track, joint] = (position[0] + x, position[1] + y, confidence * fading[track])
            if confidence > 0.0:
                visibility[track, joint] = SEEN if seen and confidence >= SEEN_CONFIDENCE else HIDDEN
    return fading, boxes_px, joints_px, visibility, velocities
