"""When tracks are lost, and when they end: all by elapsed time, never by counting frames."""

from __future__ import annotations

import numpy as np

from posebus.arrays import BoolArray, Float64Array, IndexArray, Int64Array
from posebus.config.settings import TrackerSettings
from tracking import body_model as model
from tracking.body_model import MIN_SIDE_PX
from tracking.compiled import any_of, compiled, plain
from tracking.motion.borders import is_leaving, widened_at_border
from tracking.motion.intervals import Intervals
from tracking.motion.kalman import POSITION, VAR_POSITION
from tracking.motion.overlap import covered_share
from tracking.tracks import CONFIRMED, LOST, TENTATIVE, TrackColumns, Tracks


def skip_measurement(tracks: Tracks, size_px: tuple[int, int], last_ns: int, now_ns: int) -> None:
    """Prepare the tracks, in place, for a frame without inference: tracks seen in the frame before are not missed.

    Args:
        tracks: T tracks after the frame captured at `last_ns`, not predicted yet.
        size_px: (width, height) of the picture.
        last_ns: capture time of the frame before.
        now_ns: capture time of this frame.
    """
    entering = (tracks.last_seen_ns == last_ns) & (last_ns - tracks.born_ns <= model.BORDERS.entering_s * 1e9)
    if entering.any():
        tracks.filter_states = widened_at_border(tracks.filter_states, tracks.body_px, entering, size_px)
    tracks.unseen_since_ns[tracks.unseen_since_ns == last_ns] = now_ns


def excuse_interval(tracks: Tracks, last_ns: int, now_ns: int, intervals: Intervals, settings: TrackerSettings) -> None:
    """Prepare the tracks, in place, for an inferred frame: those seen in the frame before were not missed by any.

    As far as the interval is usual, so little of it counts as unseen that none of these tracks ends before this frame,
    and that all are matched as if they had been detected a moment ago.

    Args:
        tracks: T tracks after the frame captured at `last_ns`.
        last_ns: capture time of the frame before.
        now_ns: capture time of this frame.
        intervals: those before this frame.
        settings: those of the tracker.
    """
    counted_ns = round(min(settings.in_sight_s, settings.leaving_s, settings.lost_s) * 1e9)
    if now_ns - last_ns > counted_ns:
        not_unseen_ns = intervals.not_unseen_ns(now_ns - last_ns, counted_ns)
        tracks.unseen_since_ns[tracks.unseen_since_ns == last_ns] += not_unseen_ns


def expired(
    tracks: Tracks,
    size_px: tuple[int, int],
    now_ns: int,
    push_px_s: tuple[float, float, float, float],
    settings: TrackerSettings,
) -> BoolArray:
    """Mask (T,) of the tracks that have been unseen for longer than a lost track may live; they end with this frame.

    A track last seen leaving the picture ends early: a person who enters there is another one. One that left the view
    only because the camera turned away is kept: the camera may turn back.

    Args:
        tracks: T tracks, predicted to this frame.
        size_px: (width, height) of the picture.
        now_ns: capture time of the frame.
        push_px_s: speed at which the camera recently moved the scene out of the picture at the left, top, right,
        bottom.
        settings: those of the tracker.
    """
    lost_ns = round(settings.lost_s * 1e9)
    leaving_ns = round(min(settings.leaving_s, settings.lost_s) * 1e9)
    if not len(tracks) or now_ns - int(tracks.unseen_since_ns.min()) <= leaving_ns:
        return np.zeros(len(tracks), np.bool_)
    return _expired(
        tracks.filter_states,
        tracks.body_px,
        tracks.unseen_since_ns,
        size_px,
        now_ns,
        (leaving_ns, lost_ns),
        push_px_s,
        plain(model.BORDERS),
    )


@compiled
def _expired(
    states: Float64Array,
    body_px: Float64Array,
    unseen_since_ns: Int64Array,
    size_px: tuple[int, int],
    now_ns: int,
    limits_ns: tuple[int, int],
    push_px_s: tuple[float, float, float, float],
    borders: model.Borders,
) -> BoolArray:
    leaving_ns, lost_ns = limits_ns
    borders = model.Borders(*borders)
    over = np.zeros(len(unseen_since_ns), np.bool_)
    for track in range(len(unseen_since_ns)):
        unseen_ns = now_ns - unseen_since_ns[track]
        if unseen_ns > leaving_ns:
            over[track] = unseen_ns > lost_ns or is_leaving(states, track, body_px[track], size_px, push_px_s, borders)
    return over


@compiled
def gone(matches: IndexArray, state: Int64Array, merged: BoolArray) -> BoolArray:
    """Mask (T,) of the tracks that end with this frame: those `merged` (T,) into others, and missed tentative ones.

    `matches` (T,) is the detection of each track, -1 for none, `state` (T,) their states before this frame.
    """
    over = merged.copy()
    for track in range(len(matches)):
        over[track] |= matches[track] < 0 and state[track] == TENTATIVE
    return over


def mark_missed(
    tracks: Tracks, matches: IndexArray, size_px: tuple[int, int], now_ns: int, settings: TrackerSettings
) -> BoolArray:
    """Mark, in place, the confirmed tracks without a detection that are lost; returns the mask (T,) of those.

    A short miss is no loss, nor is a track hidden behind matched ones while its position is certain: both stay
    confirmed and coast at their predicted position.

    Args:
        tracks: T tracks; the matched ones are updated already.
        matches: (T,) the detection of each track, -1 for none.
        size_px: (width, height) of the picture.
        now_ns: capture time of the frame.
        settings: those of the tracker.
    """
    missed = _missed(matches, tracks.state)
    if not any_of(missed):
        return missed
    missed_ns = round(settings.missed_s * 1e9)
    return _mark_missed(plain(tracks.columns()), matches, now_ns, missed_ns, size_px[0], plain(model.BORDERS))


@compiled
def _missed(matches: IndexArray, state: Int64Array) -> BoolArray:
    """Mask (T,) of the confirmed tracks without a detection."""
    missed = np.zeros(len(matches), np.bool_)
    for track in range(len(matches)):
        missed[track] = matches[track] < 0 and state[track] == CONFIRMED
    return missed


@compiled
def _mark_missed(
    tracks: TrackColumns, matches: IndexArray, now_ns: int, missed_ns: int, width_px: int, borders: model.Borders
) -> BoolArray:
    tracks, borders = TrackColumns(*tracks), model.Borders(*borders)
    lost = np.zeros(len(matches), np.bool_)
    for track in range(len(matches)):
        if matches[track] >= 0 or tracks.state[track] != CONFIRMED:
            continue
        position, body_px = tracks.filter_states[POSITION, track], tracks.body_px[track]
        half = max(position[2], MIN_SIDE_PX) / 2.0
        border_px = borders.near * body_px
        coasts = position[0] - half > border_px and position[0] + half < width_px - border_px
        if coasts and now_ns - tracks.unseen_since_ns[track] > missed_ns:
            certain = tracks.filter_states[VAR_POSITION, track, 0] < (borders.hidden_position_std * body_px) ** 2
            coasts = certain and hidden_share(tracks, track, matches) >= borders.hidden_share
        if not coasts:
            tracks.state[track] = LOST
            lost[track] = True
    return lost


@compiled
def hidden_share(tracks: TrackColumns, track: int, matches: IndexArray) -> float:
    """Largest share of the box of `track` that lies inside the box of one matched track that is older than its loss.

    A track that began after this one was last detected may be the same person, who cannot be hidden by itself.
    """
    hides = (matches >= 0) & (tracks.born_ns <= tracks.last_seen_ns[track])
    positions = tracks.filter_states[POSITION]
    return float(covered_share(positions[track], positions, hides))
