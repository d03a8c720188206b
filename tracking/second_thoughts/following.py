"""What a frame adds to the candidate swaps: partings, and colours since then; and which candidates it decides.

Evidence is a mean over time, not a sum, because the colours of successive frames are not independent.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from posebus.arrays import BoolArray, Float64Array, IndexArray, Int64Array
from tracking import body_model as model
from tracking.compiled import compiled
from tracking.matching.colours import remember, visible_share
from tracking.second_thoughts.doubts import TOGETHER, Witnesses
from tracking.second_thoughts.judging import exchange_odds
from tracking.tracks import CONFIRMED

MAX_ELAPSED_S = 0.2
"""A frame adds at most this time to the evidence, even after a long interval."""


class Shown(NamedTuple):
    """What a frame shows of T tracks: ids, states and matches (T,); confused pairs of ids (P, 2); colours (D, 64), or
    (0, 64) where none came, and scores (D,) of the detections; its number, time, and the time since the last one."""

    ids: Int64Array
    state: Int64Array
    matches: IndexArray
    confused: Int64Array
    colours: Float64Array
    scores: Float64Array
    seq: int
    now_ns: int
    elapsed_s: float


@compiled
def follow(
    witnesses: Witnesses, pairs: Int64Array, shown: Shown, doubts: model.SecondThoughts
) -> tuple[BoolArray, int]:
    """Update the evidence in place; returns the mask (Q,) of pairs that are dropped, and the pair to exchange or -1."""
    witnesses, shown, doubts = Witnesses(*witnesses), Shown(*shown), model.SecondThoughts(*doubts)
    rows = np.full(len(witnesses.ids), -1, np.int64)
    for witness in range(len(rows)):
        # Ids ascend in the table of tracks, which may be long.
        place = np.searchsorted(shown.ids, witnesses.ids[witness])
        if place < len(shown.ids) and shown.ids[place] == witnesses.ids[witness]:
            rows[witness] = place
            _see(witnesses, witness, place, shown)
    over = np.zeros(len(pairs), np.bool_)
    best, best_odds = -1, doubts.margin
    for pair in range(len(pairs)):
        one, other = _witness(witnesses.ids, pairs[pair, 0]), _witness(witnesses.ids, pairs[pair, 1])
        if rows[one] < 0 or rows[other] < 0 or _is_over(witnesses, one, other, shown, doubts):
            over[pair] = True
            continue
        detected = (_is_detected(rows[one], shown), _is_detected(rows[other], shown))
        odds, fits = exchange_odds(witnesses, one, other, detected, doubts)
        if odds < -doubts.margin:
            over[pair] = True
        elif fits and odds >= best_odds and _is_worth_it(witnesses, one, other, shown.now_ns):
            best, best_odds = pair, odds
    return over, best


@compiled
def _see(witnesses: Witnesses, witness: int, row: int, shown: Shown) -> None:
    for pair in range(len(shown.confused)):
        if witnesses.ids[witness] == shown.confused[pair, 0] or witnesses.ids[witness] == shown.confused[pair, 1]:
            witnesses.apart_ns[witness] = witnesses.apart_seq[witness] = TOGETHER
            witnesses.seen_s[witness] = 0.0
            witnesses.after[witness] = 0.0
            return
    detection = shown.matches[row]
    if detection < 0:
        return
    if witnesses.apart_ns[witness] == TOGETHER:
        witnesses.apart_ns[witness], witnesses.apart_seq[witness] = shown.now_ns, shown.seq
    if not len(shown.colours) or shown.scores[detection] < model.APPEARANCE_SCORE:
        return
    seen_s = min(shown.elapsed_s, MAX_ELAPSED_S) * visible_share(shown.colours[detection])
    if seen_s > 0.0:
        witnesses.seen_s[witness] += seen_s
        remember(witnesses.after[witness], shown.colours[detection], seen_s / witnesses.seen_s[witness])


@compiled
def _witness(ids: Int64Array, number: int) -> int:
    for row in range(len(ids)):
        if ids[row] == number:
            return row
    return -1


@compiled
def _is_detected(row: int, shown: Shown) -> bool:
    return bool(shown.matches[row] >= 0 and shown.state[row] == CONFIRMED)


@compiled
def _is_worth_it(witnesses: Witnesses, one: int, other: int, now_ns: int) -> bool:
    """Whether the two tracks were older at the meeting, in sum, than the time since they parted.

    A correction restores the ids of the time before for live readers, and changes those of the time since.
    """
    gained_s = 0.0
    for witness in (one, other):
        gained_s += witnesses.known_s[witness]
        if witnesses.apart_ns[witness] != TOGETHER:
            gained_s -= (now_ns - witnesses.apart_ns[witness]) / 1e9
    return gained_s >= 0.0


@compiled
def _is_over(witnesses: Witnesses, one: int, other: int, shown: Shown, doubts: model.SecondThoughts) -> bool:
    """Whether it is too late for a decision: too long after the last parting, or too long without one."""
    parting_ns = max(witnesses.apart_ns[one], witnesses.apart_ns[other])
    if parting_ns != TOGETHER and shown.now_ns - parting_ns > doubts.apart_s * 1e9:
        return True
    since_ns = max(witnesses.since_ns[one], witnesses.since_ns[other])
    return bool(shown.now_ns - since_ns > doubts.together_s * 1e9)
