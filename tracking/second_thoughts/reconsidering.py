"""The candidate swaps after a frame, and the correction that the frame makes."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from posebus.arrays import BoolArray, IndexArray, Int64Array
from posebus.contract.appearance import SIZE as APPEARANCE_SIZE
from posebus.messages import Renaming
from tracking import body_model as model
from tracking.compiled import any_of, plain
from tracking.detections import UsableDetections
from tracking.second_thoughts.doubts import TOGETHER, Doubts, Witnesses, no_doubts
from tracking.second_thoughts.following import Shown, follow
from tracking.second_thoughts.opening import opened
from tracking.tracks import Tracks

_NO_COLOURS = np.zeros((0, APPEARANCE_SIZE))


class TrackedFrame(NamedTuple):
    """What is needed of a frame.

    detections: those of the frame. matches: (T,) the detection of each track, -1 for none. born: number of the last
    tracks that begin with the frame. confused: (P, 2) ids of the tracks that it may have confused, the smaller first.
    seq, now_ns: its number and capture time. elapsed_s: time since the frame before, None if that was of another epoch.
    """

    detections: UsableDetections
    matches: IndexArray
    born: int
    confused: Int64Array
    seq: int
    now_ns: int
    elapsed_s: float | None


class Correction(NamedTuple):
    """A correction of identities.

    renamed: for the TrackFrame. identities, bodies: (N,) rows: after the correction, track i has the id of row
    identities[i] and the state of row bodies[i].
    """

    renamed: tuple[Renaming, ...]
    identities: IndexArray
    bodies: IndexArray

    @property
    def ids(self) -> frozenset[int]:
        """All ids that change."""
        return frozenset(number for one in self.renamed for number in (one.from_id, one.to_id))


def reconsider(doubts: Doubts, tracks: Tracks, frame: TrackedFrame) -> tuple[Doubts, Correction | None]:
    """The candidate swaps after a frame, and its correction, if any; `tracks` are T tracks after the frame."""
    if frame.elapsed_s is None:
        doubts = no_doubts()  # a correction is about frames of one epoch
    if not (len(doubts.pairs) or len(frame.confused) or frame.born):
        return doubts, None
    doubts = opened(doubts, tracks, frame.confused, frame.matches, frame.born, frame.now_ns)
    if not len(doubts.pairs):
        return doubts, None
    colours = frame.detections.appearance
    shown = Shown(
        tracks.ids,
        tracks.state,
        frame.matches,
        frame.confused,
        _NO_COLOURS if colours is None else colours,
        frame.detections.scores,
        frame.seq,
        frame.now_ns,
        frame.elapsed_s or 0.0,
    )
    over, pair = follow(plain(doubts.witnesses), doubts.pairs, plain(shown), plain(model.DOUBTS))
    correction = None
    if pair >= 0:
        correction = _exchanged(doubts, pair, tracks, frame)
        over[pair] = True
    if any_of(over):
        doubts = _without(doubts, over)
    return doubts, correction


def _without(doubts: Doubts, over: BoolArray) -> Doubts:
    """The candidate swaps without the pairs of a mask (Q,), and without evidence that is not needed any more."""
    pairs = doubts.pairs[~over]
    needed = set(pairs.ravel().tolist())
    kept = np.array([number in needed for number in doubts.witnesses.ids.tolist()], np.bool_)
    return Doubts(doubts.witnesses if kept.all() else doubts.witnesses.select(kept), pairs)


def _exchanged(doubts: Doubts, pair: int, tracks: Tracks, frame: TrackedFrame) -> Correction:
    """Swap the two tracks of a pair; their evidence is swapped in place.

    The appearance before belongs to the id, that after to the body. If the old track was not detected since then and
    the other one is new, the new id ends: its body goes on under the older id.
    """
    old, new = doubts.pairs[pair].tolist()
    witnesses = doubts.witnesses
    places = [int(np.flatnonzero(witnesses.ids == number)[0]) for number in (old, new)]
    since_seq = _since_seq(witnesses, places, frame.now_ns)
    rows = np.searchsorted(tracks.ids, (old, new))
    unseen = frame.matches[rows[0]] < 0 and witnesses.apart_ns[places[0]] == TOGETHER
    for column in (witnesses.apart_ns, witnesses.apart_seq, witnesses.seen_s, witnesses.after):
        column[places] = column[places[::-1]]
    bodies = np.arange(len(tracks))
    bodies[rows] = bodies[rows[::-1]]
    identities = np.arange(len(tracks))
    if unseen and witnesses.known_s[places[1]] == 0.0:
        kept = identities != rows[1]
        return Correction((Renaming(new, old, since_seq),), identities[kept], bodies[kept])
    return Correction((Renaming(old, new, since_seq), Renaming(new, old, since_seq)), identities, bodies)


def _since_seq(witnesses: Witnesses, places: list[int], now_ns: int) -> int:
    """The first frame, within reach of a correction, in which one of the two tracks had parted."""
    partings = [(int(witnesses.apart_seq[place]), int(witnesses.apart_ns[place])) for place in places]
    reach_ns = round(model.DOUBTS.apart_s * 1e9)
    return min(seq for seq, parting_ns in partings if seq != TOGETHER and now_ns - parting_ns <= reach_ns)
