"""Missed tracks whose person was detected as a new track: they must not coast beside it, or the person counts twice.

A detection may fail to match its track, such as after a jump, a fall or a shake of the camera. Then the person gets a
new track, and the old one is only its last known position.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import numpy as np

from posebus.arrays import BoolArray, Float64Array, IndexArray, Int64Array
from tracking import body_model as model
from tracking.compiled import any_of, compiled
from tracking.identities.lifecycle import hidden_share
from tracking.motion.kalman import POSITION
from tracking.snapshot import Aliases
from tracking.tracks import CONFIRMED, LOST, Tracks


def give_way(
    aliases: Aliases, tracks: Tracks, matches: IndexArray, tentative: BoolArray, lost: BoolArray, now_ns: int
) -> Aliases:
    """Mark, in place, the coasting tracks whose person is detected under another number as lost.

    Each fresh track takes the place of one coasting track at most, the nearest of those that a body of its size could
    have come from since their last detection. From then on the two are aliases, of which one at most is confirmed,
    until both are detected in one frame: then they are two people.

    Args:
        aliases: those before this frame.
        tracks: T tracks after this frame, new ones last.
        matches: (T,) the detection of each track, -1 for none.
        tentative: (O,) mask of the old tracks that were tentative before this frame.
        lost: (T,) mask of the tracks that this frame lost; those that give way are added, in place.
        now_ns: capture time of the frame.

    Returns:
        The aliases after this frame.
    """
    coasting, fresh = _coasting_and_fresh(tracks.state, matches, tentative)
    if not aliases and not (any_of(coasting) and any_of(fresh)):
        return aliases
    given_way: list[int] = []
    if aliases:
        aliases = _alive(aliases, tracks.ids, matches)
        given_way += _detected_otherwise(aliases, tracks.ids, matches, coasting)
        coasting[given_way] = False
    if any_of(fresh) and any_of(coasting):
        coasting &= ~_hidden(tracks, matches, coasting)
    if any_of(fresh) and any_of(coasting):
        for row, successor in _pairs(tracks, np.flatnonzero(coasting), np.flatnonzero(fresh), now_ns):
            given_way.append(row)
            aliases = _joined(aliases, int(tracks.ids[row]), int(tracks.ids[successor]))
    if given_way:
        tracks.state[given_way] = LOST
        lost[given_way] = True
    return aliases


@compiled
def _coasting_and_fresh(state: Int64Array, matches: IndexArray, tentative: BoolArray) -> tuple[BoolArray, BoolArray]:
    """Masks (T,) of the confirmed tracks that are not detected, and of those that this frame has confirmed."""
    coasting, fresh = np.zeros(len(state), np.bool_), np.zeros(len(state), np.bool_)
    for track in range(len(state)):
        if state[track] == CONFIRMED:
            coasting[track] = matches[track] < 0
            fresh[track] = track >= len(tentative) or tentative[track]
    return coasting, fresh


def _hidden(tracks: Tracks, matches: IndexArray, coasting: BoolArray) -> BoolArray:
    """Mask (T,) of the coasting tracks that another person hides; these cannot be the person of a new track."""
    hidden, columns = np.zeros(len(tracks), np.bool_), tracks.columns()
    for row in np.flatnonzero(coasting).tolist():
        hidden[row] = hidden_share(columns, row, matches) >= model.BORDERS.hidden_share
    return hidden


def _alive(aliases: Aliases, ids: Int64Array, matches: IndexArray) -> Aliases:
    """The aliases of live tracks, without those that are detected beside an older one of the same person."""
    live, detected = set(ids.tolist()), set(ids[matches >= 0].tolist())
    kept: list[tuple[int, int]] = []
    taken: set[int] = set()
    for number, person in aliases:
        if number not in live or (number in detected and person in taken):
            continue
        if number in detected:
            taken.add(person)
        kept.append((number, person))
    sizes = Counter(person for _, person in kept)
    return tuple((number, person) for number, person in kept if sizes[person] > 1)


def _detected_otherwise(aliases: Aliases, ids: Int64Array, matches: IndexArray, coasting: BoolArray) -> Iterator[int]:
    """Yield the rows of coasting tracks whose person is detected under another number."""
    persons = dict(aliases)
    detected = {persons[number] for number in ids[matches >= 0].tolist() if number in persons}
    for row in np.flatnonzero(coasting).tolist():
        if persons.get(int(ids[row])) in detected:
            yield row


def _joined(aliases: Aliases, number: int, successor: int) -> Aliases:
    """The aliases with `successor` as another number of the person of `number`."""
    persons = dict(aliases)
    persons[successor] = persons.setdefault(number, number)
    return tuple(sorted(persons.items()))


def _pairs(tracks: Tracks, coasting: IndexArray, fresh: IndexArray, now_ns: int) -> Iterator[tuple[int, int]]:
    """Yield each coasting track that gives way with the fresh one that takes its place, as rows, the nearest first."""
    apart = _distances(tracks, coasting, fresh, now_ns)
    while apart.min() <= 1.0:
        row, column = divmod(int(apart.argmin()), len(fresh))
        apart[row, :] = apart[:, column] = np.inf
        yield int(coasting[row]), int(fresh[column])


def _distances(tracks: Tracks, coasting: IndexArray, fresh: IndexArray, now_ns: int) -> Float64Array:
    """Distances (C, F), as shares of what the body may have moved; infinite where it cannot be the same one."""
    limits = model.SUCCESSION
    where, body_px = tracks.filter_states[POSITION, :, :2], tracks.body_px
    gap_px = np.hypot(*(where[coasting][:, None] - where[fresh][None]).transpose(2, 0, 1))
    smaller_px = np.minimum(body_px[coasting][:, None], body_px[fresh])
    larger_px = np.maximum(body_px[coasting][:, None], body_px[fresh])
    unseen_s = (now_ns - tracks.last_seen_ns[coasting]) / 1e9
    reach = np.minimum(limits.reach + limits.speed * unseen_s, limits.farthest)[:, None]
    later = tracks.born_ns[fresh] > tracks.last_seen_ns[coasting][:, None]
    possible = later & (larger_px <= limits.size_ratio * smaller_px)
    return np.asarray(np.where(possible, gap_px / (reach * smaller_px), np.inf))
