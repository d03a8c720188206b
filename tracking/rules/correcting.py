"""What a rule remembers of people whose numbers are corrected: which of it stays with a number, and which moves. Pure.

A correction says that a number was on the wrong person since an earlier frame. What was settled before that frame
belongs to the number, and what was settled since belongs to the person, who has another number now. Which of both a
memory is shows in the last step that the rule has made about the number.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from posebus.messages import Renaming
from tracking.rules.base import Memory, Step
from tracking.rules.happenings import Happenings

RENAMED = "renamed"


def corrected(
    renamed: Sequence[Renaming], memory: Memory, happenings: Happenings, stepped: dict[int, int]
) -> Iterator[Step]:
    """Apply the corrections of a frame to `memory` and `happenings`; yields the steps of what ends by it.

    stepped: the number of the frame in which the rule last made a step about each track; it is corrected as well.

    Two people whose numbers were exchanged keep what each number had, if nothing was settled since: they only seem to
    have jumped to each other's place. Otherwise each takes along what was settled. A number that is not used any more
    leaves what was settled under it to the right number, which otherwise keeps its own.
    """
    new_ids = {one.from_id: one.to_id for one in renamed}
    since = {one.from_id: one.since_seq for one in renamed}
    exchanged = new_ids.keys() & set(new_ids.values())
    for track_id in new_ids.keys() - exchanged:
        yield from _joined(track_id, new_ids[track_id], memory, happenings, stepped, since[track_id])
    if any(stepped.get(track_id, -1) >= since[track_id] for track_id in exchanged):
        moves = {track_id: new_ids[track_id] for track_id in exchanged}
        memory.tracks = _moved(memory.tracks, moves)
        happenings.move(moves)
        last = _moved(stepped, moves)
        stepped.clear()
        stepped.update(last)
    # Another dict in any case: rules may keep what they derive from one.
    memory.tracks = dict(memory.tracks)


def _joined(
    old: int, new: int, memory: Memory, happenings: Happenings, stepped: dict[int, int], since_seq: int
) -> Iterator[Step]:
    """Make one person of two numbers, of which `old` is not used any more."""
    theirs = memory.tracks.pop(old, None)
    last_seq = stepped.pop(old, -1)
    data = {"reason": RENAMED, "renamed_to": new}
    if theirs is None or (new in memory.tracks and last_seq < since_seq):
        yield from happenings.ended_with([old], data)
        return
    memory.tracks[new] = theirs
    stepped[new] = max(last_seq, stepped.get(new, -1))
    before, now = happenings.keys_of(new), happenings.keys_of(old)
    yield from happenings.ended_with([old], data, keys=before & now)
    yield from happenings.ended_with([new], {"reason": RENAMED}, keys=before - now)
    happenings.move({old: new}, keys=now - before)


def _moved(by_id: Mapping[int, Any], new_ids: Mapping[int, int]) -> dict[int, Any]:
    """Return `by_id` with numbers exchanged."""
    return {new_ids.get(track_id, track_id): one for track_id, one in by_id.items()}
