"""`infer_fps: auto`: how long nobody need be looked at, from how sure the tracker is where everybody will be.

Between two looks people are reported at their predicted places, and after them they are recognised there. Both go well
as long as the place is known better than a body is told from the next one. How well it is known at any later time
the Kalman filter says itself (`tracking.motion.kalman`), and how far what it says holds for somebody his `surprise`
does.
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
"""Few, so that it does not change all the time; 0: every frame."""
CLOSE_S = 1 / 12
"""Looked at this often while people are close, and where it shows in time while somebody is new or was missed: twelve
looks a second tell as much as twenty-five, in made-up scenes and recordings (benchmarks/economy/simulation.py)."""
BORDER_S = 1 / 6
"""While somebody is about to leave the picture: nobody is to be reported for long who is not there."""
NOBODY_S = 1 / 6
"""While nobody is there: whoever comes is known as much later, half of it on average."""
MISPLACED = 0.02
"""The part of the people who may be expected to be farther than `Evidence.reach` from their predicted places, from
where on a box covers less than half of its body."""
CALMEST = 0.1
"""Nobody is expected to be more than this much calmer, as a share of the variance, than the motion model assumes."""
APART = 4.0
"""People are told apart by their places when these many standard deviations lie between them."""
FAST_SHARE = 0.75
"""The speed that newcomers are expected to have is that which so many of the people do not exceed ..."""
NEWCOMER = 1.0
"""... and after one look, when nothing is known of it yet, they are found again if it takes them so many standard
deviations away at most."""
KNOWN_S = 0.5
"""Once somebody has been there for so long, his ways say something of where he goes."""
TRANSIENT_S = 0.5
"""What is over before a decision would hold is not reacted to."""
HOLD_S = 0.25
"""So long it must have been clear that fewer looks would do."""


class Need(NamedTuple):
    """interval_s: how long nobody need be looked at; why: what does not allow for more."""

    interval_s: float
    why: str


def need(tracks: Tracks, size_px: tuple[int, int], now_ns: int, delay_s: float) -> Need:
    """What the people of one camera, as believed right after a look, need. delay_s: until what is decided now holds."""
    alive = tracks.state != LOST
    if not alive.any():
        return Need(NOBODY_S, "nobody is there")
    seen = alive & (tracks.unseen_since_ns >= now_ns)
    found = Need(INTERVALS_S[-1], "it is clear where everybody will be")
    if delay_s <= TRANSIENT_S:
        found = _first(found, CLOSE_S, bool((tracks.state == TENTATIVE).any()), "somebody is new")
        found = _first(found, CLOSE_S, bool(((tracks.state == CONFIRMED) & ~seen).any()), "somebody was missed")
    people = tracks.select(seen)
    if not len(people):
        return found
    soon, late = (
        kalman.predict(people.filter_states, ahead_s, people.body_px, model.MOTION)[POSITION]
        for ahead_s in (delay_s, delay_s + INTERVALS_S[-1])
    )
    leaves = _leaving(people, soon, size_px) or _leaving(people, late, size_px)
    found = _first(found, BORDER_S, leaves, "somebody is about to leave")
    apart = _apart(people, soon)
    known = people.select(now_ns - people.born_ns >= KNOWN_S * 1e9)
    for interval_s, shorter_s in zip(INTERVALS_S[:0:-1], INTERVALS_S[-2::-1], strict=True):
        if interval_s > found.interval_s:
            continue
        close = bool((apart < APART * _spread(people, interval_s)).any())
        found = _first(found, max(shorter_s, CLOSE_S), close, "people come close")
        found = _first(found, shorter_s, _too_fast(known, interval_s), "people are fast")
        unclear = _misplaced(known, interval_s) > MISPLACED
        found = _first(found, shorter_s, unclear, "it is not clear where people go")
    return found


def _first(found: Need, interval_s: float, holds: bool, why: str) -> Need:
    return Need(interval_s, why) if holds and interval_s < found.interval_s else found


def held(interval_s: float, wanted_s: float, since_ns: int | None, now_ns: int) -> tuple[float, int | None]:
    """The interval from now on, and since when a longer one was wanted: a shorter one holds at once, a longer one only
    once it was wanted for HOLD_S."""
    if wanted_s <= interval_s:
        return wanted_s, None
    if since_ns is None:
        return interval_s, now_ns
    return (wanted_s, None) if now_ns - since_ns >= HOLD_S * 1e9 else (interval_s, since_ns)


def _spread(people: Tracks, later_s: float) -> Float64Array:
    """Standard deviation (T,) of where each is expected, in body sizes, moving as it did."""
    later = kalman.predict(people.filter_states, later_s, people.body_px, model.MOTION)
    wide = np.sqrt(later[VAR_POSITION, :, :2].max(axis=1)) / people.body_px
    return np.asarray(wide * np.sqrt(np.maximum(people.nis, CALMEST)))


def _too_fast(people: Tracks, later_s: float) -> bool:
    """Whether somebody new, as fast as they are, would have gone too far by then to be found again."""
    if not len(people):
        return False
    speeds = np.hypot(*people.filter_states[VELOCITY, :, :2].T) / people.body_px
    gone = float(np.quantile(speeds, FAST_SHARE)) * later_s
    return gone > NEWCOMER * math.hypot(model.EVIDENCE.position_std, model.MOTION.velocity_std[0] * later_s)


def _misplaced(people: Tracks, later_s: float) -> float:
    """The part of the people who are expected to be farther from their predicted places by then than a box may lie
    beside its body."""
    if not len(people):
        return 0.0
    spread = _spread(people, later_s)
    return float(np.mean([math.erfc(model.EVIDENCE.position_std / (math.sqrt(2.0) * one)) for one in spread.tolist()]))


def _apart(people: Tracks, later: Float64Array) -> Float64Array:
    """How far the nearest other body will be from each (T,), in body sizes."""
    where = later[:, :2]
    apart = np.hypot(*(where[:, None] - where[None]).transpose(2, 0, 1)) / people.body_px[:, None]
    np.fill_diagonal(apart, math.inf)
    return np.asarray(apart.min(axis=1))


def _leaving(people: Tracks, later: Float64Array, size_px: tuple[int, int]) -> bool:
    """Whether anybody, as expected, reaches a border towards which it moves."""
    near = model.BORDERS.near * people.body_px
    least = model.BORDERS.leaving_speed * people.body_px
    for axis in range(2):
        centre, half, speed = later[:, axis], later[:, 2 + axis] / 2.0, people.filter_states[VELOCITY, :, axis]
        out = (speed < -least) & (centre - half <= near)
        out |= (speed > least) & (centre + half >= size_px[axis] - near)
        if out.any():
            return True
    return False
