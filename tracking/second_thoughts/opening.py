"""Which candidate swaps begin in a frame."""

from __future__ import annotations

import numpy as np

from posebus.arrays import BoolArray, Float64Array, IndexArray, Int64Array
from tracking import body_model as model
from tracking.compiled import compiled
from tracking.motion.kalman import POSITION, VAR_POSITION
from tracking.second_thoughts.doubts import Doubts, new_witnesses
from tracking.tracks import TENTATIVE, Tracks

MAX_WITNESSES = 64
"""Largest number of tracks in candidate swaps; it limits the time per frame and the size of the snapshot."""


def opened(doubts: Doubts, tracks: Tracks, confused: Int64Array, matches: IndexArray, born: int, now_ns: int) -> Doubts:
    """The candidate swaps with those that begin in this frame; their evidence may be written to.

    A new track near an old one may be its person, if the old one was not detected or is already in a candidate swap.

    Args:
        doubts: the candidate swaps so far; not changed.
        tracks: T tracks after the frame.
        confused: (P, 2) ids of tracks that may just have been confused.
        matches: (T,) the detection of each track, -1 for none.
        born: number of the last tracks that begin with the frame.
        now_ns: capture time of the frame.
    """
    witnesses, first_born = doubts.witnesses.copy(), len(tracks) - born
    if not (born or len(confused)):
        return Doubts(witnesses, doubts.pairs)
    pairs = confused
    if born:
        in_doubt = (matches < 0) | np.isin(tracks.ids, witnesses.ids)
        in_doubt &= tracks.state != TENTATIVE
        rows = _beside(tracks.filter_states, tracks.body_px, in_doubt, first_born, model.DOUBTS)
        pairs = np.concatenate((pairs, tracks.ids[rows]))
    pairs = _unknown(doubts.pairs, pairs)
    pairs = pairs[np.isin(pairs, tracks.ids).all(axis=1)] if len(pairs) else pairs  # some ended with this frame
    if not len(pairs):
        return Doubts(witnesses, doubts.pairs)
    room = MAX_WITNESSES - len(witnesses.ids)
    ids = np.array(sorted(set(pairs.ravel().tolist()) - set(witnesses.ids.tolist()))[:room], np.int64)
    rows = np.searchsorted(tracks.ids, ids)
    known_s = (now_ns - tracks.born_ns[rows]) / 1e9
    witnesses = witnesses.joined(new_witnesses(ids, now_ns, known_s, tracks.appearance[rows]))
    held = set(witnesses.ids.tolist())
    fitting = [pair for pair in pairs.tolist() if held.issuperset(pair)]
    return Doubts(witnesses, np.concatenate((doubts.pairs, np.array(fitting, np.int64).reshape(-1, 2))))


@compiled
def _unknown(known: Int64Array, pairs: Int64Array) -> Int64Array:
    """The pairs (P, 2) that are not among the known ones (Q, 2)."""
    fresh = np.ones(len(pairs), np.bool_)
    for pair in range(len(pairs)):
        for other in range(len(known)):
            if known[other, 0] == pairs[pair, 0] and known[other, 1] == pairs[pair, 1]:
                fresh[pair] = False
    return pairs[fresh]


@compiled
def _beside(
    states: Float64Array, body_px: Float64Array, in_doubt: BoolArray, first_born: int, doubts: model.SecondThoughts
) -> Int64Array:
    """Pairs (P, 2) of rows: a track that may be confused, and a new track within its reach."""
    rows = np.empty((0, 2), np.int64)
    found = 0
    for one in range(first_born):
        if not in_doubt[one]:
            continue
        for born in range(first_born, len(body_px)):
            misfit = 0.0
            for axis in range(2):
                gap = states[POSITION, born, axis] - states[POSITION, one, axis]
                misfit += gap * gap / (states[VAR_POSITION, one, axis] + (doubts.reach * body_px[one]) ** 2)
            if misfit < doubts.reach_deviations**2:
                if found == len(rows):
                    rows = np.concatenate((rows, np.empty((found + 8, 2), np.int64)))
                rows[found, 0], rows[found, 1] = one, born
                found += 1
    return rows[:found].copy()
