"""`infer_fps: auto`: the longest interval between inferred frames, from how well the tracker can predict its people.

Between two inferred frames people are reported at their predicted positions, and in the second one they are matched
there. Both work as long as the position is known better than the distance to the next body. The Kalman filter gives the
uncertainty of the position at any later time (`tracking.motion.kalman`), and a track's NIS how well that uncertainty
describes this person.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from posebus.arrays import Float64Array
from tracking import body_model as model
from tracking.motion import kalman
from tracking.motion.kalman import POSITION, VAR_POSITION, VELOCITY
from tracking.tracks import CONFIRMED, LOST, TENTATIVE, Tracks

INTERVALS_S = (0.0, 1 / 12, 1 / 6, 1 / 3)
"""The intervals to choose from; few, so that the interval does not change all the time. 0: every frame."""
CLOSE_S = 1 / 12
"""Interval while people are close, and for new and missed tracks where the decision holds in time: twelve frames a
second tell as much as twenty-five, on synthetic scenes and recordings (benchmarks/economy/simulation.py)."""
BORDER_S = 1 / 6
"""Interval while a person is about to leave the picture: a track must not be reported long after its person left."""
EMPTY_S = 1 / 6
"""Interval while no person is tracked: a person who comes is noticed this much later, half of it on average."""
MISPLACED = 0.02
"""Share of the people who may be expected farther than `Evidence.position_std` from their predicted positions, where a
box covers less than half of its body."""
LEAST_NIS = 0.1
"""Lower bound of the NIS that scales the variance: no person is trusted to move more evenly than this."""
APART = 4.0
"""Two people are distinguished by position if this many standard deviations lie between them."""
FAST_SHARE = 0.75
"""A new person is assumed to move at the speed that this share of the people does not exceed ..."""
NEW_PERSON_STDS = 1.0
"""... and is matched again after one detection, without a known velocity, if that is at most this many standard
deviations away."""
KNOWN_S = 0.5
"""After this long, a track's velocity is trusted."""
TRANSIENT_S = 0.5
"""Decisions that hold only after this delay do not react to what will be over by then."""
HOLD_S = 0.25
"""A longer interval must have been sufficient for this long before it is used."""


class InferenceInterval(NamedTuple):
    """interval_s: the longest sufficient interval between inferred frames. why: what rules out a longer one."""

    interval_s: float
    why: str


def sufficient_interval(tracks: Tracks, size_px: tuple[int, int], now_ns: int, delay_s: float) -> InferenceInterval:
    """The longest interval between inferred frames that keeps the people of one camera apart.

    Args:
        tracks: the tracks right after an inferred frame.
        size_px: (width, height) of the picture.
        now_ns: capture time of that frame.
        delay_s: time until a decision made now takes effect.
    """
    alive = tracks.state != LOST
    if not alive.any():
        return InferenceInterval(EMPTY_S, "no person is present")
    seen = alive & (tracks.unseen_since_ns >= now_ns)
    found = InferenceInterval(INTERVALS_S[-1], "all positions are predictable")
    if delay_s <= TRANSIENT_S:
        found = _limited(found, CLOSE_S, bool((tracks.state == TENTATIVE).any()), "a person is new")
        found = _limited(found, CLOSE_S, bool(((tracks.state == CONFIRMED) & ~seen).any()), "a person was missed")
    people = tracks.select(seen)
    if not len(people):
        return found
    soon, late = (
        kalman.predict(people.filter_states, ahead_s, people.body_px, model.MOTION)[POSITION]
        for ahead_s in (delay_s, delay_s + INTERVALS_S[-1])
    )
    leaves = _leaving(people, soon, size_px) or _leaving(people, late, size_px)
    found = _limited(found, BORDER_S, leaves, "a person is about to leave the picture")
    nearest = _nearest(people, soon)
    known = people.select(now_ns - people.born_ns >= KNOWN_S * 1e9)
    for interval_s, shorter_s in zip(INTERVALS_S[:0:-1], INTERVALS_S[-2::-1], strict=True):
        if interval_s > found.interval_s:
            continue
        close = bool((nearest < APART * _position_std(people, interval_s)).any())
        found = _limited(found, max(shorter_s, CLOSE_S), close, "people come close to each other")
        found = _limited(found, shorter_s, _too_fast(known, interval_s), "people move fast")
        unclear = _misplaced(known, interval_s) > MISPLACED
        found = _limited(found, shorter_s, unclear, "movements are hard to predict")
    return found


def _limited(found: InferenceInterval, interval_s: float, applies: bool, why: str) -> InferenceInterval:
    return InferenceInterval(interval_s, why) if applies and interval_s < found.interval_s else found


def with_hysteresis(interval_s: float, wanted_s: float, since_ns: int | None, now_ns: int) -> tuple[float, int | None]:
    """Apply a shorter interval at once, a longer one only after it was wanted for HOLD_S.

    Args:
        interval_s: the interval in force.
        wanted_s: the interval that is sufficient now.
        since_ns: since when a longer one was wanted, None if it was not.
        now_ns: capture time of the frame.

    Returns:
        The interval from now on, and the new `since_ns`.
    """
    if wanted_s <= interval_s:
        return wanted_s, None
    if since_ns is None:
        return interval_s, now_ns
    return (wanted_s, None) if now_ns - since_ns >= HOLD_S * 1e9 else (interval_s, since_ns)


def _position_std(people: Tracks, later_s: float) -> Float64Array:
    """Standard deviation (T,) of each predicted position, in body sizes, if people keep moving as they did."""
    later = kalman.predict(people.filter_states, later_s, people.body_px, model.MOTION)
    wide = np.sqrt(later[VAR_POSITION, :, :2].max(axis=1)) / people.body_px
    return np.asarray(wide * np.sqrt(np.maximum(people.nis, LEAST_NIS)))


def _too_fast(people: Tracks, later_s: float) -> bool:
    """Whether a new person, as fast as these, would by then be too far away to be matched again."""
    if not len(people):
        return False
    speeds = np.hypot(*people.filter_states[VELOCITY, :, :2].T) / people.body_px
    gone = float(np.quantile(speeds, FAST_SHARE)) * later_s
    return gone > NEW_PERSON_STDS * math.hypot(model.EVIDENCE.position_std, model.MOTION.velocity_std[0] * later_s)


def _misplaced(people: Tracks, later_s: float) -> float:
    """Expected share of the people who will then be farther from their predicted positions than a box may be off."""
    if not len(people):
        return 0.0
    spread = _position_std(people, later_s)
    reach = model.EVIDENCE.position_std
    return float(np.mean([math.erfc(reach / (math.sqrt(2.0) * one)) for one in spread.tolist()]))


def _nearest(people: Tracks, later: Float64Array) -> Float64Array:
    """Distance (T,) from each predicted position to the nearest other one, in body sizes."""
    where = later[:, :2]
    apart = np.hypot(*(where[:, None] - where[None]).transpose(2, 0, 1)) / people.body_px[:, None]
    np.fill_diagonal(apart, math.inf)
    return np.asarray(apart.min(axis=1))


def _leaving(people: Tracks, later: Float64Array, size_px: tuple[int, int]) -> bool:
    """Whether any person, as predicted, reaches a border of the picture and moves towards it."""
    near = model.BORDERS.near * people.body_px
    least = model.BORDERS.leaving_speed * people.body_px
    for axis in range(2):
        centre, half, speed = later[:, axis], later[:, 2 + axis] / 2.0, people.filter_states[VELOCITY, :, axis]
        out = (speed < -least) & (centre - half <= near)
        out |= (speed > least) & (centre + half >= size_px[axis] - near)
        if out.any():
            return True
    return False
