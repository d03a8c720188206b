"""Two people are close to each other. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Set
from typing import Any

import numpy as np

from posebus.arrays import Float64Array
from posebus.config.rules.kinds import ProximityRule
from tracking.geometry import close_pairs
from tracking.rules.areas.area import Area
from tracking.rules.areas.lasting import Lasting, follow
from tracking.rules.base import Memory, Phase, Place, Step
from tracking.rules.clock import nanoseconds, seconds
from tracking.rules.scene import Scene

APART_NS = nanoseconds(1.0)
"""People who are close hide each other, and one is lost for a moment: they have parted only after this long."""

MOST_PAIRS = 100
"""Pairs that one rule follows at a time. In a dense crowd there are thousands, too many to be news."""

Pair = tuple[int, int]


class Proximity:
    """Follows each pair of people, at most MOST_PAIRS at a time: further ones wait until others have parted.

    What is remembered of a pair is in the entry of one of them, by the other's number. That one stays the same while
    the numbers of both are corrected, so that the happening, which belongs to it as well, ends under the key with which
    it began.
    """

    def __init__(self, settings: ProximityRule, place: Place) -> None:
        self._area = Area(settings.points, place)
        self._heights, self._metres = settings.body_heights, settings.distance_m
        self._lasting = Lasting(nanoseconds(settings.for_s), APART_NS)
        self._steady: tuple[Set[Pair], Mapping[int, Any]] = (frozenset(), {})
        """The pairs that are close, in the memory that has them, all of which are reported. Derived from the memory."""

    def update(self, scene: Scene, memory: Memory) -> Iterable[Step]:
        """Return the steps that this frame adds."""
        if scene.frame.renamed:
            _rename_partners(memory, {one.from_id: one.to_id for one in scene.frame.renamed})
        close = self._close(scene)
        if not close and not memory.tracks:
            return ()
        if self._steady[1] is memory.tracks and self._steady[0] == close and not scene.frame.renamed:
            return ()
        steps: list[Step] = []
        followed, all_reported = set(), True
        for owner, partners in list(memory.tracks.items()):
            for partner in list(partners):
                pair = _pair(owner, int(partner))
                holds = pair in close and pair not in followed
                followed.add(pair)
                if not holds or "on" not in partners[partner] or "broken_ns" in partners[partner]:
                    all_reported = False
                    steps += self._follow(partners, owner, partner, holds, close, scene)
            if not partners:
                del memory.tracks[owner]
        new = sorted(close - followed)[: MOST_PAIRS - len(followed)] if len(followed) < MOST_PAIRS else []
        self._steady = (close, memory.tracks) if all_reported and not new else (frozenset(), {})
        for owner, other in new:
            partners = memory.tracks.setdefault(owner, {})
            partners[str(other)] = {"key": str(other)}
            steps += self._follow(partners, owner, str(other), True, close, scene)
        return steps

    def _close(self, scene: Scene) -> Set[Pair]:
        """The pairs of numbers of people who are close to each other in this frame, the smaller one first."""
        if len(scene.ids) < 2:
            return frozenset()
        if self._metres is None:
            pairs = scene.close_ids(self._heights)
        else:
            pairs = scene.pairs_of_ids(close_pairs(_on_floor(scene), np.ones(len(scene.ids)), self._metres))
        if not pairs or self._area.is_everywhere:
            return pairs
        inside = {track_id for track_id, code in zip(scene.ids, self._area.codes(scene), strict=True) if code == 1}
        return {pair for pair in pairs if inside.issuperset(pair)}

    def _follow(
        self, partners: dict[str, Any], owner: int, partner: str, holds: bool, close: Set[Pair], scene: Scene
    ) -> Iterable[Step]:
        state, now_ns = partners[partner], scene.clock.now_ns
        key, since_ns = state["key"], state.get("since_ns", now_ns)
        phase = follow(state, holds, now_ns, scene.clock.before_ns, self._lasting)
        if "since_ns" not in state:
            del partners[partner]
        if phase is None:
            return ()
        data = {
            "other_track_id": int(partner),
            "since_ns": scene.frame.captured_at_ns - (now_ns - since_ns),
            "duration_s": seconds(now_ns - since_ns),
        }
        if phase is Phase.START:
            data.update(_distance(scene, owner, int(partner)), pairs=len(close))
            return (Step("proximity.detected", phase, owner, key, data, end_type="proximity.ended"),)
        return (Step("proximity.ended", phase, owner, key, data),)


def _distance(scene: Scene, one: int, other: int) -> dict[str, float]:
    """How far apart two people are who are in the frame, as events have it."""
    first, second = scene.ids.index(one), scene.ids.index(other)
    height_px = float(min(scene.heights_px[first], scene.heights_px[second]))
    found = {"body_heights": round(math.dist(scene.feet[first], scene.feet[second]) / height_px, 2)}
    metres = math.dist(*_on_floor(scene)[[first, second]].tolist())
    if math.isfinite(metres):
        found["distance_m"] = round(metres, 2)
    return found


def _on_floor(scene: Scene) -> Float64Array:
    """Where the people are on the floor (N, 2), in metres; NaN where that is not known."""
    unknown = (float("nan"), float("nan"))
    return np.array([person.position_m or unknown for person in scene.people], np.float64).reshape(-1, 2)


def _rename_partners(memory: Memory, new_ids: Mapping[int, int]) -> None:
    """Apply corrections to the numbers by which entries name the other person; their own have moved already."""
    for owner, partners in list(memory.tracks.items()):
        renamed = {str(new_ids.get(int(partner), int(partner))): state for partner, state in partners.items()}
        renamed.pop(str(owner), None)
        memory.tracks[owner] = renamed


def _pair(one: int, other: int) -> Pair:
    return (one, other) if one < other else (other, one)
