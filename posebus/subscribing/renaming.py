"""Final numbers of tracks: corrections (`TrackFrame.renamed`) applied to the frames before them. Pure."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Generic, TypeVar

from posebus.messages import MAX_RENAME_DELAY_S, Track, TrackFrame, TrackState

MAX_HELD_FRAMES = 1000
"""Largest number of frames that are held back, at any frame rate: `MAX_RENAME_DELAY_S` at 500 frames per second."""

AGE_TOLERANCE_S = 0.002
"""Ages are rounded to 0.001 s in messages."""

_BEST_FIRST = (TrackState.CONFIRMED, TrackState.LOST, TrackState.TENTATIVE)

T = TypeVar("T")


def with_final_ids(frames: Iterable[TrackFrame]) -> list[TrackFrame]:
    """Return all frames of one camera with final numbers, and without their `renamed`; see `FinalIds`."""
    final: FinalIds[None] = FinalIds(delay_s=math.inf, max_frames=None)
    pushed = [frame for one in frames for frame, _ in final.push(one, None)]
    return pushed + [frame for frame, _ in final.rest()]


class FinalIds(Generic[T]):
    """Holds frames of one camera back until no correction can reach them any more, and returns them corrected.

    In a corrected frame each number comes once. Where two tracks turned out to be one person, the one that was detected
    remains, with the better state of the two. A number that was wrong from its first frame on does not appear at all.
    """

    def __init__(self, delay_s: float = MAX_RENAME_DELAY_S, max_frames: int | None = MAX_HELD_FRAMES) -> None:
        self._delay_s = delay_s
        self._max_frames = max_frames
        self._held: deque[tuple[TrackFrame, T]] = deque()

    @property
    def held(self) -> Sequence[TrackFrame]:
        """The frames that are held back, oldest first, with the corrections that are known so far."""
        return [frame for frame, _ in self._held]

    @property
    def newest(self) -> tuple[TrackFrame, T]:
        """The newest frame, and what belongs to it. Raises IndexError if nothing is held back."""
        return self._held[-1]

    def push(self, frame: TrackFrame, attached: T) -> list[tuple[TrackFrame, T]]:
        """Take the next frame, with anything that belongs to it; returns the frames that are final now, in order."""
        final = []
        if self._held and _cannot_reach_back(frame, self._held[-1][0]):
            final = self.rest()
        if frame.renamed:
            ages_s = {track.id: track.age_s for track in frame.tracks}
            self._held = deque((_corrected(held, frame, ages_s), other) for held, other in self._held)
            frame = _without_renamed(frame, self.held)
        self._held.append((frame, attached))
        while self._is_due(frame):
            final.append(self._held.popleft())
        return final

    def rest(self) -> list[tuple[TrackFrame, T]]:
        """Return the frames that are still held back, as no further one will come: the source or its epoch ended."""
        final = list(self._held)
        self._held.clear()
        return final

    def _is_due(self, newest: TrackFrame) -> bool:
        """Return whether the oldest frame is out of reach for every frame that is newer than `newest`."""
        if not self._held:
            return False
        too_many = self._max_frames is not None and len(self._held) > self._max_frames
        return too_many or newest.captured_at_ns - self._held[0][0].captured_at_ns >= self._delay_s * 1e9


def _cannot_reach_back(frame: TrackFrame, last: TrackFrame) -> bool:
    """Return whether `frame`, and all that follow, correct nothing before them: a new epoch, or a clock set back."""
    return frame.epoch != last.epoch or last.captured_at_ns - frame.captured_at_ns > MAX_RENAME_DELAY_S * 1e9


def _without_renamed(frame: TrackFrame, before: Sequence[TrackFrame]) -> TrackFrame:
    """Return the frame that carries corrections, without `ended` tracks of numbers that no earlier frame has any
    more."""
    kept_ids = {one.to_id for one in frame.renamed}
    since_seqs = {one.from_id: one.since_seq for one in frame.renamed if one.from_id not in kept_ids}

    def is_shown(track: Track) -> bool:
        if track.state != TrackState.ENDED or track.id not in since_seqs:
            return True
        seq = since_seqs[track.id]
        since_ns = next((one.captured_at_ns for one in before if one.seq >= seq), frame.captured_at_ns)
        return track.age_s > (frame.captured_at_ns - since_ns) / 1e9 + AGE_TOLERANCE_S

    return replace(frame, tracks=tuple(filter(is_shown, frame.tracks)), renamed=())


def _corrected(held: TrackFrame, carrier: TrackFrame, ages_s: Mapping[int, float]) -> TrackFrame:
    """Return an earlier frame with the corrections that `carrier` announces; `ages_s` are those of its tracks."""
    new_ids = {one.from_id: one.to_id for one in carrier.renamed if one.since_seq <= held.seq}
    if not any(track.id in new_ids for track in held.tracks):
        return held
    tracks: dict[int, Track] = {}
    for track in held.tracks:
        number = new_ids.get(track.id, track.id)
        if number != track.id:
            elapsed_s = (carrier.captured_at_ns - held.captured_at_ns) / 1e9
            age_s = max(ages_s[number] - elapsed_s, 0.0) if number in ages_s else track.age_s
            track = replace(track, id=number, age_s=age_s)
        other = tracks.get(number)
        tracks[number] = track if other is None else _one_of(other, track)
    # As the tracker reports them: the oldest first, those that ended last.
    in_order = sorted(tracks.values(), key=lambda track: (track.state == TrackState.ENDED, track.id))
    return replace(held, tracks=tuple(in_order))


def _one_of(first: Track, second: Track) -> Track:
    """Return two tracks of one person as one: the detected one, in the better state of the two."""
    kept = min(first, second, key=lambda track: (track.coasted, _rank(track)))
    return replace(kept, state=min(first, second, key=_rank).state, age_s=max(first.age_s, second.age_s))


def _rank(track: Track) -> int:
    """Return the rank of the track's state: 0 for the one that stands most surely for a person."""
    return _BEST_FIRST.index(TrackState(track.state)) if track.state in _BEST_FIRST else len(_BEST_FIRST)
