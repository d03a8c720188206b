"""The update of tracks with their matched detections: filter state, skeleton, colours, confirmation."""

from __future__ import annotations

import math

import numpy as np

from posebus.arrays import Float64Array, IndexArray, Int64Array
from posebus.config.settings import TrackerSettings
from tracking import body_model as model
from tracking.body_model import MIN_SIDE_PX, KalmanParameters
from tracking.compiled import compiled, plain
from tracking.detections import DetectionColumns, UsableDetections
from tracking.matching.colours import remember
from tracking.motion import kalman
from tracking.motion.borders import is_sliver, reaches_border
from tracking.motion.kalman import POSITION
from tracking.motion.smoothing import follow_joints
from tracking.tracks import CONFIRMED, LOST, TENTATIVE, TrackColumns, Tracks

LOW_SCORE_NOISE = 1.0
"""How much larger the measurement noise is at score 0 than at score 1, as a share of the latter. Source: Y. Du et al.,
"GIAOTracker: A comprehensive framework for MCMOT", ICCVW 2021 (noise scale adaptive Kalman filter)."""

NIS_SHARE = 0.2
"""Weight of the newest detection in the running mean of a track's NIS."""

MAX_ELAPSED_S = 1.0
"""Colours are not faded by more than this much time, however long a gap in the stream was."""


def update_matched(
    tracks: Tracks,
    matches: IndexArray,
    detections: UsableDetections,
    size_px: tuple[int, int],
    now_ns: int,
    settings: TrackerSettings,
) -> None:
    """Update the matched tracks with their detections, in place.

    Args:
        tracks: T tracks, predicted to this frame.
        matches: (T,) the detection of each track, -1 for none, as from `associate`.
        detections: those of the frame.
        size_px: (width, height) of the picture.
        now_ns: capture time of the frame.
        settings: those of the tracker.
    """
    if detections.appearance is not None:
        _update_colours(
            tracks.appearance, matches, detections.appearance, detections.scores, tracks.last_seen_ns, now_ns
        )
    confirm_ns = round(settings.confirm_s * 1e9)
    people, motion, borders = plain(detections.columns()), plain(model.MOTION), plain(model.BORDERS)
    _update_matched(plain(tracks.columns()), matches, people, size_px, now_ns, confirm_ns, motion, borders)


@compiled
def _update_matched(
    tracks: TrackColumns,
    matches: IndexArray,
    detections: DetectionColumns,
    size_px: tuple[int, int],
    now_ns: int,
    confirm_ns: int,
    motion: KalmanParameters,
    borders: model.Borders,
) -> None:
    tracks, detections = TrackColumns(*tracks), DetectionColumns(*detections)
    motion, borders = KalmanParameters(*motion), model.Borders(*borders)
    measurement_std, error_memory_s = np.array(motion.measurement_std), np.array(motion.error_memory_s)
    for track in range(len(matches)):
        detection = matches[track]
        if detection < 0:
            continue
        score, body_px, box = detections.scores[detection], tracks.body_px[track], detections.centred[detection]
        dt_s = (now_ns - tracks.last_seen_ns[track]) / 1e9
        std_px = (
            body_px
            * (1.0 + LOW_SCORE_NOISE * (1.0 - score))
            * measurement_std
            * np.sqrt(1.0 + 2.0 * error_memory_s / dt_s)
        )
        for axis in range(2):
            if reaches_border(box, axis, size_px, borders):
                # A side that the border cuts really changes from frame to frame; that is no noise.
                std_px[2 + axis] = borders.cut_measurement_std * body_px
        nis = kalman.centre_nis(tracks.filter_states, track, box, std_px)
        tracks.nis[track] += NIS_SHARE * (nis - tracks.nis[track])
        kalman.update(tracks.filter_states, track, box, std_px)
        position = tracks.filter_states[POSITION, track]
        if detections.joints.shape[1]:
            joints = detections.joints[detection].copy()
            joints[:, 0] -= position[0]
            joints[:, 1] -= position[1]
            follow_joints(tracks.joints[track], joints, body_px, dt_s)
        known = tracks.state[track] != TENTATIVE
        if is_sliver(box, size_px, borders):
            tracks.state[track] = LOST if known else TENTATIVE
        elif known or now_ns - tracks.born_ns[track] >= confirm_ns:
            tracks.state[track] = CONFIRMED
        tracks.last_seen_ns[track] = tracks.unseen_since_ns[track] = now_ns
        tracks.score[track] = score
        tracks.body_px[track] = max(position[2], position[3], MIN_SIDE_PX)


@compiled
def _update_colours(
    kept: Float64Array,
    matches: IndexArray,
    colours: Float64Array,
    scores: Float64Array,
    last_seen_ns: Int64Array,
    now_ns: int,
) -> None:
    if not len(matches):
        return
    # Since any track was seen: a track that was unseen for longer has no reason to forget its colours.
    elapsed_s = min((now_ns - last_seen_ns.max()) / 1e9, MAX_ELAPSED_S)
    share = 1.0 - math.exp(-elapsed_s / model.APPEARANCE_MEMORY_S)
    for track in range(len(matches)):
        if matches[track] >= 0 and scores[matches[track]] >= model.APPEARANCE_SCORE:
            remember(kept[track], colours[matches[track]], share)
