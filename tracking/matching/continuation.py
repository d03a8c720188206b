"""The second stage of matching: people who moved faster, or changed their shape more, than the filter expects.

The first stage matches detections near the predicted positions of tracks. A runner whose speed is not known yet, a
person who turns round, and one who falls, are elsewhere. But people rarely vanish in the middle of a picture while
others appear in it. So an unmatched detection near a track that was detected a moment ago is probably the same person.
Each such pair is weighed against the alternative (one person vanished, another one appeared), given how far people move
in the elapsed time. It is matched only if no other pair of the same track or detection is nearly as probable.

The second stage is a second, wider motion model, as in H. Blom,
Y. Bar-Shalom, "The interacting multiple model algorithm for systems with Markovian switching coefficients", IEEE TAC
33(8), 1988, with the models compared once instead of mixed.
"""

from __future__ import annotations

import math

import numpy as np

from posebus.arrays import BoolArray, Float64Array, IndexArray
from tracking import body_model as model
from tracking.compiled import compiled
from tracking.detections import UsableDetections
from tracking.matching.colours import add_colours
from tracking.motion import kalman
from tracking.motion.borders import STANDS_STILL, is_leaving, reaches_border
from tracking.motion.kalman import POSITION, VAR_POSITION, VAR_VELOCITY
from tracking.motion.overlap import covered_share
from tracking.tracks import TrackColumns, Tracks


def match_continuations(
    matches: IndexArray,
    tracks: Tracks,
    detections: UsableDetections,
    follows: BoolArray,
    missed: BoolArray,
    free_detections: IndexArray,
    size_px: tuple[int, int],
    now_ns: int,
) -> None:
    """Match, in place, tracks of the frame before with detections that the first stage left unmatched.

    The filters of tracks that are matched here are widened, in place, to the speed that people can have, for the update
    that follows.

    Args:
        matches: (T,) the detection of each track, -1 for none.
        tracks: T tracks, predicted to this frame.
        detections: D detections.
        follows: (T,) mask of the tracks that were detected in the last inferred frame, or a moment ago.
        missed: (T,) mask of the tracks that were not detected in the last inferred frame.
        free_detections: (F,) the unmatched detections that would start new tracks.
        size_px: (width, height) of the picture.
        now_ns: capture time of the frame.
    """
    free_tracks = (follows & (matches < 0)).nonzero()[0]
    if not len(free_tracks):
        return
    free = np.zeros(len(detections), np.bool_)
    free[free_detections] = True
    columns, weights = tracks.columns(), model.CONTINUATION
    vanished = vanishing(columns, free_tracks, detections.centred, free, size_px, weights, model.BORDERS)
    for place in np.flatnonzero(missed[free_tracks]):
        alone = _is_alone(tracks, free_tracks[place], detections.centred[~free], weights.alone)
        vanished[place] = max(vanished[place], weights.missed_again) if alone else np.inf
    appeared = appearing(detections.centred, free_detections, size_px, weights, model.BORDERS)
    boxes = detections.centred[free_detections]
    odds = continuation_odds(columns, free_tracks, boxes, vanished, appeared, now_ns, weights, model.MOTION)
    if detections.appearance is not None:
        add_colours(odds, tracks.appearance[free_tracks], detections.appearance[free_detections])
    chosen = unambiguous(odds, weights.margin)
    continued = free_tracks[chosen >= 0]
    matches[continued] = free_detections[chosen[chosen >= 0]]
    kalman.widen(tracks.filter_states, continued, weights.fast, weights.place_std * tracks.body_px[continued])


def _is_alone(tracks: Tracks, track: int, others: Float64Array, least: float) -> bool:
    """Whether none of the boxes `others` (N, 4) of people who are known is within `least` body sizes of a track."""
    gaps_px = np.abs(others[:, :2] - tracks.filter_states[POSITION, track, :2])
    return not bool((gaps_px < least * tracks.body_px[track]).all(axis=1).any())


@compiled
def vanishing(
    tracks: TrackColumns,
    rows: IndexArray,
    centred: Float64Array,
    free: BoolArray,
    size_px: tuple[int, int],
    weights: model.Continuation,
    borders: model.Borders,
) -> Float64Array:
    """Probability (R,) that the people of some tracks are not detected in this frame although none of them moved fast.

    Args:
        tracks: columns of T tracks, predicted to this frame.
        rows: (R,) the tracks.
        centred: (D, 4) boxes of all detections.
        free: (D,) mask of those without a track.
        size_px: (width, height) of the picture.
        weights, borders: constants.
    """
    vanished = np.full(len(rows), weights.missed)
    bottoms = centred[:, 1] + centred[:, 3] / 2.0
    for place, track in enumerate(rows):
        position = tracks.filter_states[POSITION, track]
        before = ~free & (bottoms > position[1] + position[3] / 2.0)  # nearer to the camera
        hidden = covered_share(position, centred, before) >= borders.hidden_share
        if hidden or is_leaving(tracks.filter_states, track, tracks.body_px[track], size_px, STANDS_STILL, borders):
            vanished[place] = weights.missed_explained
    return vanished


@compiled
def appearing(
    centred: Float64Array,
    rows: IndexArray,
    size_px: tuple[int, int],
    weights: model.Continuation,
    borders: model.Borders,
) -> Float64Array:
    """Rate (F,) at which new people appear at the positions of some detections, per second and square of a body's size.

    Args:
        centred: (D, 4) boxes of all detections.
        rows: (F,) the detections.
        size_px: (width, height) of the picture.
        weights, borders: constants.
    """
    appeared = np.full(len(rows), weights.newcomers)
    bottoms = centred[:, 1] + centred[:, 3] / 2.0
    for place, detection in enumerate(rows):
        box = centred[detection]
        if reaches_border(box, 0, size_px, borders) or reaches_border(box, 1, size_px, borders):
            appeared[place] = weights.newcomers_at_border
        elif covered_share(box, centred, bottoms > bottoms[detection]) >= borders.hidden_share:
            appeared[place] = weights.newcomers_behind
    return appeared


@compiled
def continuation_odds(
    tracks: TrackColumns,
    rows: IndexArray,
    boxes: Float64Array,
    vanished: Float64Array,
    appeared: Float64Array,
    now_ns: int,
    weights: model.Continuation,
    motion: model.KalmanParameters,
) -> Float64Array:
    """Log odds (R, F) that a detection continues a track, against a person who vanished and a new one.

    The position of a person who continues has a normal density, as wide as people move in the elapsed time. Lengths are
    in sizes of the body.

    Args:
        tracks: columns of T tracks, predicted to this frame.
        rows: (R,) the tracks.
        boxes: (F, 4) centred boxes of the detections.
        vanished: (R,) as from `vanishing`.
        appeared: (F,) as from `appearing`.
        now_ns: capture time of the frame.
        weights, motion: constants.
    """
    odds = np.full((len(rows), len(boxes)), -np.inf)
    for row, track in enumerate(rows):
        position, body_px = tracks.filter_states[POSITION, track], tracks.body_px[track]
        elapsed_s = max((now_ns - tracks.last_seen_ns[track]) / 1e9, 0.0)
        unknown = min(tracks.filter_states[VAR_VELOCITY, track, 0] / (motion.velocity_std[0] * body_px) ** 2, 1.0)
        turned = 1.0 - math.exp(-weights.turns_per_s * max(elapsed_s - weights.turn_s, 0.0))
        share = max(weights.jumps + (weights.runs - weights.jumps) * unknown, turned)
        scale2 = (weights.fast / body_px) ** 2
        spread2_x = weights.place_std**2 + scale2 * tracks.filter_states[VAR_POSITION, track, 0]
        spread2_y = weights.place_std**2 + scale2 * tracks.filter_states[VAR_POSITION, track, 1]
        spread2_ratio = weights.size_log_std**2 + (weights.size_log_speed_std * elapsed_s) ** 2
        density = share / (2.0 * math.pi * math.sqrt(spread2_x * spread2_y))
        reach = weights.place_reach + weights.max_speed * elapsed_s
        for column in range(len(boxes)):
            gap_x, gap_y = (boxes[column, 0] - position[0]) / body_px, (boxes[column, 1] - position[1]) / body_px
            if gap_x * gap_x + gap_y * gap_y > reach * reach:
                continue
            ratio = math.log(max(boxes[column, 2], boxes[column, 3]) / body_px)
            misfit = gap_x * gap_x / spread2_x + gap_y * gap_y / spread2_y + ratio * ratio / spread2_ratio
            rival = vanished[row] * appeared[column] * (elapsed_s + weights.together_s)
            odds[row, column] = math.log(density / rival) - 0.5 * misfit
    return odds


@compiled
def unambiguous(odds: Float64Array, margin: float) -> IndexArray:
    """The column (R,) of each row of the log odds (R, D) that is better by `margin` than all others in its row and
    column, and than 0; -1 where there is none."""
    chosen = np.full(len(odds), -1, np.int64)
    for row in range(len(odds)):
        best = np.argmax(odds[row])
        least = odds[row, best] - margin
        if least < 0.0:
            continue
        alone = True
        for column in range(odds.shape[1]):
            alone = alone and (column == best or odds[row, column] <= least)
        for other in range(len(odds)):
            alone = alone and (other == row or odds[other, best] <= least)
        if alone:
            chosen[row] = best
    return chosen
