"""One step of second thoughts: what is in doubt after a frame, and whom the frame renames."""

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
    """What a step needs of a frame.

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

    renamed: for the TrackFrame. identities, bodies: (N,) the rows of the tracks whose identities live on, and the rows
    of the bodies that they have.
    """

    renamed: tuple[Renaming, ...]
    identities: IndexArray
    bodies: IndexArray


def reconsider(doubts: Doubts, tracks: Tracks, frame: TrackedFrame) -> tuple[Doubts, Correction | None]:
    """The doubts after a frame, and its correction, if any; `tracks` are T tracks after the frame."""
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
    """The doubts without the pairs of a mask (Q,), and the witnesses that are left."""
    pairs = doubts.pairs[~over]
    needed = set(pairs.ravel().tolist())
    kept = np.array([number in needed for number in doubts.witnesses.ids.tolist()], np.bool_)
    return Doubts(doubts.witnesses if kept.all() else doubts.witnesses.select(kept), pairs)


def _exchanged(doubts: Doubts, pair: int, tracks: Tracks, frame: TrackedFrame) -> Correction:
    """Exchange the people of a pair, in place in its witnesses.

    What was known before belongs to the identity, and what is seen since then to the body. A new track whose person is
    one that was not seen since then ends: its body goes on under the older id.
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
    if unseen and not witnesses.known[places[1]]:
        kept = identities != rows[1]
        return Correction((Renaming(new, old, since_seq),), identities[kept], bodies[kept])
    return Correction((Renaming(old, new, since_seq), Renaming(new, old, since_seq)), identities, bodies)


def _since_seq(witnesses: Witnesses, places: list[int], now_ns: int) -> int:
    """The first frame in which one of two was apart again, of those that a correction may reach."""
    partings = [(int(witnesses.apart_seq[place]), int(witnesses.apart_ns[place])) for place in places]
    reach_ns = round(model.DOUBTS.apart_s * 1e9)
    return min(seq for seq, parting_ns in partings if seq != TOGETHER and now_ns - parting_ns <= reach_ns)
