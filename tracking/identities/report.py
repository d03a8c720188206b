"""The tracks after a frame, as the contract's TrackFrame."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from posebus.arrays import BoolArray, Float32Array, Float64Array, IndexArray, Int64Array, UInt8Array
from posebus.coco import HIDDEN, VISIBLE
from posebus.config.settings import TrackerSettings
from posebus.messages import PoseFrame, Track, TrackFrame, TrackState, Uninferred
from tracking.body_model import MIN_SIDE_PX
from tracking.compiled import compiled, plain
from tracking.detections import UsableDetections
from tracking.motion import smoothing
from tracking.motion.kalman import POSITION, VELOCITY
from tracking.motion.smoothing import SEEN_CONFIDENCE
from tracking.tracks import LOST, Tracks

STATE_NAMES = tuple(str(state) for state in TrackState)

NOT_REPORTED = -1.0
"""Stands for the share of the score of a track that the frame leaves out."""


class ReportedColumns(NamedTuple):
    """The columns of `Tracks` that a report is made of."""

    state: Int64Array
    last_seen_ns: Int64Array
    unseen_since_ns: Int64Array
    filter_states: Float64Array
    joints: Float64Array


def report(
    frame: PoseFrame | Uninferred,
    tracks: Tracks,
    matches: IndexArray,
    lost: BoolArray,
    detections: UsableDetections,
    settings: TrackerSettings,
) -> TrackFrame:
    """The tracks as published.

    A matched track has the smoothed skeleton and a box between the detection's and the filter's. An unmatched one has
    the predicted box with its last skeleton moved along, and score and confidences that fade with time. A track lost
    for longer than `report_lost_s` is left out until it is matched again or ends, but each track is reported at least
    once when it is lost.

    Args:
        frame: the frame, which need not have been inferred.
        tracks: T tracks after it, ended ones last.
        matches: (up to T,) the detection of each track, -1 for none; tracks beyond its length have none.
        lost: (up to T,) mask of the tracks that this frame lost; tracks beyond its length were not.
        detections: those of the frame.
        settings: those of the tracker.
    """
    matches, lost = _padded(matches, len(tracks), -1), _padded(lost, len(tracks), False)
    columns = ReportedColumns(
        tracks.state, tracks.last_seen_ns, tracks.unseen_since_ns, tracks.filter_states, tracks.joints
    )
    now_ns, pose_rows = frame.captured_at_ns, detections.rows.tolist()
    lost_ns, report_lost_ns = round(settings.lost_s * 1e9), round(settings.report_lost_s * 1e9)
    score_shares, boxes_px, joints_px, visibility, velocities_px_s = report_arrays(
        plain(columns), matches, lost, detections.corners, now_ns, lost_ns, report_lost_ns, smoothing.BOX_SHARE
    )
    if isinstance(frame, Uninferred):
        _clip_to_picture(boxes_px, frame.size_px)
    has_joints = tracks.joints.shape[1] > 0 and not (isinstance(frame, PoseFrame) and frame.keypoints_px is None)
    columns_of_scalars = (tracks.ids, tracks.state, matches, score_shares, tracks.score, tracks.born_ns)
    reported = []
    for row, (track_id, state, detection, share, score, born_ns) in enumerate(
        zip(*(column.tolist() for column in columns_of_scalars), strict=True)
    ):
        if share < 0.0:
            continue
        # Positional, in the order of the fields: keywords take longer, and this runs once per person and frame.
        track = Track(
            track_id,
            boxes_px[row],
            score * share,
            joints_px[row] if has_joints else None,
            STATE_NAMES[state],
            (now_ns - born_ns) / 1e9,
            velocities_px_s[row],
            visibility[row] if has_joints else None,
            pose_rows[detection] if detection >= 0 else None,
            detection < 0,
        )
        reported.append(track)
    return track_frame(frame, tuple(reported))


def track_frame(frame: PoseFrame | Uninferred, tracks: tuple[Track, ...]) -> TrackFrame:
    """The message with these tracks of `frame`."""
    return TrackFrame(
        camera=frame.camera,
        epoch=frame.epoch,
        seq=frame.seq,
        captured_at_ns=frame.captured_at_ns,
        size_px=frame.size_px,
        tracks=tracks,
        inferred=isinstance(frame, PoseFrame),
    )


def _clip_to_picture(boxes_px: Float32Array, size_px: tuple[int, int]) -> None:
    """Clip predicted boxes (T, 4) at the border, in place, as a detector does: a person who leaves grows narrower."""
    for axis, end_px in enumerate(size_px):
        boxes_px[:, axis].clip(0.0, end_px - MIN_SIDE_PX, out=boxes_px[:, axis])
        boxes_px[:, 2 + axis].clip(MIN_SIDE_PX, end_px, out=boxes_px[:, 2 + axis])


def _padded(column: npt.NDArray[Any], length: int, value: Any) -> npt.NDArray[Any]:
    """Extend a column (T,) to `length` with `value`."""
    missing = length - len(column)
    return np.concatenate((column, np.full(missing, value, column.dtype))) if missing else column


@compiled
def report_arrays(
    tracks: ReportedColumns,
    matches: IndexArray,
    lost: BoolArray,
    corners: Float64Array,
    now_ns: int,
    lost_ns: int,
    report_lost_ns: int,
    filter_shares: tuple[float, ...],
) -> tuple[Float64Array, Float32Array, Float32Array, UInt8Array, Float32Array]:
    """The numbers of a report.

    Args:
        tracks: columns of T tracks.
        matches: (T,) the detection of each track, -1 for none.
        lost: (T,) mask of the tracks that this frame lost.
        corners: (D, 4) boxes of the detections.
        now_ns: capture time of the frame.
        lost_ns: how long lost tracks live.
        report_lost_ns: how long lost tracks are reported.
        filter_shares: share of the filter in centre x, y, width and height of matched tracks.

    Returns:
        Shares of the score that tracks keep (T,), NOT_REPORTED for those to leave out; boxes (T, 4); joints (T, K, 3)
        and their visibility (T, K); velocities (T, 2).
    """
    tracks = ReportedColumns(*tracks)
    count, joints = tracks.joints.shape[:2]
    score_shares = np.ones(count)
    boxes_px = np.empty((count, 4), np.float32)
    joints_px = np.empty((count, joints, 3), np.float32)
    visibility = np.zeros((count, joints), np.uint8)
    velocities = np.empty((count, 2), np.float32)
    for track in range(count):
        position = tracks.filter_states[POSITION, track]
        velocities[track] = tracks.filter_states[VELOCITY, track, :2]
        matched = matches[track] >= 0
        if not matched:
            undetected_ns = now_ns - tracks.last_seen_ns[track]
            unseen_ns = now_ns - tracks.unseen_since_ns[track]
            if tracks.state[track] == LOST and unseen_ns > report_lost_ns and not lost[track]:
                score_shares[track] = NOT_REPORTED
                continue
            score_shares[track] = min(max(1.0 - undetected_ns / lost_ns, 0.0), 1.0)
        for axis in range(2):
            centre, length = position[axis], max(position[2 + axis], MIN_SIDE_PX)
            if matched:
                low, high = corners[matches[track], axis], corners[matches[track], 2 + axis]
                centre += (1.0 - filter_shares[axis]) * ((low + high) / 2.0 - centre)
                length += (1.0 - filter_shares[2 + axis]) * (high - low - length)
            boxes_px[track, axis], boxes_px[track, 2 + axis] = centre - length / 2.0, centre + length / 2.0
        for joint in range(joints):
            x, y, confidence = tracks.joints[track, joint]
            joints_px[track, joint] = (position[0] + x, position[1] + y, confidence * score_shares[track])
            if confidence > 0.0:
                visibility[track, joint] = VISIBLE if matched and confidence >= SEEN_CONFIDENCE else HIDDEN
    return score_shares, boxes_px, joints_px, visibility, velocities
