"""Two detections of one body are one person: they update only one track, and two tracks of one body are merged.

A network that detects the upper half of a person beside the whole person would otherwise keep two tracks alive, or move
a lost track to a body that has its own.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from posebus.arrays import BoolArray, Float64Array, IndexArray, Int64Array
from posebus.messages import MAX_RENAME_DELAY_S, Renaming
from tracking import body_model as model
from tracking.compiled import compiled, plain
from tracking.detections import UsableDetections
from tracking.matching.one_body import CERTAIN, FIRST, POSSIBLE, SECOND, SURENESS, WHOLE
from tracking.motion.kalman import POSITION
from tracking.snapshot import FrameTime, WatchedPair
from tracking.tracks import TENTATIVE, Tracks


class Shared(NamedTuple):
    """Two matched tracks whose detections may show one body: rows of the tracks, row of the pair, and its certainty."""

    young: int
    old: int
    pair: int
    sureness: int


class Bodies(NamedTuple):
    """Which detections of a frame show one body, and which tracks were detected recently.

    pairs: (P, 4) detections, the doubles of `Pairs`. fed: (T,) mask of the tracks that were detected a moment ago.
    least_score: from here on a detection of the whole body is better than one of a part.
    """

    pairs: Int64Array
    fed: BoolArray
    least_score: float


class Merged(NamedTuple):
    """The result: mask (T,) of the tracks that end, the pairs to watch further, and the renamings to announce."""

    ending: BoolArray
    watched: tuple[WatchedPair, ...]
    renamed: tuple[Renaming, ...]


def nothing_merged(tracks: int) -> Merged:
    """The result where there are no doubles: no track ends."""
    return Merged(np.zeros(tracks, np.bool_), (), ())


def merge_doubles(
    watched: tuple[WatchedPair, ...],
    matches: IndexArray,
    odds: Float64Array,
    tracks: Tracks,
    detections: UsableDetections,
    bodies: Bodies,
    now: FrameTime,
) -> Merged:
    """Leave one track for each body, in place: at once where that is certain, else after some time.

    The arguments are those of `settle` and `watch`.
    """
    shared = settle(matches, odds, tracks, detections, bodies)
    watched, due = watch(watched, shared, tracks, matches, now)
    ending, renamed = merge(due, tracks, matches, bodies.pairs, detections, now)
    return Merged(ending, watched, renamed)


def settle(
    matches: IndexArray, odds: Float64Array, tracks: Tracks, detections: UsableDetections, bodies: Bodies
) -> list[Shared]:
    """Leave one track for each body, in place, where that can be decided in this frame.

    Of two tracks whose detections certainly show one body, a tentative one loses its match, and so does one that was
    lost: it would be pulled over. Two that were both detected a moment ago keep theirs, since one person may be hidden
    by another for a moment; these are returned. A track that followed a part of a body follows the whole one as soon as
    that is detected with a higher score.

    Args:
        matches: (T,) the detection of each track, -1 for none; changed.
        odds: (T, D) log odds that these were matched by.
        tracks: T tracks, predicted to this frame, oldest first; those that change over to the whole body are moved.
        detections: D detections.
        bodies: which of them show one body, and which tracks were detected a moment ago.
    """
    shared, moved = _settle(matches, odds, tracks.state, detections.scores, plain(bodies))
    for row in moved.nonzero()[0].tolist():
        move_to(tracks, row, detections.centred[matches[row]])
    return [Shared(*row) for row in shared.tolist()]


@compiled
def _settle(
    matches: IndexArray, odds: Float64Array, state: Int64Array, scores: Float64Array, bodies: Bodies
) -> tuple[Int64Array, BoolArray]:
    bodies = Bodies(*bodies)
    pairs, fed = bodies.pairs, bodies.fed
    owner = np.full(len(scores), -1, np.int64)
    for track in range(len(matches)):
        if matches[track] >= 0:
            owner[matches[track]] = track
    for pair in range(len(pairs)):
        one, other = owner[pairs[pair, FIRST]], owner[pairs[pair, SECOND]]
        if pairs[pair, SURENESS] < POSSIBLE or one < 0 or other < 0:
            continue
        weak = _weaker(state, fed, one, other)
        if state[weak] == TENTATIVE or (not fed[weak] and pairs[pair, SURENESS] == CERTAIN):
            kept, free = (other if weak == one else one), matches[weak]
            owner[free], matches[weak] = -1, -1
            if odds[kept, free] > odds[kept, matches[kept]]:
                owner[matches[kept]], owner[free], matches[kept] = -1, kept, free
    moved = np.zeros(len(matches), np.bool_)
    shared, count = np.empty((len(pairs), 4), np.int64), 0
    for pair in range(len(pairs)):
        first, second = pairs[pair, FIRST], pairs[pair, SECOND]
        one, other = owner[first], owner[second]
        if one >= 0 and other >= 0 and pairs[pair, SURENESS] >= POSSIBLE:
            shared[count] = (max(one, other), min(one, other), pair, pairs[pair, SURENESS])
            count += 1
        elif one < 0 <= other and pairs[pair, SURENESS] == CERTAIN and pairs[pair, WHOLE]:
            better = scores[first] >= max(scores[second], bodies.least_score)
            if better:
                owner[second], owner[first], matches[other], moved[other] = -1, other, first, True
    return shared[:count].copy(), moved


@compiled
def _weaker(state: Int64Array, fed: BoolArray, one: int, other: int) -> int:
    """The track that gives way: a tentative one, then one that was not detected a moment ago, then the younger."""
    if (state[one] == TENTATIVE) != (state[other] == TENTATIVE):
        return one if state[one] == TENTATIVE else other
    if fed[one] != fed[other]:
        return other if fed[one] else one
    return max(one, other)


def move_to(tracks: Tracks, row: int, box: Float64Array) -> None:
    """Move one track, in place, to another box (4,) of its body: the jump of the box is no movement."""
    position = tracks.filter_states[POSITION, row]
    tracks.joints[row, :, :2] -= box[:2] - position[:2]
    position[:] = box
    tracks.body_px[row] = model.body_sizes_px(box[None])[0]


def watch(
    watched: tuple[WatchedPair, ...], shared: list[Shared], tracks: Tracks, matches: IndexArray, now: FrameTime
) -> tuple[tuple[WatchedPair, ...], list[tuple[Shared, WatchedPair]]]:
    """The pairs of tracks to watch after a frame, and those that have been one body for long enough.

    Frames in which one of the two was not detected say nothing. Each track is merged once at most, with the oldest.

    Args:
        watched: pairs after the frame before.
        shared: as from `settle`.
        tracks: T tracks.
        matches: (T,) the detection of each track, -1 for none.
        now: the frame.
    """
    if not watched and not shared:
        return (), []
    limits = model.MERGING
    detected = {int(track_id): bool(match >= 0) for track_id, match in zip(tracks.ids, matches, strict=True)}
    seen = {(int(tracks.ids[one.young]), int(tracks.ids[one.old])): one for one in shared}
    before = {(pair.young_id, pair.old_id): pair for pair in watched}
    begun = [ids for ids, one in seen.items() if ids not in before and one.sureness == CERTAIN]
    before |= {ids: WatchedPair(*ids, now.captured_at_ns, now.epoch, now.seq, 0, 0) for ids in begun}
    kept: list[WatchedPair] = []
    merged: list[tuple[Shared, WatchedPair]] = []
    gone: set[int] = set()
    for ids, pair in sorted(before.items(), key=lambda item: item[0][::-1]):
        if not gone.isdisjoint(ids) or not detected.keys() >= set(ids):
            continue
        watched_ns = now.captured_at_ns - pair.since_ns
        if watched_ns > limits.watched_s * 1e9:
            continue
        if detected[ids[0]] and detected[ids[1]]:
            as_one = ids in seen and seen[ids].sureness >= POSSIBLE
            pair = pair._replace(frames=pair.frames + 1, as_one=pair.as_one + as_one)
            if pair.as_one < limits.share * pair.frames:
                continue
            if as_one and watched_ns >= limits.after_s * 1e9 and pair.as_one >= limits.frames:
                merged.append((seen[ids], pair))
                gone.add(ids[0])
                continue
        kept.append(pair)
    return tuple(pair for pair in kept if gone.isdisjoint(pair[:2])), merged


def merge(
    merged: list[tuple[Shared, WatchedPair]],
    tracks: Tracks,
    matches: IndexArray,
    pairs: Int64Array,
    detections: UsableDetections,
    now: FrameTime,
) -> tuple[BoolArray, tuple[Renaming, ...]]:
    """Merge pairs of tracks into the older ones, in place, which follow the preferred detection from here on.

    Returns the mask (T,) of the tracks that end by it, and the announcements. `merged` is as from `watch`; the other
    arguments are as in `settle` and `watch`.
    """
    ending = np.zeros(len(tracks), np.bool_)
    renamed = []
    for shared, pair in merged:
        preferred = pairs[shared.pair, FIRST]
        if matches[shared.old] != preferred:
            matches[shared.old] = preferred
            move_to(tracks, shared.old, detections.centred[preferred])
        matches[shared.young] = -1
        ending[shared.young] = True
        recent = pair.epoch == now.epoch and now.captured_at_ns - pair.since_ns <= MAX_RENAME_DELAY_S * 1e9
        renamed.append(Renaming(pair.young_id, pair.old_id, pair.since_seq if recent else now.seq))
    return ending, tuple(renamed)
