"""The stay of a person in an area: begins and ends only after the person was seen there for a moment. Pure.

Two frames at least are needed for either, however far apart they are: one frame of flicker is no stay, and does not
end one. Frames in which the person is only predicted decide nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from posebus.messages import Track
from tracking.rules.areas.area import is_inside
from tracking.rules.areas.clock import NS_PER_S, nanoseconds
from tracking.rules.base import Phase

SETTLE_NS = nanoseconds(0.3)
"""How long a person has to be seen on the other side of the border of a zone."""
UNSEEN_NS = NS_PER_S
"""A person who was not seen for longer has to be seen anew for SETTLE_NS, unless frames are as rare."""


class StayChange(NamedTuple):
    """A stay that began, went on or ended in a frame: the row of the person, and what is remembered of the stay."""

    row: int
    track_id: int
    phase: Phase
    stay: dict[str, Any]


def follow_stays(
    tracks: dict[int, dict[str, Any]],
    ids: Sequence[int],
    people: Sequence[Track],
    codes: Sequence[int],
    now_ns: int,
    before_ns: int,
) -> Iterator[StayChange]:
    """Yield the stays that begin (START) or end (END) with a frame, and those of due people (UPDATE).

    Args:
        tracks: what the rule remembers, by track id; `since_ns` of a stay is when it began; once `due_ns` is set in
            it, it is yielded in each frame after this time in which the person is seen inside.
        ids: (N,) numbers of the people.
        people: (N,) their tracks.
        codes: (N,) where they are, see `Area.codes`.
        now_ns: time of the frame.
        before_ns: time of the frame before.
    """
    for row, (track_id, code) in enumerate(zip(ids, codes, strict=True)):
        entry = tracks.get(track_id)
        if entry is None:
            if code == 1 and not people[row].coasted:
                tracks[track_id] = {"in": False, "turn_ns": now_ns, "seen_ns": now_ns}
            continue
        was_inside = entry["in"]
        if is_inside(code, was_inside) is was_inside:
            if was_inside:
                if "turn_ns" in entry and not people[row].coasted:
                    del entry["turn_ns"]
                if "due_ns" in entry and now_ns >= entry["due_ns"] and not people[row].coasted:
                    yield StayChange(row, track_id, Phase.UPDATE, entry)
            elif not people[row].coasted:
                del tracks[track_id]
        elif not people[row].coasted and _has_turned(entry, now_ns, before_ns):
            if was_inside:
                del tracks[track_id]
                yield StayChange(row, track_id, Phase.END, entry)
            else:
                entry["in"], entry["since_ns"] = True, entry.pop("turn_ns")
                yield StayChange(row, track_id, Phase.START, entry)


def _has_turned(entry: dict[str, Any], now_ns: int, before_ns: int) -> bool:
    """Note that a person was seen on the other side of the border; returns whether that is so for long enough."""
    seen_ns = entry.get("seen_ns", now_ns)
    entry["seen_ns"] = now_ns
    if "turn_ns" not in entry or (now_ns - seen_ns > UNSEEN_NS and seen_ns < before_ns):
        entry["turn_ns"] = now_ns
    return bool(now_ns - entry["turn_ns"] >= SETTLE_NS and now_ns > entry["turn_ns"])
